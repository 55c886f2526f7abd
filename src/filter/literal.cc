#include "filter/literal.h"

#include <arpa/inet.h>

#include <utility>

#include "base/base64.h"
#include "filter/time_literal.h"

namespace dendro {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 9> kSizeUnits = {{
    {"KiB", 1024.0},
    {"MiB", 1048576.0},
    {"GiB", 1073741824.0},
    {"TiB", 1099511627776.0},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"B", 1.0},
}};

bool is_texty(const Value& value) {
  return value.type == ValueType::text || value.type == ValueType::bytes;
}

std::optional<std::partial_ordering> order_of_amounts(std::optional<double> value, double literal) {
  if (!value) return std::nullopt;
  return *value <=> literal;
}

std::optional<std::partial_ordering> order_in_interval(const Value& value, const TimeRange& interval) {
  std::optional<Timestamp> instant;
  if (value.type == ValueType::time) instant = Timestamp(value.integer);
  if (value.type == ValueType::text) instant = parse_rfc3339(value.text);
  if (!instant) return std::nullopt;
  if (*instant < interval.first) return std::partial_ordering::less;
  return *instant < interval.last ? std::partial_ordering::equivalent : std::partial_ordering::greater;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (::inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  address.family = 6;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<double> parse_size_amount(std::string_view text) {
  for (const auto& [unit, factor] : kSizeUnits) {
    if (!text.ends_with(unit)) continue;
    const std::string_view numeral = text.substr(0, text.size() - unit.size());
    const bool ends_in_digit = !numeral.empty() && numeral.back() >= '0' && numeral.back() <= '9';
    const auto number = ends_in_digit ? parse_number(numeral) : std::nullopt;
    return number ? std::optional<double>(number->to_double() * factor) : std::nullopt;
  }
  return std::nullopt;
}

Literal Literal::of_string(std::string_view text) {
  Literal literal;
  literal.text_ = text;
  return literal;
}

Literal Literal::of_word(std::string_view text, std::int32_t utc_offset_s) {
  Literal literal;
  literal.text_ = text;
  literal.quoted_ = false;
  if (const auto number = parse_number(text)) {
    literal.kind_ = LiteralKind::number;
    literal.number_ = *number;
  } else if (const auto duration = parse_duration_amount(text)) {
    literal.kind_ = LiteralKind::duration;
    literal.amount_ = *duration;
  } else if (const auto size = parse_size_amount(text)) {
    literal.kind_ = LiteralKind::size;
    literal.amount_ = *size;
  } else if (const auto interval = parse_partial_time(text, utc_offset_s)) {
    literal.kind_ = LiteralKind::time;
    literal.interval_ = *interval;
    // The text must mean the same wherever it is read again.
    if (const auto in_utc = parse_partial_time(text, 0); utc_offset_s != 0 && *in_utc != *interval) {
      literal.text_ += utc_offset_text(utc_offset_s);
    }
  } else if (const auto ip = parse_ip(text)) {
    literal.kind_ = LiteralKind::ip;
    literal.ip_ = *ip;
  }
  return literal;
}

bool Literal::equals(const Value& value) const {
  if (value.is_missing()) return false;
  std::string scratch;
  if (value_text(value, scratch) == text_) return true;
  if (value.type == ValueType::bytes) {
    scratch.clear();
    append_base64(scratch, value.text);
    if (scratch == text_) return true;
  }
  if (kind_ == LiteralKind::text) return false;
  const auto order = compare(value);
  return order && *order == std::partial_ordering::equivalent;
}

std::optional<std::partial_ordering> Literal::compare(const Value& value) const {
  if (value.is_missing()) return std::nullopt;
  switch (kind_) {
    case LiteralKind::number: {
      if (value.type == ValueType::int64 && number_.is_int64()) return value.integer <=> number_.int64();
      const auto number = number_of_value(value);
      return number ? std::optional<std::partial_ordering>(*number <=> number_) : std::nullopt;
    }
    case LiteralKind::duration:
      return is_texty(value) ? order_of_amounts(parse_duration_amount(value.text), amount_) : std::nullopt;
    case LiteralKind::size:
      return is_texty(value) ? order_of_amounts(parse_size_amount(value.text), amount_) : std::nullopt;
    case LiteralKind::time:
      return order_in_interval(value, interval_);
    case LiteralKind::ip: {
      const auto ip = is_texty(value) ? parse_ip(value.text) : std::nullopt;
      if (!ip || ip->family != ip_.family) return std::nullopt;
      return std::partial_ordering(*ip <=> ip_);
    }
    case LiteralKind::text:
      break;
  }
  std::string scratch;
  return std::partial_ordering(value_text(value, scratch) <=> std::string_view(text_));
}

}  // namespace dendro
