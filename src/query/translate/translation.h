#pragma once

#include <cstdint>
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

/// LogQL. A log query (`{..} |= "x"`) stays one of records; a metric query (`sum by (a) (rate(..))`) becomes a table
/// with its labels, `_time` and `value`.
/// @param step_ns  between the times of a metric's rows; 0: its range, one hour at most. Errors: as translate_lucene.
Result<Translation> translate_logql(std::string_view text, std::int64_t step_ns = 0);

/// CloudWatch Logs Insights. Errors: as translate_lucene.
Result<Translation> translate_insights(std::string_view text);

}  // namespace dendro
