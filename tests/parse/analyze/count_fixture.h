#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "parse/analyze/count_lines.h"
#include "parse/analyze/line_joiner.h"

namespace dendro {

/// Gives its text in pieces of random size, as pipes and sockets do.
class PiecewiseSource final : public ByteSource {
 public:
  PiecewiseSource(std::string text, unsigned seed, std::size_t piece_max)
      : text_(std::move(text)), random_(seed), piece_max_(piece_max) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t piece = std::uniform_int_distribution<std::size_t>(1, piece_max_)(random_);
    const std::size_t count = text_.copy(out.data(), std::min(out.size(), piece), offset_);
    offset_ += count;
    return count;
  }

 private:
  std::string text_;
  std::mt19937 random_;
  std::size_t piece_max_;
  std::size_t offset_ = 0;
};

inline CountResult count_text(const std::string& text, const CountOptions& options = {}, const CountRun& run = {}) {
  Result<CountResult> result = count_lines(std::make_unique<MemoryByteSource>(text), options, run);
  DENDRO_CHECK(result.has_value());
  return *result;
}

/// The plain model: every line the exact way, one after the other. Knows no arrays and no byte order marks.
inline CountResult count_exactly(std::string_view text, const CountOptions& options = {}) {
  const RecordRule rule(options);
  LineTally tally;
  LineJoiner joiner(rule, tally);
  std::uint64_t offset = 0;
  while (offset < text.size()) {
    const std::size_t last = std::min(text.find('\n', offset), text.size());
    joiner.add(text.substr(offset, last - offset), offset);
    offset = last + 1;
  }
  joiner.finish();
  CountResult result = tally.result();
  result.bytes = text.size();
  return result;
}

/// "total 2 api=1 db=1 lines 3 not_json=1": what tests compare.
inline std::string summary(const CountResult& result) {
  std::string text = "total " + std::to_string(result.total);
  for (const auto& [service, count] : result.by_service) text += " " + service + "=" + std::to_string(count);
  text += " lines " + std::to_string(result.lines);
  for (std::size_t i = 0; i < kSkipReasonCount; ++i) {
    if (result.skipped_by_reason[i] == 0) continue;
    text += " " + std::string(skip_reason_name(static_cast<SkipReason>(i))) + "=" +
            std::to_string(result.skipped_by_reason[i]);
  }
  return text;
}

}  // namespace dendro
