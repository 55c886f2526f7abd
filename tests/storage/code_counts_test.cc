#include "storage/scan/code_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

namespace dendro {
namespace {

/// As it reads in the header, record by record.
CodeCounts counted_plainly(const std::vector<std::optional<std::uint16_t>>& of_record) {
  std::map<std::optional<std::uint16_t>, std::pair<std::uint32_t, std::uint32_t>> first_and_count;
  for (std::uint32_t row = 0; row < of_record.size(); ++row) {
    ++first_and_count.try_emplace(of_record[row], row, 0).first->second.second;
  }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ordered;
  for (const auto& [code, found] : first_and_count) ordered.push_back(found);
  std::sort(ordered.begin(), ordered.end());
  CodeCounts counts;
  for (const auto& [row, count] : ordered) {
    counts.rows.push_back(row);
    counts.weights.push_back(count);
  }
  return counts;
}

TEST(CodeCounts, AgreeWithACountRecordByRecord) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t records = 1 + static_cast<std::uint32_t>(random() % 400);
    const std::uint32_t code_count = 1 + static_cast<std::uint32_t>(random() % (round % 10 == 0 ? 3000 : 20));
    const std::uint64_t missing_of_ten = random() % 4 * 3;
    std::vector<std::optional<std::uint16_t>> of_record(records);
    std::vector<std::uint16_t> codes;
    RowMap rows;
    for (std::uint32_t row = 0; row < records; ++row) {
      if (random() % 10 < missing_of_ten) continue;
      of_record[row] = static_cast<std::uint16_t>(random() % code_count);
      codes.push_back(*of_record[row]);
      rows.rows.push_back(static_cast<std::uint16_t>(row));
    }
    if (codes.size() == records) rows = {.is_identity = true, .rows = {}};
    const CodeCounts expected = counted_plainly(of_record);
    const CodeCounts found = count_codes(codes, code_count, rows, records);
    ASSERT_EQ(found.rows, expected.rows);
    ASSERT_EQ(found.weights, expected.weights);
  }
}

}  // namespace
}  // namespace dendro
