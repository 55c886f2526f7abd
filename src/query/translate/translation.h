#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// A query of another language in the language of dendro.
struct Translation {
  std::string query;                  ///< parses
  std::vector<std::string> warnings;  ///< what means a little less or more than there
};

enum class LuceneDialect : std::uint8_t {
  query_string,  ///< Lucene, as Elasticsearch and Grafana take it: operators in capitals
  kql,           ///< Kibana: `and or not` in any case, `f >= 5`, `f: (a or b)`
};
enum class LuceneOperator : std::uint8_t { any, all };  ///< between clauses that nothing stands between

/// Whole of it or an error: what has no equivalent is never left out. Thread-safe.
/// Errors: invalid_argument, with the byte where it is ("offset 7: ...").
Result<Translation> translate_lucene(std::string_view text, LuceneDialect dialect,
                                     LuceneOperator between = LuceneOperator::any);

/// A LogQL log query: selector, line filters, parsers, label filters. A metric query (`rate(..)`, `sum by ..`) is an
/// error by name. Errors: as translate_lucene.
Result<Translation> translate_logql(std::string_view text);

}  // namespace dendro
