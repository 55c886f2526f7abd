#include "query/pipes/operator.h"

namespace dendro {
namespace {

/// `fields` and `drop` of a table: keeps some columns, in a new order.
class ColumnsOperator final : public Operator {
 public:
  ColumnsOperator(OperatorPtr input, std::vector<std::size_t> columns)
      : input_(std::move(input)), columns_(std::move(columns)) {}

  Result<std::optional<RowBatch>> next() override {
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (!rows) return rows;
    for (TableRow& row : rows->table) {
      TableRow kept;
      kept.reserve(columns_.size());
      for (const std::size_t column : columns_) kept.push_back(column < row.size() ? row[column] : Cell());
      row = std::move(kept);
    }
    return rows;
  }

 private:
  OperatorPtr input_;
  std::vector<std::size_t> columns_;
};

}  // namespace

OperatorPtr make_columns_operator(OperatorPtr input, std::vector<std::size_t> columns) {
  return std::make_unique<ColumnsOperator>(std::move(input), std::move(columns));
}

}  // namespace dendro
