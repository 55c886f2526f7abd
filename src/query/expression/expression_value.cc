#include "query/expression/expression_value.h"

#include <cstring>
#include <utility>

#include "filter/compiled_filter.h"
#include "filter/number.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

class ConstantExpression final : public ExpressionValue {
 public:
  explicit ConstantExpression(const Expression& expression)
      : text_(expression.text), is_text_(expression.kind == Expression::Kind::text) {
    if (const auto number = parse_number(text_); number && !is_text_) number_ = number->to_value();
  }
  Value compute(const RowBatch&, std::size_t, TextArena&) override {
    return is_text_ ? value_of_string(text_) : number_;
  }

 private:
  const std::string text_;
  const bool is_text_;
  Value number_;
};

class FieldExpression final : public ExpressionValue {
 public:
  FieldExpression(const Expression& expression, const RowShape& shape) : field_(expression.text, shape) {}
  Value compute(const RowBatch& rows, std::size_t index, TextArena&) override { return field_.read(rows, index); }

 private:
  RowField field_;
};

class ArithmeticExpression final : public ExpressionValue {
 public:
  ArithmeticExpression(Expression::Kind kind, ExpressionValuePtr left, ExpressionValuePtr right)
      : kind_(kind), left_(std::move(left)), right_(std::move(right)) {}
  Value compute(const RowBatch& rows, std::size_t index, TextArena& arena) override {
    const Value left = left_->compute(rows, index, arena);
    if (left.is_missing()) return left;
    return compute_arithmetic(kind_, left, right_->compute(rows, index, arena));
  }

 private:
  const Expression::Kind kind_;
  ExpressionValuePtr left_, right_;
};

class NegatedExpression final : public ExpressionValue {
 public:
  explicit NegatedExpression(ExpressionValuePtr operand) : operand_(std::move(operand)) {}
  Value compute(const RowBatch& rows, std::size_t index, TextArena& arena) override {
    return compute_arithmetic(Expression::Kind::subtract, Value::of_int64(0), operand_->compute(rows, index, arena));
  }

 private:
  ExpressionValuePtr operand_;
};

class ConditionalExpression final : public ExpressionValue {
 public:
  ConditionalExpression(const Predicate& condition, const RowShape& shape, ExpressionValuePtr then,
                        ExpressionValuePtr otherwise)
      : condition_(compile_filter(condition)),
        shape_(shape),
        then_(std::move(then)),
        otherwise_(std::move(otherwise)) {}
  Value compute(const RowBatch& rows, std::size_t index, TextArena& arena) override {
    const bool holds = condition_->matches(RowSource(shape_, rows, index));
    return (holds ? then_ : otherwise_)->compute(rows, index, arena);
  }

 private:
  const std::shared_ptr<const CompiledFilter> condition_;
  const RowShape shape_;
  ExpressionValuePtr then_, otherwise_;
};

bool is_number_function(ScalarFunction function) {
  switch (function) {
    case ScalarFunction::round:
    case ScalarFunction::floor:
    case ScalarFunction::ceil:
    case ScalarFunction::abs:
    case ScalarFunction::min:
    case ScalarFunction::max:
    case ScalarFunction::ln:
    case ScalarFunction::exp:
    case ScalarFunction::pow:
      return true;
    default:
      return false;
  }
}

class CallExpression final : public ExpressionValue {
 public:
  CallExpression(ScalarFunction function, std::vector<ExpressionValuePtr> operands, const TimeZone& zone)
      : function_(function), operands_(std::move(operands)), zone_(zone) {}
  Value compute(const RowBatch& rows, std::size_t index, TextArena& arena) override {
    std::vector<Value> arguments;
    arguments.reserve(operands_.size());
    for (const ExpressionValuePtr& operand : operands_) arguments.push_back(operand->compute(rows, index, arena));
    const ScalarCall call{arguments, arena, zone_};
    return is_number_function(function_) ? call_number_function(function_, call) : call_text_function(function_, call);
  }

 private:
  const ScalarFunction function_;
  const std::vector<ExpressionValuePtr> operands_;
  const TimeZone& zone_;
};

}  // namespace

Value arena_text(TextArena& arena, std::string_view text) {
  if (text.empty()) return Value::of_text("");
  char* room = arena.take(text.size());
  std::memcpy(room, text.data(), text.size());
  return value_of_string({room, text.size()});
}

ExpressionValuePtr make_expression_value(const Expression& expression, const RowShape& shape, const TimeZone& zone) {
  using Kind = Expression::Kind;
  std::vector<ExpressionValuePtr> operands;
  operands.reserve(expression.operands.size());
  for (const Expression& operand : expression.operands) operands.push_back(make_expression_value(operand, shape, zone));
  switch (expression.kind) {
    case Kind::number:
    case Kind::text:
      return std::make_unique<ConstantExpression>(expression);
    case Kind::field:
      return std::make_unique<FieldExpression>(expression, shape);
    case Kind::negate:
      return std::make_unique<NegatedExpression>(std::move(operands[0]));
    case Kind::call:
      return std::make_unique<CallExpression>(expression.function, std::move(operands), zone);
    case Kind::conditional:
      return std::make_unique<ConditionalExpression>(*expression.condition, shape, std::move(operands[0]),
                                                     std::move(operands[1]));
    default:
      return std::make_unique<ArithmeticExpression>(expression.kind, std::move(operands[0]), std::move(operands[1]));
  }
}

}  // namespace dendro
