// Any bytes as a query: no crash, and what parses prints a form that parses to the same tree (query-language.md 13.3).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "query/language/query_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  const dendro::ParseOptions options{{dendro::Timestamp(1'795'169'100'000'000'000), 0}, ""};
  dendro::QueryFault fault;
  const auto parsed = dendro::parse_query(query, options, fault);
  if (!parsed.has_value()) {
    DENDRO_CHECK(fault.offset + fault.size <= query.size() || query.size() > dendro::kMaxQueryBytes);
    return 0;
  }
  const std::string text = to_text(*parsed);
  if (text.size() > dendro::kMaxQueryBytes) return 0;
  const auto again = dendro::parse_query(text, options, fault);
  DENDRO_CHECK(again.has_value());
  DENDRO_CHECK(*again == *parsed);
  return 0;
}
