#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "filter/number.h"
#include "record/value.h"

namespace dendro {

/// How values of one field are ordered: `severity` by rank, others by number, then text (query-language.md 6.3).
enum class OrderRule : std::uint8_t { by_value, by_severity };
OrderRule order_rule_of(std::string_view field);

/// A value made ready to be compared many times. Owns its text.
class SortValue {
 public:
  SortValue() = default;
  SortValue(const Value& value, OrderRule rule);
  /// Missing or empty: last in both directions.
  bool is_last() const { return group_ == Group::last; }
  std::size_t bytes() const { return sizeof(SortValue) + text_.size(); }
  /// As temporary files hold it.
  void append_to(std::string& out) const;
  static SortValue read(ByteReader& reader);
  /// Numbers, then text; what is last comes behind all.
  friend std::weak_ordering operator<=>(const SortValue& a, const SortValue& b);
  friend bool operator==(const SortValue& a, const SortValue& b) { return (a <=> b) == 0; }

 private:
  enum class Group : std::uint8_t { number, text, last };
  Group group_ = Group::last;
  Number number_;
  std::string text_;
};

/// The order of a key with its direction: values that are last stay last.
std::weak_ordering compare_sort_values(const SortValue& a, const SortValue& b, bool descending);

}  // namespace dendro
