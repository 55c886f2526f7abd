#include "query/rows/value_order.h"

#include "filter/field_name.h"
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
