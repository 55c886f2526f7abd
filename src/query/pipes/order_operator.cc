// Puts records into the total order, newest first (or oldest first).
//
// O1 `waiting_` is a heap whose top comes out next. Rows that beat the input's bound are final: nothing later can come
// before
//    them. A row at the bound itself may still meet an equal time with a higher sequence, so it waits.
// O2 With `rows_needed` N, no more than about 2 N rows wait; what cannot be among the first N is dropped, and the input
// is not
//    read on once N rows came out.
// O3 Batches that rows wait in are charged. If they are much larger than their waiting rows, the rows are copied out.
#include <algorithm>
#include <map>

#include "query/pipes/operator.h"
#include "record/record_batch_builder.h"

namespace dendro {
namespace {

constexpr std::size_t kOrderedRowsAtOnce = 1024;
/// Below this nothing is copied: a few batches of 8 MiB.
constexpr std::uint64_t kCopyOutBytes = std::uint64_t{64} << 20;
constexpr std::size_t kCopyLookRows = 256;
constexpr std::size_t kCopiedBatchBytes = std::size_t{2} << 20;

class OrderOperator final : public Operator {
 public:
  OrderOperator(std::unique_ptr<ScanOperator> input, const QueryPlan& plan, bool is_ordered_input,
                QueryContext& context)
      : input_(std::move(input)),
        order_(plan.request.order),
        rows_needed_(plan.rows_needed),
        is_ordered_input_(is_ordered_input),
        context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    if (rows_needed_ != 0 && handed_on_ >= rows_needed_) return std::optional<RowBatch>();
    if (!at_end_ && !top_is_final()) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      at_end_ = !rows.has_value();
      if (rows) take(*rows);
      if (context_.is_cancelled()) return std::optional<RowBatch>();
      if (!at_end_ && !top_is_final()) return std::optional<RowBatch>(RowBatch());
    }
    RowBatch out = pop_final();
    if (out.empty() && at_end_) return std::optional<RowBatch>();
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  struct Waiting {
    RecordPosition position;
    RecordRow row;
  };
  struct HeldBatch {
    std::shared_ptr<const RecordBatch> batch;
    std::size_t rows = 0;
  };
  /// `a` comes out behind `b`.
  struct ComesLater {
    ScanOrder order;
    bool operator()(const Waiting& a, const Waiting& b) const {
      return order == ScanOrder::newest_first ? a.position < b.position : b.position < a.position;
    }
  };

  void take(const RowBatch& rows) {
    if (rows.records.empty()) return;
    const ComesLater later{order_};
    std::size_t taken = 0;
    for (const RecordRow& row : rows.records) {
      const Waiting entry{row.position(), row};
      if (worst_kept_ && later(entry, *worst_kept_)) continue;
      waiting_.push_back(entry);
      std::push_heap(waiting_.begin(), waiting_.end(), later);
      ++taken;
    }
    if (taken == 0) return;
    for (const auto& batch : rows.held) hold(batch, taken);
    drop_surplus();
    if (held_bytes_ > std::max(kCopyOutBytes, 2 * copied_bytes_)) copy_out();
  }

  void hold(const std::shared_ptr<const RecordBatch>& batch, std::size_t rows) {
    HeldBatch& held = held_[batch.get()];
    if (held.batch == nullptr) {
      held.batch = batch;
      held_bytes_ += batch->encoded().size();
      context_.charge(batch->encoded().size());
    }
    held.rows += rows;
  }
  void let_go(const RecordBatch* batch) {
    const auto held = held_.find(batch);
    if (held == held_.end() || --held->second.rows > 0) return;
    held_bytes_ -= batch->encoded().size();
    context_.release(batch->encoded().size());
    held_.erase(held);
  }

  void drop_surplus() {
    if (rows_needed_ == 0) return;
    const std::size_t wanted = rows_needed_ - handed_on_;
    if (waiting_.size() <= 2 * wanted + kOrderedRowsAtOnce) return;
    const ComesLater later{order_};
    const auto first_surplus = waiting_.begin() + static_cast<std::ptrdiff_t>(wanted);
    std::nth_element(waiting_.begin(), first_surplus - 1, waiting_.end(),
                     [&](const Waiting& a, const Waiting& b) { return later(b, a); });
    worst_kept_ = *(first_surplus - 1);
    for (auto surplus = first_surplus; surplus != waiting_.end(); ++surplus) let_go(surplus->row.batch);
    waiting_.erase(first_surplus, waiting_.end());
    std::make_heap(waiting_.begin(), waiting_.end(), later);
  }

  /// Copies the waiting rows into batches of their own; each row knows its receive time itself.
  void copy_out() {
    const std::map<const RecordBatch*, HeldBatch> old = std::move(held_);
    held_.clear();
    context_.release(held_bytes_);
    held_bytes_ = 0;
    RecordBatchBuilder builder{Timestamp()};
    std::size_t first = 0;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      if (i % kCopyLookRows == 0 && context_.is_cancelled()) {
        waiting_.clear();  // what is not copied has lost its batch
        return;
      }
      builder.append_copy(waiting_[i].row.record());
      if (builder.encoded_bytes() < kCopiedBatchBytes && i + 1 < waiting_.size()) continue;
      const std::shared_ptr<const RecordBatch> batch = builder.finish();
      for (std::size_t copied = first; copied <= i; ++copied) {
        waiting_[copied].row.batch = batch.get();
        waiting_[copied].row.row = static_cast<std::uint32_t>(copied - first);
      }
      hold(batch, i + 1 - first);
      first = i + 1;
    }
    copied_bytes_ = held_bytes_;
  }

  bool top_is_final() const {
    if (waiting_.empty()) return false;
    const Timestamp top = waiting_.front().position.timestamp;
    if (at_end_) return input_->is_exhausted() || !is_ordered_input_ || beats_bound(top);
    return beats_bound(top);
  }
  bool beats_bound(Timestamp time) const {
    return order_ == ScanOrder::newest_first ? time > input_->bound() : time < input_->bound();
  }

  RowBatch pop_final() {
    RowBatch out;
    const ComesLater later{order_};
    while (out.records.size() < kOrderedRowsAtOnce && top_is_final()) {
      if (rows_needed_ != 0 && handed_on_ >= rows_needed_) break;
      const RecordRow row = waiting_.front().row;
      std::pop_heap(waiting_.begin(), waiting_.end(), later);
      waiting_.pop_back();
      out.records.push_back(row);
      out.hold(held_.find(row.batch)->second.batch);
      let_go(row.batch);
      ++handed_on_;
    }
    return out;
  }

  std::unique_ptr<ScanOperator> input_;
  const ScanOrder order_;
  const std::uint64_t rows_needed_;  ///< 0 = all
  const bool is_ordered_input_;
  QueryContext& context_;
  bool at_end_ = false;
  std::uint64_t handed_on_ = 0;
  std::vector<Waiting> waiting_;
  std::optional<Waiting> worst_kept_;
  std::map<const RecordBatch*, HeldBatch> held_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t copied_bytes_ = 0;
};

}  // namespace

OperatorPtr make_order_operator(std::unique_ptr<ScanOperator> input, const QueryPlan& plan, bool is_ordered_input,
                                QueryContext& context) {
  return std::make_unique<OrderOperator>(std::move(input), plan, is_ordered_input, context);
}

}  // namespace dendro
