#include "filter/literal_set.h"

#include <algorithm>

#include "base/base64.h"

namespace dendro {
namespace {

bool is_number_less(const Number& a, const Number& b) {
  return a < b;
}

}  // namespace

LiteralSet::LiteralSet(const std::vector<Literal>& literals) {
  for (const Literal& literal : literals) {
    texts_.insert(literal.text());
    if (literal.is_quoted() || literal.kind() == LiteralKind::text) continue;
    if (literal.kind() == LiteralKind::number) {
      numbers_.push_back(literal.number());
    } else {
      others_.push_back(literal);
    }
  }
  std::sort(numbers_.begin(), numbers_.end(), is_number_less);
}

bool LiteralSet::contains(const Value& value) const {
  if (value.is_missing()) return false;
  std::string scratch;
  if (texts_.contains(value_text(value, scratch))) return true;
  if (value.type == ValueType::bytes) {
    scratch.clear();
    append_base64(scratch, value.text);
    if (texts_.contains(scratch)) return true;
  }
  if (!numbers_.empty()) {
    const auto number = number_of_value(value);
    if (number && std::binary_search(numbers_.begin(), numbers_.end(), *number, is_number_less)) return true;
  }
  return std::any_of(others_.begin(), others_.end(),
                     [&value](const Literal& literal) { return literal.equals(value); });
}

}  // namespace dendro
