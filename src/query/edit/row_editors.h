#pragma once

#include <memory>

#include "query/edit/row_edits.h"
#include "query/plan/query_context.h"
#include "query/plan/query_plan.h"
#include "query/rows/subquery_rows.h"

namespace dendro {

class StatGroups;

// The pipes that change rows one by one, one file each. `shape`: of the rows that come in. Pipes outlive their editors.

std::unique_ptr<RowEditor> make_rename_editor(const RenamePipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_eval_editor(const EvalPipe& pipe, const RowShape& shape, const QueryPlan& plan);
std::unique_ptr<RowEditor> make_extract_editor(const ExtractPipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_extract_regex_editor(const ExtractRegexPipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_unpack_editor(const UnpackPipe& pipe, const RowShape& shape, QueryContext& context);
std::unique_ptr<RowEditor> make_format_editor(const FormatPipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_replace_editor(const ReplacePipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_unroll_editor(const UnrollPipe& pipe, const RowShape& shape);

std::unique_ptr<RowEditor> make_text_editor(const TextPipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_pack_editor(const PackPipe& pipe, const RowShape& shape);
std::unique_ptr<RowEditor> make_flatten_editor(const FlattenPipe& pipe, const RowShape& shape, QueryContext& context);
std::unique_ptr<RowEditor> make_lookup_editor(const LookupPipe& pipe, const RowShape& shape,
                                              std::shared_ptr<const SubqueryRows> table, QueryContext& context);
std::unique_ptr<RowEditor> make_geoip_editor(const GeoipPipe& pipe, const RowShape& shape,
                                             std::shared_ptr<const GeoDatabase> database, QueryContext& context);
std::unique_ptr<RowEditor> make_delta_editor(const DeltaPipe& pipe, const RowShape& shape, QueryContext& context);
/// Of streamstats; null for eventstats, whose groups must be known first.
std::unique_ptr<RowEditor> make_running_stats_editor(const WithStatsPipe& pipe, const QueryStep& step,
                                                     QueryContext& context);
std::unique_ptr<RowEditor> make_group_results_editor(const WithStatsPipe& pipe, std::shared_ptr<StatGroups> groups);
std::unique_ptr<RowEditor> make_join_editor(const JoinPipe& pipe, const RowShape& shape,
                                            std::shared_ptr<const SubqueryRows> right, QueryContext& context);

}  // namespace dendro
