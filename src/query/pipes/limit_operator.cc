#include "query/pipes/operator.h"
#include "query/pipes/row_counts.h"

namespace dendro {
namespace {

class LimitOperator final : public Operator {
 public:
  LimitOperator(OperatorPtr input, std::uint64_t count, std::uint64_t counted_before, const RowCounter** counter)
      : input_(std::move(input)),
        left_(count > counted_before ? count - counted_before : 0),
        counter_(counted_before, counter != nullptr) {
    if (counter != nullptr) *counter = &counter_;
  }

  Result<std::optional<RowBatch>> next() override {
    if (left_ == 0) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (!rows) return rows;
    if (rows->records.size() > left_) rows->records.resize(left_);
    if (rows->table.size() > left_) rows->table.resize(left_);
    left_ -= rows->size();
    counter_.add(*rows);
    return rows;
  }

 private:
  OperatorPtr input_;
  std::uint64_t left_;
  PositionCounter counter_;
};

}  // namespace

OperatorPtr make_limit_operator(OperatorPtr input, std::uint64_t count, std::uint64_t counted_before,
                                const RowCounter** counter) {
  return std::make_unique<LimitOperator>(std::move(input), count, counted_before, counter);
}

}  // namespace dendro
