#include "query/run/subquery_run.h"

#include <utility>

#include "filter/list_elements.h"
#include "query/edit/record_rewriter.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

Literal literal_of_value(const Value& value, std::string& scratch) {
  const bool is_number = value.type == ValueType::int64 || value.type == ValueType::uint64 ||
                         value.type == ValueType::float64 || value.type == ValueType::number_text;
  const std::string_view text = value_text(value, scratch);
  return is_number ? Literal::of_word(text) : Literal::of_string(text);
}

}  // namespace

SubqueryRun::SubqueryRun(std::shared_ptr<const QueryPlan> plan, const RunParts& parts, SubqueryTables& tables)
    : plan_(std::move(plan)), parts_(parts), tables_(tables) {
  if (!plan_->subplans.empty()) parts_.input.expect_passes();
}

/// The first one without an answer whose own have theirs.
const SubPlan* SubqueryRun::find_open(const QueryPlan& plan) const {
  for (const SubPlan& sub : plan.subplans) {
    const bool is_known = sub.use == Subquery::Use::values ? values_.contains(sub.text) : tables_.contains(sub.text);
    if (is_known) continue;
    const SubPlan* inner = find_open(*sub.plan);
    return inner != nullptr ? inner : &sub;
  }
  return nullptr;
}

Result<bool> SubqueryRun::step() {
  if (pipeline_ == nullptr) {
    const SubPlan* next = find_open(*plan_);
    if (next == nullptr) return true;
    use_ = next->use;
    text_ = next->text;
    rows_ = 0;
    found_ = OneOf();
    kept_ = std::make_shared<SubqueryRows>();
    kept_->shape = next->plan->output;
    column_ = use_ == Subquery::Use::values
                  ? std::make_unique<RowField>(only_column(*next->plan).value_or(""), kept_->shape)
                  : nullptr;
    DENDRO_TRY_ASSIGN(pipeline_, RowPipeline::open(next->plan, parts_, text_));
    return false;
  }
  // What a query inside matches is not what the query matches.
  const std::uint64_t matched = parts_.context.matched;
  auto rows = pipeline_->next();
  parts_.context.matched = matched;
  if (!rows) return rows.error();
  if (rows->has_value()) {
    DENDRO_TRY(take(**rows));
    return false;
  }
  if (!parts_.context.is_stopped()) DENDRO_TRY(finish());
  return false;
}

Status SubqueryRun::take(const RowBatch& rows) {
  rows_ += rows.size();
  if (use_ == Subquery::Use::values) {
    take_values(rows);
  } else if (kept_->shape.is_table) {
    for (const TableRow& row : rows.table) {
      std::uint64_t bytes = sizeof(TableRow);
      for (const Cell& cell : row) bytes += cell.bytes();
      parts_.context.charge(bytes);
      kept_->rows.table.push_back(row);
    }
  } else if (!rows.records.empty()) {
    // Copied, so that a few rows do not hold large batches, and without what is hidden.
    RecordRewriter rewriter(kept_->shape, FieldNeed());
    const RowEdits none;
    for (const RecordRow& row : rows.records) rewriter.add(row, none);
    parts_.context.charge(rewriter.pending_bytes() + rows.records.size() * sizeof(RecordRow));
    rewriter.take(kept_->rows);
  }
  const std::uint64_t rows_max = parts_.context.limits.subquery_rows_max;
  const std::uint64_t count = use_ == Subquery::Use::values ? found_.literals.size() : rows_;
  if (count <= rows_max) return {};
  return Error(ErrorCode::too_large, "a query inside the query gives more than " + std::to_string(rows_max) +
                                         (use_ == Subquery::Use::values ? " values" : " rows") + "; narrow it down");
}

void SubqueryRun::take_values(const RowBatch& rows) {
  std::string scratch;
  const auto add = [&](const Value& value) {
    if (!value.is_missing()) found_.literals.push_back(literal_of_value(value, scratch));
    return true;
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Value value = column_->read(rows, i);
    const std::size_t before = found_.literals.size();
    if (value.type == ValueType::list) {
      for_each_list_scalar(value.text, add);
    } else {
      add(value);
    }
    for (std::size_t n = before; n < found_.literals.size(); ++n)
      parts_.context.charge(sizeof(Literal) + 2 * found_.literals[n].text().size() + 64);
  }
}

Status SubqueryRun::finish() {
  scanned_records_ += pipeline_->scan().scanned_records();
  scanned_bytes_ += pipeline_->scan().scanned_bytes();
  pipeline_.reset();
  if (use_ == Subquery::Use::rows) {
    if (!kept_->shape.is_table) kept_->shape = RowShape();  // what was hidden is gone
    tables_[text_] = std::move(kept_);
    return {};
  }
  values_[text_] = std::move(found_);
  QueryFault fault;
  DENDRO_TRY_ASSIGN(plan_, make_plan(plan_->request, fault, &values_));
  return {};
}

}  // namespace dendro
