// stats: a table of groups.
#include "query/pipes/operator.h"
#include "query/stats/stat_groups.h"

namespace dendro {
namespace {

constexpr std::size_t kTableRowsAtOnce = 1024;

class StatsOperator final : public Operator {
 public:
  StatsOperator(OperatorPtr input, const StatsPipe& pipe, const StatsStep& step, const RowShape& shape,
                QueryContext& context)
      : input_(std::move(input)), groups_(pipe, step, shape, context) {}

  Result<std::optional<RowBatch>> next() override {
    if (!is_finished_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      if (rows.has_value() && take(*rows)) return std::optional<RowBatch>(RowBatch());
      is_finished_ = true;
      result_ = groups_.finish();
    }
    if (handed_on_ >= result_.size()) return std::optional<RowBatch>();
    RowBatch out;
    for (; handed_on_ < result_.size() && out.size() < kTableRowsAtOnce; ++handed_on_) {
      out.table.push_back(std::move(result_[handed_on_]));
    }
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  /// False once no more rows may come in.
  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!groups_.add(rows, i)) return false;
    }
    return true;
  }

  OperatorPtr input_;
  StatGroups groups_;
  // The answer.
  bool is_finished_ = false;
  std::vector<TableRow> result_;
  std::size_t handed_on_ = 0;
};

}  // namespace

OperatorPtr make_stats_operator(OperatorPtr input, const StatsPipe& pipe, const StatsStep& step, RowShape shape,
                                QueryContext& context) {
  return std::make_unique<StatsOperator>(std::move(input), pipe, step, shape, context);
}

}  // namespace dendro
