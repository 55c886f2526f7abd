#include <deque>

#include "query/pipes/operator.h"

namespace dendro {
namespace {

constexpr std::size_t kTailRowsAtOnce = 1024;

/// `tail n`: the last n rows, in their order.
class TailOperator final : public Operator {
 public:
  TailOperator(OperatorPtr input, std::uint64_t count, QueryContext& context)
      : input_(std::move(input)), count_(count), context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    if (count_ == 0) return std::optional<RowBatch>();
    if (!at_end_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      if (rows && take(*rows)) return std::optional<RowBatch>(RowBatch());
      at_end_ = true;
    }
    RowBatch out;
    for (; !kept_.empty() && out.size() < kTailRowsAtOnce; kept_.pop_front()) {
      Kept& kept = kept_.front();
      if (kept.batch == nullptr) {
        out.table.push_back(std::move(kept.row));
      } else {
        out.records.push_back(kept.record);
        out.hold(kept.batch);
      }
    }
    if (out.empty()) return std::optional<RowBatch>();
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  struct Kept {
    RecordRow record;
    std::shared_ptr<const RecordBatch> batch;
    TableRow row;
    std::uint64_t bytes = 0;
  };

  /// False once no more rows may come in.
  bool take(RowBatch& rows) {
    for (const RecordRow& record : rows.records) {
      Kept kept;
      kept.record = record;
      for (const auto& held : rows.held) {
        if (held.get() == record.batch) kept.batch = held;
      }
      kept.bytes = sizeof(Kept) + record.batch->encoded().size() / record.batch->size();
      if (!keep(std::move(kept))) return false;
    }
    for (TableRow& row : rows.table) {
      Kept kept;
      kept.bytes = sizeof(Kept);
      for (const Cell& cell : row) kept.bytes += cell.bytes();
      kept.row = std::move(row);
      if (!keep(std::move(kept))) return false;
    }
    return !context_.is_stopped();
  }
  bool keep(Kept kept) {
    const std::uint64_t bytes = kept.bytes;
    kept_.push_back(std::move(kept));
    if (kept_.size() > count_) {
      context_.release(kept_.front().bytes);
      kept_.pop_front();
    }
    return context_.charge(bytes);
  }

  OperatorPtr input_;
  const std::uint64_t count_;
  QueryContext& context_;
  std::deque<Kept> kept_;
  bool at_end_ = false;
};

}  // namespace

OperatorPtr make_tail_operator(OperatorPtr input, std::uint64_t count, QueryContext& context) {
  return std::make_unique<TailOperator>(std::move(input), count, context);
}

}  // namespace dendro
