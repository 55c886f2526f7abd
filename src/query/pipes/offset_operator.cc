#include "query/pipes/operator.h"
#include "query/pipes/row_counts.h"

namespace dendro {
namespace {

class OffsetOperator final : public Operator {
 public:
  OffsetOperator(OperatorPtr input, std::uint64_t count, std::uint64_t counted_before, const RowCounter** counter)
      : input_(std::move(input)),
        to_skip_(count > counted_before ? count - counted_before : 0),
        counter_(counted_before, counter != nullptr) {
    if (counter != nullptr) *counter = &counter_;
  }

  Result<std::optional<RowBatch>> next() override {
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (!rows) return rows;
    counter_.add(*rows);
    const std::size_t skipped = std::min<std::uint64_t>(to_skip_, rows->size());
    const auto count = static_cast<std::ptrdiff_t>(skipped);
    if (!rows->records.empty()) rows->records.erase(rows->records.begin(), rows->records.begin() + count);
    if (!rows->table.empty()) rows->table.erase(rows->table.begin(), rows->table.begin() + count);
    to_skip_ -= skipped;
    return rows;
  }

 private:
  OperatorPtr input_;
  std::uint64_t to_skip_;
  PositionCounter counter_;
};

}  // namespace

OperatorPtr make_offset_operator(OperatorPtr input, std::uint64_t count, std::uint64_t counted_before,
                                 const RowCounter** counter) {
  return std::make_unique<OffsetOperator>(std::move(input), count, counted_before, counter);
}

}  // namespace dendro
