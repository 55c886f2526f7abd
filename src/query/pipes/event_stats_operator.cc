#include "query/edit/row_editors.h"
#include "query/pipes/kept_rows.h"
#include "query/pipes/operator.h"
#include "query/stats/stat_groups.h"

namespace dendro {
namespace {

/// Keeps all rows and counts them in their groups, then hands them on as they came.
class GatherOperator final : public Operator {
 public:
  GatherOperator(OperatorPtr input, std::shared_ptr<StatGroups> groups, QueryContext& context)
      : input_(std::move(input)), groups_(std::move(groups)), kept_("eventstats", context) {}

  Result<std::optional<RowBatch>> next() override {
    if (!at_end_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      if (rows.has_value() && take(std::move(*rows))) return std::optional<RowBatch>(RowBatch());
      at_end_ = true;
    }
    if (handed_on_ >= kept_.batches().size()) return std::optional<RowBatch>();
    return std::optional<RowBatch>(std::move(kept_.batches()[handed_on_++]));
  }

 private:
  bool take(RowBatch rows) {
    if (rows.empty()) return true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!groups_->add(rows, i)) return false;
    }
    return kept_.add(std::move(rows));
  }

  OperatorPtr input_;
  const std::shared_ptr<StatGroups> groups_;
  KeptRows kept_;
  std::size_t handed_on_ = 0;
  bool at_end_ = false;
};

}  // namespace

OperatorPtr make_event_stats_operator(OperatorPtr input, const WithStatsPipe& pipe, const QueryStep& step,
                                      QueryContext& context) {
  auto groups = std::make_shared<StatGroups>(pipe.stats, step.stats, step.input, context);
  auto gather = std::make_unique<GatherOperator>(std::move(input), groups, context);
  return make_rewrite_operator(std::move(gather), make_group_results_editor(pipe, std::move(groups)), step);
}

}  // namespace dendro
