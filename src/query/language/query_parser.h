#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "filter/time_literal.h"
#include "query/language/query_ast.h"
#include "query/language/query_fault.h"
#include "query/language/saved_filters.h"

namespace dendro {

inline constexpr std::size_t kMaxQueryBytes = std::size_t{64} << 10;
inline constexpr int kMaxQueryDepth = 100;
inline constexpr std::size_t kMaxSubqueries = 20;   ///< each is a pass over the input
inline constexpr std::size_t kMaxQueryPipes = 200;  ///< each is a step that rows go through

/// Values of queries inside in( ), by the canonical text of the query.
using SubqueryValues = std::map<std::string, OneOf, std::less<>>;

struct ParseOptions {
  TimeReading time;
  std::string default_field;                        ///< of text filters without one; empty: any value
  const SavedFilters* saved_filters = nullptr;      ///< of `$name`; null: there are none
  const SubqueryValues* subquery_values = nullptr;  ///< null: they are not known yet
};

/// Parses a whole query (query-language.md 3, 4). Thread-safe. On failure `fault` says where and what (section 10), and
/// the returned error is the same. Errors: invalid_argument, unimplemented (a construct of the language that is not
/// built yet).
Result<ParsedQuery> parse_query(std::string_view query, const ParseOptions& options, QueryFault& fault);

}  // namespace dendro
