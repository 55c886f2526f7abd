#include <utility>

#include "query/pipes/operator.h"

namespace dendro {
namespace {

class TableOperator final : public Operator {
 public:
  explicit TableOperator(std::vector<TableRow> rows) { rows_.table = std::move(rows); }
  Result<std::optional<RowBatch>> next() override {
    if (is_given_) return std::optional<RowBatch>();
    is_given_ = true;
    return std::optional<RowBatch>(std::move(rows_));
  }

 private:
  RowBatch rows_;
  bool is_given_ = false;
};

}  // namespace

OperatorPtr make_table_operator(std::vector<TableRow> rows) {
  return std::make_unique<TableOperator>(std::move(rows));
}

}  // namespace dendro
