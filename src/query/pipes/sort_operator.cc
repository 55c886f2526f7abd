#include <algorithm>
#include <deque>

#include "query/pipes/operator.h"
#include "query/rows/row_field.h"
#include "query/rows/value_order.h"

namespace dendro {
namespace {

constexpr std::size_t kSortedRowsAtOnce = 1024;

/// Keeps every row, or the best `limit`, with its keys made ready.
class SortOperator final : public Operator {
 public:
  SortOperator(OperatorPtr input, const SortPipe& pipe, const SortStep& step, RowShape shape, QueryContext& context)
      : input_(std::move(input)), pipe_(pipe), step_(step), shape_(std::move(shape)), context_(context) {
    for (const SortKey& key : pipe_.keys) {
      fields_.emplace_back(key.name, shape_);
      rules_.push_back(order_rule_of(key.name));
    }
  }

  Result<std::optional<RowBatch>> next() override {
    if (pipe_.limit == std::uint64_t{0}) return std::optional<RowBatch>();
    if (!is_sorted_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      const bool goes_on = rows.has_value() && take(*rows);
      if (goes_on) return std::optional<RowBatch>(RowBatch());
      keep_best(pipe_.limit.value_or(kept_.size()));
      std::sort(kept_.begin(), kept_.end(), [this](const Kept& a, const Kept& b) { return comes_before(a, b); });
      is_sorted_ = true;
    }
    if (handed_on_ >= kept_.size()) return std::optional<RowBatch>();
    return std::optional<RowBatch>(hand_on());
  }

 private:
  struct Kept {
    std::vector<SortValue> keys;
    std::uint64_t ordinal = 0;
    RecordRow record;
    std::shared_ptr<const RecordBatch> batch;
    TableRow row;
  };

  /// False once no more rows may come in.
  bool take(RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!pipe_.limit && kept_.size() >= context_.limits.sort_rows_max) {
        context_.warn_once(
            {"sort_limit",
             "sort without limit keeps at most " + std::to_string(context_.limits.sort_rows_max) + " rows", 0, 0});
        context_.stop(StopReason::memory);
        return false;
      }
      Kept kept;
      std::uint64_t bytes = sizeof(Kept);
      for (std::size_t k = 0; k < fields_.size(); ++k) {
        kept.keys.emplace_back(fields_[k].read(rows, i), rules_[k]);
        bytes += kept.keys.back().bytes();
      }
      kept.ordinal = ordinal_++;
      if (shape_.is_table) {
        kept.row = std::move(rows.table[i]);
        for (const Cell& cell : kept.row) bytes += cell.bytes();
      } else {
        kept.record = rows.records[i];
        kept.batch = batch_of(rows, rows.records[i].batch);
      }
      if (worst_kept_ && comes_before(*worst_kept_, kept)) continue;
      kept_.push_back(std::move(kept));
      if (!context_.charge(bytes)) return false;
    }
    if (pipe_.limit && kept_.size() > 2 * *pipe_.limit + kSortedRowsAtOnce) keep_best(*pipe_.limit);
    return true;
  }

  std::shared_ptr<const RecordBatch> batch_of(const RowBatch& rows, const RecordBatch* batch) {
    if (last_batch_.get() == batch) return last_batch_;
    for (const auto& held : rows.held) {
      if (held.get() == batch) last_batch_ = held;
    }
    // Batches are charged once, when first met; those of dropped rows are not given back.
    context_.charge(batch->encoded().size() / 8);
    return last_batch_;
  }

  bool comes_before(const Kept& a, const Kept& b) const {
    for (std::size_t k = 0; k < a.keys.size(); ++k) {
      const std::weak_ordering order = compare_sort_values(a.keys[k], b.keys[k], pipe_.keys[k].descending);
      if (order != 0) return order < 0;
    }
    if (!step_.ties_by_position || shape_.is_table) return a.ordinal < b.ordinal;
    const RecordPosition left = a.record.position();
    const RecordPosition right = b.record.position();
    return step_.order == ScanOrder::newest_first ? right < left : left < right;
  }

  void keep_best(std::size_t count) {
    if (kept_.size() <= count) return;
    const auto surplus = kept_.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(kept_.begin(), surplus - 1, kept_.end(),
                     [this](const Kept& a, const Kept& b) { return comes_before(a, b); });
    kept_.erase(surplus, kept_.end());
    worst_kept_ = kept_.back();
  }

  RowBatch hand_on() {
    RowBatch out;
    for (; handed_on_ < kept_.size() && out.size() < kSortedRowsAtOnce; ++handed_on_) {
      Kept& kept = kept_[handed_on_];
      if (shape_.is_table) {
        out.table.push_back(std::move(kept.row));
      } else {
        out.records.push_back(kept.record);
        out.hold(kept.batch);
      }
    }
    return out;
  }

  OperatorPtr input_;
  const SortPipe pipe_;
  const SortStep step_;
  const RowShape shape_;
  QueryContext& context_;
  std::deque<RowField> fields_;
  std::vector<OrderRule> rules_;
  std::vector<Kept> kept_;
  std::optional<Kept> worst_kept_;
  std::shared_ptr<const RecordBatch> last_batch_;
  std::uint64_t ordinal_ = 0;
  std::size_t handed_on_ = 0;
  bool is_sorted_ = false;
};

}  // namespace

OperatorPtr make_sort_operator(OperatorPtr input, const SortPipe& pipe, const SortStep& step, RowShape shape,
                               QueryContext& context) {
  return std::make_unique<SortOperator>(std::move(input), pipe, step, std::move(shape), context);
}

}  // namespace dendro
