// The frame around every pipe that changes rows one by one: condition, edits, records or table rows made anew.
#include "query/edit/record_rewriter.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// Rows made of one batch before it is left for later: unroll makes many of one.
constexpr std::size_t kRewrittenBytesAtOnce = std::size_t{8} << 20;
constexpr std::size_t kRewrittenRowsAtOnce = 4'096;

class RewriteOperator final : public Operator {
 public:
  RewriteOperator(OperatorPtr input, std::unique_ptr<RowEditor> editor, const QueryStep& step)
      : input_(std::move(input)),
        editor_(std::move(editor)),
        condition_(step.filter),
        input_shape_(step.input),
        output_shape_(step.output),
        rewriter_(step.input, step.need) {
    for (const std::string& column : output_shape_.columns) sources_.push_back(input_shape_.column_of(column));
  }

  Result<std::optional<RowBatch>> next() override {
    if (!rows_) {
      DENDRO_TRY_ASSIGN(rows_, input_->next());
      if (!rows_) return std::optional<RowBatch>();
      row_ = 0;
    }
    return std::optional<RowBatch>(input_shape_.is_table ? next_of_table() : next_of_records());
  }

 private:
  /// Fills edits_ for the row; false if it stays as it is.
  bool edit(std::size_t index) {
    edits_.clear();
    if (condition_ != nullptr && !condition_->matches(RowSource(input_shape_, *rows_, index))) return false;
    editor_->edit(*rows_, index, edits_);
    return true;
  }
  bool edit_again(std::size_t index) {
    edits_.clear();
    return editor_->edit_again(*rows_, index, edits_);
  }

  RowBatch next_of_records() {
    RowBatch out;
    // As long as nothing changes, records pass as they are; hidden fields must not come back, so they are left behind.
    std::size_t unchanged = row_;
    bool was_edited = false;
    const bool may_pass = row_ == 0 && input_shape_.projections.empty();
    for (; may_pass && unchanged < rows_->records.size(); ++unchanged) {
      was_edited = edit(unchanged);
      if (was_edited && !edits_.empty()) break;
    }
    if (may_pass && unchanged == rows_->records.size()) {
      out = std::move(*rows_);
      rows_.reset();
      return out;
    }
    // It has its edits already: an editor that remembers rows must see each once.
    const std::size_t first_edited = unchanged;
    for (; row_ < rows_->records.size(); ++row_) {
      if (rewriter_.pending_bytes() > kRewrittenBytesAtOnce || rewriter_.pending_rows() >= kRewrittenRowsAtOnce) break;
      const RecordRow& record = rows_->records[row_];
      if (may_pass && row_ < first_edited) {
        rewriter_.add(record, no_edits_);
        continue;
      }
      const bool is_edited = (may_pass && row_ == first_edited) || edit(row_);
      if (edits_.is_dropped()) continue;
      rewriter_.add(record, edits_);
      while (is_edited && edit_again(row_)) rewriter_.add(record, edits_);
    }
    rewriter_.take(out);
    if (row_ >= rows_->records.size()) rows_.reset();
    return out;
  }

  RowBatch next_of_table() {
    RowBatch out;
    for (; row_ < rows_->table.size() && out.table.size() < kRewrittenRowsAtOnce; ++row_) {
      const bool is_edited = edit(row_);
      if (edits_.is_dropped()) continue;
      out.table.push_back(make_row(rows_->table[row_]));
      while (is_edited && edit_again(row_)) out.table.push_back(make_row(rows_->table[row_]));
    }
    if (row_ >= rows_->table.size()) rows_.reset();
    return out;
  }

  TableRow make_row(const TableRow& from) const {
    TableRow row;
    row.reserve(output_shape_.columns.size());
    for (std::size_t column = 0; column < output_shape_.columns.size(); ++column) {
      row.push_back(sources_[column] < from.size() ? from[sources_[column]] : Cell());
      for (const RowEdits::Edit& edit : edits_.list()) {
        if (edit.name == output_shape_.columns[column]) row.back() = Cell(edit.value);
      }
    }
    return row;
  }

  OperatorPtr input_;
  std::unique_ptr<RowEditor> editor_;
  const std::shared_ptr<const CompiledFilter> condition_;
  const RowShape input_shape_;
  const RowShape output_shape_;
  std::vector<std::size_t> sources_;  ///< of each output column; beyond the row: none
  RecordRewriter rewriter_;
  RowEdits edits_;
  const RowEdits no_edits_{};
  std::optional<RowBatch> rows_;
  std::size_t row_ = 0;
};

}  // namespace

OperatorPtr make_rewrite_operator(OperatorPtr input, std::unique_ptr<RowEditor> editor, const QueryStep& step) {
  return std::make_unique<RewriteOperator>(std::move(input), std::move(editor), step);
}

}  // namespace dendro
