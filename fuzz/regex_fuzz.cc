// The first line is an expression, the others are values: many at once give what each gives alone, and what is said of
// atoms holds. Patterns that RE2 refuses are refused, nothing else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "filter/folded_search.h"
#include "filter/regex.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPatternBytesMax = 60;  // hyperscan's compiler is what would take the time
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = rest.substr(0, rest.find('\n'));
  if (pattern.size() > kPatternBytesMax) return 0;
  const auto regex = dendro::Regex::compile(pattern);
  if (!regex.has_value()) return 0;
  rest.remove_prefix(std::min(rest.size(), pattern.size() + 1));
  std::string_view text = rest;
  std::string joined;
  std::vector<std::uint32_t> ends;
  std::vector<std::uint8_t> expected;
  while (!text.empty()) {
    // 0x1E ends a value, so that values may hold line feeds.
    const std::string_view value = text.substr(0, text.find('\x1E'));
    text.remove_prefix(std::min(text.size(), value.size() + 1));
    joined += value;
    ends.push_back(static_cast<std::uint32_t>(joined.size()));
    expected.push_back((*regex)->matches(value) ? 1 : 0);
    if (expected.back() == 0) continue;
    std::vector<int> present;
    for (std::size_t i = 0; i < (*regex)->atoms().size(); ++i) {
      const dendro::FoldedNeedle atom((*regex)->atoms()[i]);
      if (dendro::find_folded(value, atom) != std::string_view::npos) present.push_back(static_cast<int>(i));
    }
    DENDRO_CHECK((*regex)->may_match(present));
  }
  std::vector<std::uint8_t> verdicts;
  (*regex)->match_many(joined, ends, verdicts, dendro::Regex::Accelerator::always);
  DENDRO_CHECK(verdicts == expected);
  return 0;
}
