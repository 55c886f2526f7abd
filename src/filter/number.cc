#include "filter/number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace dendro {
namespace {

bool is_digit_char(char c) {
  return c >= '0' && c <= '9';
}

/// Factor of a suffix behind a number; 0 if it is none. Ki must stand before K.
std::uint64_t suffix_factor(std::string_view suffix) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 9> kFactors = {{
      {"", 1},
      {"Ki", std::uint64_t{1} << 10},
      {"Mi", std::uint64_t{1} << 20},
      {"Gi", std::uint64_t{1} << 30},
      {"Ti", std::uint64_t{1} << 40},
      {"K", 1'000},
      {"M", 1'000'000},
      {"G", 1'000'000'000},
      {"T", 1'000'000'000'000},
  }};
  for (const auto& [name, factor] : kFactors) {
    if (name == suffix) return factor;
  }
  return 0;
}

std::optional<Number> parse_hexadecimal(std::string_view digits, bool negative) {
  std::uint64_t natural = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, natural, 16);
  if (digits.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  if (!negative) return Number::of_uint64(natural);
  if (natural > static_cast<std::uint64_t>(INT64_MAX)) return Number::of_double(-static_cast<double>(natural));
  return Number::of_int64(-static_cast<std::int64_t>(natural));
}

/// Length of the decimal numeral at the front: digits with `_` between, a fraction, an exponent. 0 if there is none.
std::size_t numeral_size(std::string_view text) {
  std::size_t at = 0;
  const auto take_digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && (is_digit_char(text[at]) || (text[at] == '_' && at > first))) ++at;
    return at > first && text[at - 1] != '_';
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  if (!take_digits()) return 0;
  if (at + 1 < text.size() && text[at] == '.' && is_digit_char(text[at + 1])) {
    ++at;
    if (!take_digits()) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t before = at++;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (!take_digits()) at = before;
  }
  return at;
}

std::optional<Number> scale_integer(std::string_view digits, std::uint64_t factor) {
  const char* end = digits.data() + digits.size();
  std::int64_t integer = 0;
  std::int64_t product = 0;
  auto result = std::from_chars(digits.data(), end, integer);
  if (result.ec == std::errc() && result.ptr == end) {
    if (!__builtin_mul_overflow(integer, static_cast<std::int64_t>(factor), &product)) return Number::of_int64(product);
    return Number::of_double(static_cast<double>(integer) * static_cast<double>(factor));
  }
  std::uint64_t natural = 0;
  result = std::from_chars(digits.data(), end, natural);
  if (result.ec != std::errc() || result.ptr != end || factor != 1) return std::nullopt;
  return Number::of_uint64(natural);
}

std::partial_ordering compare_integer_to_real(std::int64_t integer, double real) {
  if (std::isnan(real)) return std::partial_ordering::unordered;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (real >= kTwoTo63) return std::partial_ordering::less;
  if (real < -kTwoTo63) return std::partial_ordering::greater;
  const double whole = std::trunc(real);
  const auto order = integer <=> static_cast<std::int64_t>(whole);
  if (order != 0) return order;
  return 0.0 <=> (real - whole);
}

std::partial_ordering compare_natural_to_real(std::uint64_t natural, double real) {
  if (std::isnan(real)) return std::partial_ordering::unordered;
  constexpr double kTwoTo64 = 18446744073709551616.0;
  if (real >= kTwoTo64) return std::partial_ordering::less;
  if (real < 0) return std::partial_ordering::greater;
  const double whole = std::trunc(real);
  const auto order = natural <=> static_cast<std::uint64_t>(whole);
  if (order != 0) return order;
  return 0.0 <=> (real - whole);
}

std::partial_ordering reversed(std::partial_ordering order) {
  return 0 <=> order;
}

}  // namespace

double Number::to_double() const {
  if (kind_ == Kind::int64) return static_cast<double>(integer_);
  return kind_ == Kind::uint64 ? static_cast<double>(natural_) : real_;
}

Value Number::to_value() const {
  if (kind_ == Kind::int64) return Value::of_int64(integer_);
  return kind_ == Kind::uint64 ? Value::of_uint64(natural_) : Value::of_float64(real_);
}

std::partial_ordering operator<=>(const Number& a, const Number& b) {
  using Kind = Number::Kind;
  if (a.kind_ == b.kind_) {
    if (a.kind_ == Kind::int64) return a.integer_ <=> b.integer_;
    return a.kind_ == Kind::uint64 ? std::partial_ordering(a.natural_ <=> b.natural_) : a.real_ <=> b.real_;
  }
  if (b.kind_ == Kind::real) {
    return a.kind_ == Kind::int64 ? compare_integer_to_real(a.integer_, b.real_)
                                  : compare_natural_to_real(a.natural_, b.real_);
  }
  if (a.kind_ == Kind::real) return reversed(b <=> a);
  return a.kind_ == Kind::int64 ? std::partial_ordering::less
                                : std::partial_ordering::greater;  // uint64 is beyond int64
}

std::optional<Number> parse_number(std::string_view text) {
  if (text.empty() || !(is_digit_char(text[0]) || text[0] == '-' || text[0] == '+')) return std::nullopt;
  const bool has_sign = text[0] == '-' || text[0] == '+';
  const std::string_view unsigned_text = has_sign ? text.substr(1) : text;
  if (unsigned_text.starts_with("0x") || unsigned_text.starts_with("0X")) {
    return parse_hexadecimal(unsigned_text.substr(2), text[0] == '-');
  }
  const std::size_t size = numeral_size(text);
  const std::uint64_t factor = size == 0 ? 0 : suffix_factor(text.substr(size));
  if (factor == 0) return std::nullopt;
  std::string_view numeral = text.substr(0, size);
  if (numeral[0] == '+') numeral.remove_prefix(1);
  std::string compact;
  if (numeral.find('_') != std::string_view::npos) {
    for (const char c : numeral) {
      if (c != '_') compact.push_back(c);
    }
    numeral = compact;
  }
  if (numeral.find_first_of(".eE") == std::string_view::npos) {
    if (const auto integer = scale_integer(numeral, factor)) return integer;
  }
  double real = 0;
  const auto result = std::from_chars(numeral.data(), numeral.data() + numeral.size(), real);
  if (result.ec != std::errc()) return std::nullopt;
  const double product = real * static_cast<double>(factor);
  return std::isfinite(product) ? std::optional<Number>(Number::of_double(product)) : std::nullopt;
}

std::optional<Number> number_of_value(const Value& value) {
  switch (value.type) {
    case ValueType::int64:
      return Number::of_int64(value.integer);
    case ValueType::uint64:
      return Number::of_uint64(value.natural);
    case ValueType::float64:
      return Number::of_double(value.real);
    case ValueType::number_text:
    case ValueType::text:
      return parse_number(value.text);
    default:
      return std::nullopt;
  }
}

}  // namespace dendro
