#include "query/pipes/operator.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// Asks row by row. Filters right behind the scan never come here: they are part of it.
class WhereOperator final : public Operator {
 public:
  WhereOperator(OperatorPtr input, std::shared_ptr<const CompiledFilter> filter, RowShape shape)
      : input_(std::move(input)), filter_(std::move(filter)), shape_(std::move(shape)) {}

  Result<std::optional<RowBatch>> next() override {
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (!rows) return rows;
    RowBatch kept;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (!filter_->matches(RowSource(shape_, *rows, i))) continue;
      if (shape_.is_table) {
        kept.table.push_back(std::move(rows->table[i]));
        rows->table[i] = TableRow(shape_.columns.size());
      } else {
        kept.records.push_back(rows->records[i]);
      }
    }
    kept.held = std::move(rows->held);
    return std::optional<RowBatch>(std::move(kept));
  }

 private:
  OperatorPtr input_;
  std::shared_ptr<const CompiledFilter> filter_;
  RowShape shape_;
};

}  // namespace

OperatorPtr make_where_operator(OperatorPtr input, std::shared_ptr<const CompiledFilter> filter, RowShape shape) {
  return std::make_unique<WhereOperator>(std::move(input), std::move(filter), std::move(shape));
}

}  // namespace dendro
