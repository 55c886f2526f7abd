#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/timestamp.h"
#include "filter/number.h"
#include "record/value.h"

namespace dendro {

/// What an unquoted literal is (query-language.md 3.4, 6.1). A quoted one is always text.
enum class LiteralKind : std::uint8_t { text, number, duration, size, time, ip };

struct IpAddress {
  std::uint8_t family = 4;  ///< 4 or 6
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};
std::optional<IpAddress> parse_ip(std::string_view text);

/// A literal of a comparison, a range, `=` or `in`, with what it means. Two are equal if they were written alike.
class Literal {
 public:
  /// As it stood in the query. `utc_offset_s` reads times without a zone.
  static Literal of_word(std::string_view text, std::int32_t utc_offset_s = 0);
  static Literal of_string(std::string_view text);

  LiteralKind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  bool is_quoted() const { return quoted_; }
  const Number& number() const { return number_; }
  double amount() const { return amount_; }                ///< duration: ns; size: bytes
  const TimeRange& interval() const { return interval_; }  ///< time
  const IpAddress& ip() const { return ip_; }

  /// True if this literal and `value` are of one kind and equal, or have the same text (6.2).
  bool equals(const Value& value) const;
  /// Order of the value against this literal; nothing if the value takes no part (6.1). Of a time literal, `less` means
  /// before its interval, `equivalent` inside it, `greater` behind it.
  std::optional<std::partial_ordering> compare(const Value& value) const;

  friend bool operator==(const Literal& a, const Literal& b) {
    return a.quoted_ == b.quoted_ && a.text_ == b.text_ && a.interval_ == b.interval_;
  }

 private:
  std::string text_;
  bool quoted_ = true;
  LiteralKind kind_ = LiteralKind::text;
  Number number_;
  double amount_ = 0;
  TimeRange interval_;
  IpAddress ip_;
};

/// Bytes of `1.5GiB`, `10KB`, `5B`; nothing otherwise.
std::optional<double> parse_size_amount(std::string_view text);

}  // namespace dendro
