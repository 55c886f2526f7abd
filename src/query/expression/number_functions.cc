// round floor ceil abs min max ln exp pow
#include <algorithm>
#include <cmath>

#include "filter/number.h"
#include "query/expression/expression_value.h"

namespace dendro {
namespace {

Value finite_value(double number) {
  return std::isfinite(number) ? Value::of_float64(number) : Value::of_null();
}

/// A whole double as the integer it is, where it fits.
Value whole_value(double number) {
  constexpr double kInt64Bound = 9223372036854775808.0;
  if (number >= -kInt64Bound && number < kInt64Bound) return Value::of_int64(static_cast<std::int64_t>(number));
  return finite_value(number);
}

Value round_value(const Number& number, const ScalarCall& call) {
  if (call.arguments.size() == 1)
    return number.is_integer() ? number.to_value() : whole_value(std::round(number.to_double()));
  const auto digits = number_of_value(call.arguments[1]);
  constexpr std::int64_t kDigitsMax = 15;
  if (!digits || !digits->is_int64() || digits->int64() < 0 || digits->int64() > kDigitsMax) return Value::of_null();
  if (number.is_integer()) return number.to_value();
  const double scale = std::pow(10.0, static_cast<double>(digits->int64()));
  const double scaled = number.to_double() * scale;
  return finite_value(std::isfinite(scaled) ? std::round(scaled) / scale : number.to_double());
}

Value abs_value(const Number& number) {
  if (number < Number::of_int64(0)) {
    return compute_arithmetic(Expression::Kind::subtract, Value::of_int64(0), number.to_value());
  }
  return number.to_value();
}

/// The least or greatest: of the numbers if there are any, else of the texts by code point.
Value extreme_value(std::span<const Value> values, bool is_max) {
  std::optional<Number> best;
  for (const Value& value : values) {
    const auto number = number_of_value(value);
    if (number && (!best || (is_max ? *number > *best : *number < *best))) best = number;
  }
  if (best) return best->to_value();
  const Value* chosen = nullptr;
  for (const Value& value : values) {
    if (!value.is_string() || value.type == ValueType::time) continue;
    if (chosen == nullptr || (is_max ? value.text > chosen->text : value.text < chosen->text)) chosen = &value;
  }
  return chosen == nullptr ? Value::of_null() : *chosen;
}

}  // namespace

Value call_number_function(ScalarFunction function, const ScalarCall& call) {
  if (function == ScalarFunction::min || function == ScalarFunction::max)
    return extreme_value(call.arguments, function == ScalarFunction::max);
  const auto number = number_of_value(call.arguments[0]);
  if (!number) return Value::of_null();
  switch (function) {
    case ScalarFunction::round:
      return round_value(*number, call);
    case ScalarFunction::floor:
      return number->is_integer() ? number->to_value() : whole_value(std::floor(number->to_double()));
    case ScalarFunction::ceil:
      return number->is_integer() ? number->to_value() : whole_value(std::ceil(number->to_double()));
    case ScalarFunction::abs:
      return abs_value(*number);
    case ScalarFunction::ln:
      return finite_value(std::log(number->to_double()));
    case ScalarFunction::exp:
      return finite_value(std::exp(number->to_double()));
    default:
      break;
  }
  const auto exponent = number_of_value(call.arguments[1]);
  return exponent ? finite_value(std::pow(number->to_double(), exponent->to_double())) : Value::of_null();
}

}  // namespace dendro
