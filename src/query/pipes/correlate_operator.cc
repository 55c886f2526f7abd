#include <algorithm>
#include <cmath>

#include "filter/number.h"
#include "query/pipes/operator.h"
#include "query/rows/row_field.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

/// `correlate`: Pearson's r of a column with others, over the rows that have both numbers; the strongest first. Columns
/// that hold no two different numbers have none and come last.
class CorrelateOperator final : public Operator {
 public:
  CorrelateOperator(OperatorPtr input, const CorrelatePipe& pipe, const QueryStep& step, QueryContext& context)
      : input_(std::move(input)), column_(step.input.column_of(pipe.name)) {
    for (std::size_t column = 0; column < step.input.columns.size(); ++column) {
      const std::string& name = step.input.columns[column];
      const bool is_named = std::find(pipe.others.begin(), pipe.others.end(), name) != pipe.others.end();
      if (column == column_ || (!is_named && !pipe.others.empty())) continue;
      Aggregate pair;
      pair.kind = StatKind::corr;
      others_.push_back({name, column, 0, make_stat_accumulator(pair, context.limits), {}, {}});
    }
  }

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows) {
      for (const TableRow& row : rows->table) add(row);
      return std::optional<RowBatch>(RowBatch());
    }
    is_finished_ = true;
    return std::optional<RowBatch>(make_table());
  }

 private:
  struct Other {
    std::string name;
    std::size_t column = 0;
    std::int64_t rows = 0;
    StatAccumulatorPtr pair;
    Cell r;
    double strength = -1;
  };
  void add(const TableRow& row) {
    const Value value = row[column_].value();
    if (!number_of_value(value)) return;
    for (Other& other : others_) {
      const Value values[] = {value, row[other.column].value()};
      if (!number_of_value(values[1])) continue;
      other.pair->add({values, {}, 1});
      ++other.rows;
    }
  }
  RowBatch make_table() {
    for (Other& other : others_) {
      StatFinish finish;
      other.r = other.pair->finish(finish);
      other.strength = other.r.is_missing() ? -1 : std::fabs(other.r.value().real);
    }
    std::sort(others_.begin(), others_.end(), [](const Other& a, const Other& b) {
      return a.strength != b.strength ? a.strength > b.strength : a.name < b.name;
    });
    RowBatch out;
    for (const Other& other : others_)
      out.table.push_back({Cell(value_of_string(other.name)), other.r, Cell(Value::of_int64(other.rows))});
    return out;
  }

  OperatorPtr input_;
  const std::size_t column_;
  std::vector<Other> others_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_correlate_operator(OperatorPtr input, const CorrelatePipe& pipe, const QueryStep& step,
                                    QueryContext& context) {
  return std::make_unique<CorrelateOperator>(std::move(input), pipe, step, context);
}

}  // namespace dendro
