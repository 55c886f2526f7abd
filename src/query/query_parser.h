#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "filter/time_literal.h"
#include "query/query_ast.h"
#include "query/query_fault.h"

namespace dendro {

inline constexpr std::size_t kMaxQueryBytes = std::size_t{64} << 10;
inline constexpr int kMaxQueryDepth = 100;

struct ParseOptions {
  TimeReading time;
  std::string default_field;  ///< of text filters without one; empty: any value
};

/// Parses a whole query (query-language.md 3, 4). Thread-safe. On failure `fault` says where and what (section 10), and
/// the returned error is the same. Errors: invalid_argument, unimplemented (a construct of the language that is not
/// built yet).
Result<ParsedQuery> parse_query(std::string_view query, const ParseOptions& options, QueryFault& fault);

}  // namespace dendro
