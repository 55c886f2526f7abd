#include <deque>
#include <unordered_map>

#include "base/bytes.h"
#include "filter/number.h"
#include "query/edit/row_editors.h"
#include "query/expression/expression_value.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// `delta`: a number less the one before it, in the order of the rows, of rows with equal keys. Rows without a number
/// are passed over.
class DeltaEditor final : public RowEditor {
 public:
  DeltaEditor(const DeltaPipe& pipe, const RowShape& shape, QueryContext& context)
      : pipe_(pipe), field_(pipe.field, shape), context_(context) {
    for (const std::string& name : pipe_.names) keys_.emplace_back(name, shape);
  }
  void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) override {
    const Value value = field_.read(rows, index);
    const auto number = number_of_value(value);
    Value delta = Value::of_null();
    if (number) {
      read_key(rows, index);
      const auto [before, is_new] = before_.try_emplace(key_, *number);
      if (is_new) {
        context_.charge(key_.size() + 96);
      } else {
        delta = compute_arithmetic(Expression::Kind::subtract, number->to_value(), before->second.to_value());
        before->second = *number;
      }
    }
    edits.set(pipe_.to, delta);
  }

 private:
  void read_key(const RowBatch& rows, std::size_t index) {
    key_.clear();
    for (RowField& field : keys_) {
      const Value value = field.read(rows, index);
      key_.push_back(value.is_missing() ? '\0' : '\1');
      append_sized(key_, value.is_missing() ? std::string_view() : value_text(value, scratch_));
    }
  }

  const DeltaPipe& pipe_;
  RowField field_;
  std::deque<RowField> keys_;
  QueryContext& context_;
  std::unordered_map<std::string, Number> before_;
  std::string key_, scratch_;
};

}  // namespace

std::unique_ptr<RowEditor> make_delta_editor(const DeltaPipe& pipe, const RowShape& shape, QueryContext& context) {
  return std::make_unique<DeltaEditor>(pipe, shape, context);
}

}  // namespace dendro
