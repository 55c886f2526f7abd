#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/value.h"

namespace dendro {

/// A number as the language sees it: exact where it fits 64 bits, a double otherwise. Compared by value, 1 equals 1.0.
class Number {
 public:
  constexpr Number() = default;
  static constexpr Number of_int64(std::int64_t number) { return Number(Kind::int64, number, 0, 0); }
  /// Stored as int64 where it fits, so that equal numbers have one kind.
  static constexpr Number of_uint64(std::uint64_t number) {
    return number <= static_cast<std::uint64_t>(INT64_MAX) ? of_int64(static_cast<std::int64_t>(number))
                                                           : Number(Kind::uint64, 0, number, 0);
  }
  static constexpr Number of_double(double number) { return Number(Kind::real, 0, 0, number); }

  bool is_integer() const { return kind_ != Kind::real; }
  bool is_int64() const { return kind_ == Kind::int64; }
  std::int64_t int64() const { return integer_; }
  double to_double() const;
  /// int64, uint64 or float64; borrows nothing.
  Value to_value() const;

  /// Exact, also between an integer and a double.
  friend std::partial_ordering operator<=>(const Number& a, const Number& b);
  friend bool operator==(const Number& a, const Number& b) { return (a <=> b) == 0; }

 private:
  enum class Kind : std::uint8_t { int64, uint64, real };
  constexpr Number(Kind kind, std::int64_t integer, std::uint64_t natural, double real)
      : kind_(kind), integer_(integer), natural_(natural), real_(real) {}
  Kind kind_ = Kind::int64;
  std::int64_t integer_ = 0;
  std::uint64_t natural_ = 0;
  double real_ = 0;
};

/// The whole of `text` as a number literal (query-language.md 3.4): `-1_000.5e3`, `0xff`, `5M`, `2Ki`. Nothing
/// otherwise, also for numbers beyond a double.
std::optional<Number> parse_number(std::string_view text);
/// A value that is a number, or text that is one.
std::optional<Number> number_of_value(const Value& value);

}  // namespace dendro
