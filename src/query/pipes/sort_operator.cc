#include <algorithm>
#include <deque>

#include "query/pipes/operator.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"
#include "query/spill/best_rows.h"
#include "query/spill/row_sorter.h"

namespace dendro {
namespace {

constexpr std::size_t kSortedRowsAtOnce = 1024;
constexpr std::size_t kSortLookRows = 256;

/// Keeps every row, in files where memory ends, or the best `limit`.
class SortOperator final : public Operator {
 public:
  SortOperator(OperatorPtr input, const SortPipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)),
        pipe_(pipe),
        shape_(step.input),
        context_(context),
        order_(order_of(pipe, step)),
        sorter_(order_, shape_, step.need, RowSorter::WhenFull::stop, context) {
    for (const SortKey& key : pipe_.keys) {
      fields_.emplace_back(key.name, shape_);
      rules_.push_back(order_rule_of(key.name));
    }
    if (pipe_.limit) best_ = std::make_unique<BestRows>(order_, *pipe_.limit, shape_.is_table, context_);
    rows_left_ = pipe_.limit.value_or(UINT64_MAX);
  }

  Result<std::optional<RowBatch>> next() override {
    if (rows_left_ == 0 || context_.is_cancelled()) return std::optional<RowBatch>();
    if (state_ == State::gathering) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      bool goes_on = false;
      if (rows) {
        DENDRO_TRY_ASSIGN(goes_on, take(*rows));
      }
      if (goes_on) return std::optional<RowBatch>(RowBatch());
      if (best_ != nullptr) DENDRO_TRY(best_->hand_to(sorter_));
      state_ = State::sorting;
    }
    if (state_ == State::sorting) {
      DENDRO_TRY_ASSIGN(const bool is_ready, sorter_.prepare());
      if (is_ready) state_ = State::handing_on;
      return std::optional<RowBatch>(RowBatch());
    }
    DENDRO_TRY_ASSIGN(RowBatch out, sorter_.next(std::min<std::uint64_t>(kSortedRowsAtOnce, rows_left_)));
    if (out.empty()) return std::optional<RowBatch>();
    rows_left_ -= out.size();
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  enum class State : std::uint8_t { gathering, sorting, handing_on };

  static RowOrder order_of(const SortPipe& pipe, const QueryStep& step) {
    RowOrder order;
    for (const SortKey& key : pipe.keys) order.descending.push_back(key.descending);
    order.by_position = step.sort.ties_by_position && !step.input.is_table;
    order.positions = step.sort.order;
    return order;
  }

  /// False once no more rows may come in.
  Result<bool> take(RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % kSortLookRows == 0 && context_.is_cancelled()) return false;
      if (!may_grow()) return false;
      SortedRow row;
      row.keys.reserve(fields_.size());
      for (std::size_t k = 0; k < fields_.size(); ++k) row.keys.emplace_back(fields_[k].read(rows, i), rules_[k]);
      row.ordinal = ordinal_++;
      std::shared_ptr<const RecordBatch> batch;
      if (shape_.is_table) {
        row.row = std::move(rows.table[i]);
      } else {
        row.record = rows.records[i];
        batch = batch_of(rows, rows.records[i].batch);
      }
      DENDRO_TRY_ASSIGN(const bool goes_on, keep(std::move(row), batch));
      if (!goes_on) return false;
    }
    return true;
  }

  /// Without files, and without limit, rows are bounded.
  bool may_grow() {
    if (pipe_.limit || context_.spill.is_there() || sorter_.size() < context_.limits.sort_rows_max) return true;
    context_.warn_once({"sort_limit",
                        "sort without limit keeps at most " + std::to_string(context_.limits.sort_rows_max) + " rows",
                        0, 0});
    context_.stop(StopReason::memory);
    return false;
  }

  Result<bool> keep(SortedRow row, const std::shared_ptr<const RecordBatch>& batch) {
    if (best_ != nullptr && !best_->wants(row)) return true;
    if (best_ == nullptr || is_best_handed_over_) return sorter_.add(std::move(row), batch);
    const bool has_room = best_->add(std::move(row), batch);
    if (context_.should_spill(best_->charged_bytes()) || (!has_room && context_.may_spill(best_->charged_bytes()))) {
      // More than memory holds: from now on whatever may be among the first is sorted, and the first ones come out.
      is_best_handed_over_ = true;
      return best_->hand_to(sorter_);
    }
    if (!has_room) context_.stop(StopReason::memory);
    return has_room;
  }

  std::shared_ptr<const RecordBatch> batch_of(const RowBatch& rows, const RecordBatch* batch) {
    if (last_batch_.get() == batch) return last_batch_;
    for (const auto& held : rows.held) {
      if (held.get() == batch) last_batch_ = held;
    }
    return last_batch_;
  }

  OperatorPtr input_;
  const SortPipe pipe_;
  const RowShape shape_;
  QueryContext& context_;
  const RowOrder order_;
  std::deque<RowField> fields_;
  std::vector<OrderRule> rules_;
  RowSorter sorter_;
  std::unique_ptr<BestRows> best_;    ///< of a sort with limit
  bool is_best_handed_over_ = false;  ///< memory does not hold them: they are the sorter's
  std::shared_ptr<const RecordBatch> last_batch_;
  std::uint64_t ordinal_ = 0;
  std::uint64_t rows_left_ = 0;
  State state_ = State::gathering;
};

}  // namespace

OperatorPtr make_sort_operator(OperatorPtr input, const SortPipe& pipe, const QueryStep& step, QueryContext& context) {
  return std::make_unique<SortOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
