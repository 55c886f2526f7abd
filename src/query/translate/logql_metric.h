#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/translate/logql_text.h"

namespace dendro {

/// `sum by (app) (rate({..} [5m]))` and its like as a table: a column a label (or `_stream`), `_time`, and `value`.
/// @param step_ns  between the times of the rows; 0: the range of each aggregation, one hour at most
/// Errors: invalid_argument, naming what has no equal here.
Result<std::string> translate_logql_metric(LogqlText& text, std::int64_t step_ns, std::vector<std::string>& warnings);

}  // namespace dendro
