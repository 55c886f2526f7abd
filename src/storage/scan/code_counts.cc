#include "storage/scan/code_counts.h"

#include <algorithm>
#include <array>

namespace dendro {
namespace {

/// Up to so many codes several tables fit the first cache.
constexpr std::uint32_t kFewCodes = 1024;

/// Equal codes stand side by side; several tables keep one addition from waiting for the one before it.
std::vector<std::uint32_t> count_each(std::span<const std::uint16_t> codes, std::uint32_t code_count) {
  std::vector<std::uint32_t> counts(code_count, 0);
  if (code_count > kFewCodes) {
    for (const std::uint16_t code : codes) ++counts[code];
    return counts;
  }
  constexpr std::size_t kTables = 4;
  std::vector<std::uint32_t> tables(kTables * code_count, 0);
  std::array<std::uint32_t*, kTables> table{};
  for (std::size_t i = 0; i < kTables; ++i) table[i] = tables.data() + i * code_count;
  std::size_t at = 0;
  for (; at + kTables <= codes.size(); at += kTables) {
    for (std::size_t i = 0; i < kTables; ++i) ++table[i][codes[at + i]];
  }
  for (; at < codes.size(); ++at) ++table[0][codes[at]];
  for (std::uint32_t code = 0; code < code_count; ++code) {
    for (std::size_t i = 0; i < kTables; ++i) counts[code] += table[i][code];
  }
  return counts;
}

std::uint32_t first_row_without_value(const RowMap& rows, std::uint32_t values) {
  std::uint32_t row = 0;
  while (row < values && rows.row_of(row) == row) ++row;
  return row;
}

}  // namespace

CodeCounts count_codes(std::span<const std::uint16_t> codes, std::uint32_t code_count, const RowMap& rows,
                       std::uint32_t record_count) {
  const std::vector<std::uint32_t> counts = count_each(codes, code_count);
  const auto used = static_cast<std::size_t>(std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; }));
  const auto values = static_cast<std::uint32_t>(codes.size());
  const std::uint32_t missing_row = first_row_without_value(rows, values);
  std::vector<bool> is_seen(code_count, false);
  CodeCounts found;
  const auto add = [&found](std::uint32_t row, std::uint32_t weight) {
    found.rows.push_back(row);
    found.weights.push_back(weight);
  };
  bool needs_missing = values < record_count;
  std::size_t seen = 0;
  for (std::uint32_t value = 0; value < values && seen < used; ++value) {
    const std::uint16_t code = codes[value];
    if (is_seen[code]) continue;
    is_seen[code] = true;
    ++seen;
    const std::uint32_t row = rows.row_of(value);
    if (needs_missing && missing_row < row) {
      add(missing_row, record_count - values);
      needs_missing = false;
    }
    add(row, counts[code]);
  }
  if (needs_missing) add(missing_row, record_count - values);
  return found;
}

}  // namespace dendro
