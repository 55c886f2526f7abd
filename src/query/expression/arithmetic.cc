#include <cmath>

#include "filter/number.h"
#include "query/expression/expression_value.h"

namespace dendro {
namespace {

__extension__ using WideInteger = __int128;

WideInteger wide_integer(const Number& number) {
  const Value value = number.to_value();
  return value.type == ValueType::uint64 ? static_cast<WideInteger>(value.natural)
                                         : static_cast<WideInteger>(value.integer);
}

/// An integer that fits 64 bits, signed or not; else a double (6.4).
Value value_of_wide(WideInteger number) {
  if (number >= INT64_MIN && number <= INT64_MAX) return Value::of_int64(static_cast<std::int64_t>(number));
  if (number > 0 && number <= UINT64_MAX) return Value::of_uint64(static_cast<std::uint64_t>(number));
  return Value::of_float64(static_cast<double>(number));
}

Value value_of_real(double number) {
  return std::isfinite(number) ? Value::of_float64(number) : Value::of_null();
}

Value integer_result(Expression::Kind kind, WideInteger a, WideInteger b) {
  WideInteger product = 0;
  switch (kind) {
    case Expression::Kind::add:
      return value_of_wide(a + b);
    case Expression::Kind::subtract:
      return value_of_wide(a - b);
    case Expression::Kind::multiply:
      if (__builtin_mul_overflow(a, b, &product)) return value_of_real(static_cast<double>(a) * static_cast<double>(b));
      return value_of_wide(product);
    default:
      return value_of_wide(a % b);
  }
}

Value real_result(Expression::Kind kind, double a, double b) {
  switch (kind) {
    case Expression::Kind::add:
      return value_of_real(a + b);
    case Expression::Kind::subtract:
      return value_of_real(a - b);
    case Expression::Kind::multiply:
      return value_of_real(a * b);
    case Expression::Kind::divide:
      return value_of_real(a / b);
    default:
      return value_of_real(std::fmod(a, b));
  }
}

}  // namespace

Value compute_arithmetic(Expression::Kind kind, const Value& a, const Value& b) {
  const auto left = number_of_value(a);
  const auto right = number_of_value(b);
  if (!left || !right) return Value::of_null();
  const bool divides = kind == Expression::Kind::divide || kind == Expression::Kind::modulo;
  if (divides && right->to_double() == 0) return Value::of_null();
  if (left->is_integer() && right->is_integer() && kind != Expression::Kind::divide)
    return integer_result(kind, wide_integer(*left), wide_integer(*right));
  return real_result(kind, left->to_double(), right->to_double());
}

}  // namespace dendro
