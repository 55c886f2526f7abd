#include <algorithm>

#include "query/pipes/operator.h"
#include "query/pipes/row_pipeline.h"

namespace dendro {
namespace {

constexpr std::size_t kAppendedRowsAtOnce = 1024;

/// `union`: rows of another query at their places among these, where both are records in the order of answers; else,
/// and for `append`, behind them. Columns are matched by name.
class UnionOperator final : public Operator {
 public:
  UnionOperator(OperatorPtr input, std::shared_ptr<const SubqueryRows> other, const QueryStep& step, ScanOrder order)
      : input_(std::move(input)), other_(std::move(other)), merges_(step.merges), order_(order) {
    if (!step.output.is_table) return;
    for (const std::string& column : step.output.columns) {
      own_.push_back(step.input.column_of(column));
      others_.push_back(other_->shape.column_of(column));
    }
  }

  Result<std::optional<RowBatch>> next() override {
    if (!at_end_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      if (rows) return std::optional<RowBatch>(take(std::move(*rows)));
      at_end_ = true;
    }
    RowBatch out;
    out.held = other_->rows.held;
    while (next_ < other_->rows.size() && out.size() < kAppendedRowsAtOnce) append_other(out);
    if (out.empty()) return std::optional<RowBatch>();
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  RowBatch take(RowBatch rows) {
    for (TableRow& row : rows.table) row = arranged(row, own_);
    if (!merges_ || next_ >= other_->rows.size()) return rows;
    RowBatch out;
    out.held = std::move(rows.held);
    out.held.insert(out.held.end(), other_->rows.held.begin(), other_->rows.held.end());
    for (const RecordRow& record : rows.records) {
      while (next_ < other_->rows.records.size() && comes_before(other_->rows.records[next_], record))
        append_other(out);
      out.records.push_back(record);
    }
    return out;
  }
  bool comes_before(const RecordRow& a, const RecordRow& b) const {
    return order_ == ScanOrder::newest_first ? b.position() < a.position() : a.position() < b.position();
  }
  void append_other(RowBatch& out) {
    if (other_->shape.is_table) {
      out.table.push_back(arranged(other_->rows.table[next_], others_));
    } else {
      out.records.push_back(other_->rows.records[next_]);
    }
    ++next_;
  }
  static TableRow arranged(const TableRow& row, const std::vector<std::size_t>& columns) {
    TableRow out;
    out.reserve(columns.size());
    for (const std::size_t column : columns) out.push_back(column < row.size() ? row[column] : Cell());
    return out;
  }

  OperatorPtr input_;
  const std::shared_ptr<const SubqueryRows> other_;
  const bool merges_;
  const ScanOrder order_;
  std::vector<std::size_t> own_, others_;  ///< of each column of the result
  std::size_t next_ = 0;
  bool at_end_ = false;
};

}  // namespace

OperatorPtr make_union_operator(OperatorPtr input, std::shared_ptr<const SubqueryRows> other, const QueryStep& step,
                                ScanOrder order) {
  return std::make_unique<UnionOperator>(std::move(input), std::move(other), step, order);
}

}  // namespace dendro
