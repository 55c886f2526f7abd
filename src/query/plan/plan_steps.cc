#include "query/plan/plan_steps.h"

#include "query/plan/step_planner.h"

namespace dendro {

bool keeps_rows(const Pipe& pipe) {
  return std::holds_alternative<FieldsPipe>(pipe) || std::holds_alternative<RenamePipe>(pipe) ||
         std::holds_alternative<EvalPipe>(pipe) || std::holds_alternative<ExtractPipe>(pipe) ||
         std::holds_alternative<ExtractRegexPipe>(pipe) || std::holds_alternative<UnpackPipe>(pipe) ||
         std::holds_alternative<TextPipe>(pipe) || std::holds_alternative<PackPipe>(pipe) ||
         std::holds_alternative<FormatPipe>(pipe) || std::holds_alternative<ReplacePipe>(pipe) ||
         std::holds_alternative<UnrollPipe>(pipe) || std::holds_alternative<FlattenPipe>(pipe) ||
         std::holds_alternative<LookupPipe>(pipe) || std::holds_alternative<GeoipPipe>(pipe);
}

Status add_steps(QueryPlan& plan, std::size_t first_pipe, QueryFault& fault) {
  return StepPlanner(plan, fault).plan(first_pipe);
}

}  // namespace dendro
