#include <map>

#include "query/pipes/operator.h"
#include "query/rows/record_fields.h"

namespace dendro {
namespace {

/// `field_names`: each name that some row has, as answers print it, and how many have it; by name.
class FieldNamesOperator final : public Operator {
 public:
  FieldNamesOperator(OperatorPtr input, const RowShape& shape, QueryContext& context)
      : input_(std::move(input)), shape_(shape), fields_(shape), context_(context) {}

  Result<std::optional<RowBatch>> next() override {
    if (is_finished_) return std::optional<RowBatch>();
    DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
    if (rows && count(*rows)) return std::optional<RowBatch>(RowBatch());
    is_finished_ = true;
    RowBatch out;
    for (const auto& [name, hits] : hits_)
      out.table.push_back({Cell(value_of_string(name)), Cell(Number::of_uint64(hits).to_value())});
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  /// False once no more rows may come in.
  bool count(const RowBatch& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (shape_.is_table) {
        for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
          if (!rows.table[i][column].is_missing()) add(shape_.columns[column], 1);
        }
      } else {
        const std::uint64_t weight = rows.records[i].weight;
        fields_.visit(rows, i, [this, weight](std::string_view name, const Value&) { add(name, weight); });
      }
      if (context_.is_stopped()) return false;
    }
    return true;
  }
  void add(std::string_view name, std::uint64_t weight) {
    auto entry = hits_.find(name);
    if (entry == hits_.end()) {
      entry = hits_.emplace(name, 0).first;
      context_.charge(name.size() + 96);
    }
    entry->second += weight;
  }

  OperatorPtr input_;
  const RowShape shape_;
  RecordFields fields_;
  QueryContext& context_;
  std::map<std::string, std::uint64_t, std::less<>> hits_;
  bool is_finished_ = false;
};

}  // namespace

OperatorPtr make_field_names_operator(OperatorPtr input, const RowShape& shape, QueryContext& context) {
  return std::make_unique<FieldNamesOperator>(std::move(input), shape, context);
}

}  // namespace dendro
