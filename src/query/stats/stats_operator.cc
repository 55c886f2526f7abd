// stats: a table of groups, or the best of them.
//
// States: gathering -> handing_over -> sorting -> handing_on. `gathering` counts the input; `handing_over` gives groups
// to the sorter; from there `counting_rest`, as often as rows were put aside, and back; `handing_on` gives rows in
// order.
#include "query/pipes/operator.h"
#include "query/spill/best_rows.h"
#include "query/spill/row_sorter.h"
#include "query/stats/stat_groups.h"

namespace dendro {
namespace {

constexpr std::size_t kTableRowsAtOnce = 1024;
constexpr std::size_t kStatsLookRows = 256;

class StatsOperator final : public Operator {
 public:
  StatsOperator(OperatorPtr input, const StatsPipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)),
        context_(context),
        groups_(pipe, step.stats, step.input, context),
        sorter_(StatGroups::order_of(pipe, step.stats), table_shape(), FieldNeed(), RowSorter::WhenFull::go_on,
                context) {
    groups_.allow_spill();
    const std::optional<BestGroups>& best = step.stats.best;
    if (best) best_ = std::make_unique<BestRows>(StatGroups::order_of(pipe, step.stats), best->count, true, context);
  }

  Result<std::optional<RowBatch>> next() override {
    if (context_.is_cancelled()) return std::optional<RowBatch>();
    if (state_ == State::handing_on) {
      DENDRO_TRY_ASSIGN(RowBatch out, sorter_.next(kTableRowsAtOnce));
      if (out.empty()) return std::optional<RowBatch>();
      return std::optional<RowBatch>(std::move(out));
    }
    DENDRO_TRY(go_on());
    return std::optional<RowBatch>(RowBatch());
  }
  std::optional<std::vector<TableRow>> rows_now(std::size_t rows_max) override {
    return state_ == State::gathering ? groups_.rows_now(rows_max) : std::nullopt;
  }

 private:
  enum class State : std::uint8_t { gathering, handing_over, counting_rest, sorting, handing_on };

  static const RowShape& table_shape() {
    static const RowShape kTable = [] {
      RowShape shape;
      shape.is_table = true;
      return shape;
    }();
    return kTable;
  }

  /// Some work in the state at hand.
  Status go_on() {
    switch (state_) {
      case State::gathering: {
        DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
        if (rows.has_value() && take(*rows)) return {};
        if (groups_.spill_error()) return *groups_.spill_error();
        groups_.end_input();
        state_ = State::handing_over;
        return {};
      }
      case State::handing_over: {
        DENDRO_TRY_ASSIGN(const bool has_more, best_ ? groups_.hand_to(*best_) : groups_.hand_to(sorter_));
        if (has_more) return {};
        bool has_rest = false;
        // Once time or memory is gone, what is known so far is the answer.
        if (groups_.has_rest() && !context_.should_stop()) {
          DENDRO_TRY_ASSIGN(has_rest, groups_.start_rest());
        }
        if (!has_rest && best_) DENDRO_TRY(best_->hand_to(sorter_));
        state_ = has_rest ? State::counting_rest : State::sorting;
        return {};
      }
      case State::counting_rest: {
        DENDRO_TRY_ASSIGN(const bool has_more, groups_.count_rest());
        if (!has_more || context_.should_stop()) state_ = State::handing_over;
        return {};
      }
      case State::sorting: {
        DENDRO_TRY_ASSIGN(const bool is_ready, sorter_.prepare());
        if (is_ready) state_ = State::handing_on;
        return {};
      }
      case State::handing_on:
        break;
    }
    return {};
  }

  /// False once no more rows may come in.
  bool take(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % kStatsLookRows == 0 && context_.is_cancelled()) return false;
      if (!groups_.add(rows, i)) return false;
    }
    return true;
  }

  OperatorPtr input_;
  QueryContext& context_;
  StatGroups groups_;
  RowSorter sorter_;
  std::unique_ptr<BestRows> best_;  ///< of StatsStep::best
  State state_ = State::gathering;
};

}  // namespace

OperatorPtr make_stats_operator(OperatorPtr input, const StatsPipe& pipe, const QueryStep& step,
                                QueryContext& context) {
  return std::make_unique<StatsOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
