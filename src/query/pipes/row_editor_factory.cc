#include "query/edit/row_editors.h"
#include "query/pipes/row_pipeline.h"

namespace dendro {
namespace {

struct EditorMaker {
  using Editor = std::unique_ptr<RowEditor>;
  const QueryStep& step;
  const RowShape& shape;
  const QueryPlan& plan;
  const RunParts& parts;

  Editor operator()(const RenamePipe& pipe) const { return make_rename_editor(pipe, shape); }
  Editor operator()(const EvalPipe& pipe) const { return make_eval_editor(pipe, shape, plan); }
  Editor operator()(const ExtractPipe& pipe) const { return make_extract_editor(pipe, shape); }
  Editor operator()(const ExtractRegexPipe& pipe) const { return make_extract_regex_editor(pipe, shape); }
  Editor operator()(const UnpackPipe& pipe) const { return make_unpack_editor(pipe, shape, parts.context); }
  Editor operator()(const FormatPipe& pipe) const { return make_format_editor(pipe, shape); }
  Editor operator()(const ReplacePipe& pipe) const { return make_replace_editor(pipe, shape); }
  Editor operator()(const UnrollPipe& pipe) const { return make_unroll_editor(pipe, shape); }
  Editor operator()(const TextPipe& pipe) const { return make_text_editor(pipe, shape); }
  Editor operator()(const PackPipe& pipe) const { return make_pack_editor(pipe, shape); }
  Editor operator()(const JoinPipe& pipe) const {
    return make_join_editor(pipe, shape, parts.tables.find(pipe.query)->second, parts.context);
  }
  Editor operator()(const FlattenPipe& pipe) const { return make_flatten_editor(pipe, shape, parts.context); }
  Editor operator()(const LookupPipe& pipe) const { return make_lookup_editor(pipe, shape, step.table, parts.context); }
  Editor operator()(const GeoipPipe& pipe) const {
    return make_geoip_editor(pipe, shape, plan.request.geo_database, parts.context);
  }
  Editor operator()(const DeltaPipe& pipe) const { return make_delta_editor(pipe, shape, parts.context); }
  Editor operator()(const WithStatsPipe& pipe) const { return make_running_stats_editor(pipe, step, parts.context); }
  template <typename OtherPipe>
  Editor operator()(const OtherPipe&) const {
    return nullptr;
  }
};

}  // namespace

std::unique_ptr<RowEditor> make_row_editor(const QueryStep& step, const QueryPlan& plan, const RunParts& parts) {
  return std::visit(EditorMaker{step, step.input, plan, parts}, step.pipe);
}

}  // namespace dendro
