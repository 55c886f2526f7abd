#include "query/rows/value_order.h"

#include "filter/field_name.h"
#include "query/spill/cell_bytes.h"
#include "record/severity.h"

namespace dendro {

OrderRule order_rule_of(std::string_view field) {
  return is_severity_name(field) ? OrderRule::by_severity : OrderRule::by_value;
}

SortValue::SortValue(const Value& value, OrderRule rule) {
  if (value.is_missing()) return;
  if (rule == OrderRule::by_severity) {
    if (const auto severity = severity_of_value(value)) {
      group_ = Group::number;
      number_ = Number::of_int64(*severity);
      return;
    }
  }
  if (const auto number = number_of_value(value)) {
    group_ = Group::number;
    number_ = *number;
    return;
  }
  append_value_text(text_, value);
  if (!text_.empty()) group_ = Group::text;
}

void SortValue::append_to(std::string& out) const {
  out.push_back(static_cast<char>(group_));
  if (group_ == Group::text) append_sized(out, text_);
  if (group_ == Group::number) append_value_bytes(out, number_.to_value());
}

SortValue SortValue::read(ByteReader& reader) {
  SortValue key;
  key.group_ = static_cast<Group>(reader.read_le<std::uint8_t>());
  if (key.group_ == Group::text) key.text_ = reader.read_sized();
  if (key.group_ != Group::number) return key;
  // Not number_of_value: a double keeps being one, whatever it equals.
  const Value value = read_value_bytes(reader);
  key.number_ = value.type == ValueType::int64    ? Number::of_int64(value.integer)
                : value.type == ValueType::uint64 ? Number::of_uint64(value.natural)
                                                  : Number::of_double(value.real);
  return key;
}

std::weak_ordering operator<=>(const SortValue& a, const SortValue& b) {
  if (a.group_ != b.group_) return a.group_ <=> b.group_;
  if (a.group_ == SortValue::Group::text) return a.text_ <=> b.text_;
  if (a.group_ == SortValue::Group::last) return std::weak_ordering::equivalent;
  const std::partial_ordering order = a.number_ <=> b.number_;
  if (order < 0) return std::weak_ordering::less;
  return order > 0 ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

std::weak_ordering compare_sort_values(const SortValue& a, const SortValue& b, bool descending) {
  if (!descending || a.is_last() || b.is_last()) return a <=> b;
  return b <=> a;
}

}  // namespace dendro
