#pragma once

#include <memory>

#include "query/output/answer_writer.h"

namespace dendro {

/// Runs the query and says, instead of its rows, what was planned and what that cost: one JSON object for the formats
/// ndjson and json, indented text for the others. `plan` outlives the writer.
std::unique_ptr<AnswerWriter> make_explain_writer(const QueryPlan& plan, const QueryRunOptions& options);

}  // namespace dendro
