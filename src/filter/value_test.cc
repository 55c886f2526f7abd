#include "filter/value_test.h"

#include <algorithm>
#include <span>

#include "base/base64.h"
#include "base/utf8.h"
#include "filter/list_elements.h"

namespace dendro {
namespace {

using Order = std::partial_ordering;

bool satisfies(CompareOp op, const std::optional<Order>& order) {
  if (!order || *order == Order::unordered) return false;
  switch (op) {
    case CompareOp::greater:
      return *order == Order::greater;
    case CompareOp::greater_equal:
      return *order != Order::less;
    case CompareOp::less:
      return *order == Order::less;
    case CompareOp::less_equal:
      return *order != Order::greater;
  }
  return false;
}

bool has_unit_kind(const Literal& literal) {
  return literal.kind() == LiteralKind::duration || literal.kind() == LiteralKind::size;
}

/// Characters of numbers, booleans, times and `{}`, also folded: a text with any other can be part of none of them.
bool could_be_non_text(std::string_view text) {
  return text.find_first_not_of("0123456789+-.:eEinfaTZtrulszf{}") == std::string_view::npos;
}

/// The patterns of a condition that has some.
std::span<const TextPattern> patterns_of(const Condition& condition) {
  if (const auto* pattern = std::get_if<TextPattern>(&condition)) return {pattern, 1};
  if (const auto* all = std::get_if<ContainsAll>(&condition)) return all->patterns;
  if (const auto* any = std::get_if<ContainsAny>(&condition)) return any->patterns;
  if (const auto* sequence = std::get_if<Sequence>(&condition)) return sequence->patterns;
  return {};
}

const TextPattern& longest_of(const std::vector<TextPattern>& patterns) {
  return *std::max_element(patterns.begin(), patterns.end(),
                           [](const TextPattern& a, const TextPattern& b) { return a.text.size() < b.text.size(); });
}

bool is_plain_number(const Value& value) {
  return value.type == ValueType::int64 || value.type == ValueType::uint64 || value.type == ValueType::float64 ||
         value.type == ValueType::number_text;
}

struct ScalarMatcher {
  const Value& value;
  std::span<const PatternTest> patterns;
  bool operator()(const Exists&) const {
    return !(value.is_string() && value.type != ValueType::time && value.text.empty());
  }
  bool operator()(const Empty&) const {
    return value.type == ValueType::empty_object ||
           (value.is_string() && value.type != ValueType::time && value.text.empty());
  }
  bool operator()(const TextPattern&) const {
    std::string scratch;
    return patterns.front().matches(value_text(value, scratch));
  }
  bool operator()(const Equals& equals) const { return equals.literal.equals(value); }
  bool operator()(const BeginsWith& prefix) const {
    std::string scratch;
    return value_text(value, scratch).starts_with(prefix.text);
  }
  bool operator()(const Comparison& comparison) const {
    return satisfies(comparison.op, comparison.literal.compare(value));
  }
  bool operator()(const Between& range) const {
    return satisfies(range.includes_first ? CompareOp::greater_equal : CompareOp::greater,
                     range.first.compare(value)) &&
           satisfies(range.includes_last ? CompareOp::less_equal : CompareOp::less, range.last.compare(value));
  }
  bool operator()(const OneOf& list) const {
    return std::any_of(list.literals.begin(), list.literals.end(),
                       [this](const Literal& l) { return l.equals(value); });
  }
  bool operator()(const RegexMatch& match) const {
    std::string scratch;
    return match.regex->matches(value_text(value, scratch));
  }
  bool operator()(const ContainsAll&) const {
    std::string scratch;
    const std::string_view text = value_text(value, scratch);
    return std::all_of(patterns.begin(), patterns.end(), [text](const PatternTest& p) { return p.matches(text); });
  }
  bool operator()(const ContainsAny&) const {
    std::string scratch;
    const std::string_view text = value_text(value, scratch);
    return std::any_of(patterns.begin(), patterns.end(), [text](const PatternTest& p) { return p.matches(text); });
  }
  bool operator()(const Sequence&) const {
    std::string scratch;
    const std::string_view text = value_text(value, scratch);
    // The earliest place of each leaves the most room for the next.
    std::size_t at = 0;
    for (const PatternTest& pattern : patterns) {
      at = pattern.match_end(text, at);
      if (at == std::string_view::npos) return false;
    }
    return true;
  }
  bool operator()(const LengthRange& range) const {
    std::string scratch;
    const std::size_t characters = count_code_points(value_text(value, scratch));
    return characters >= range.min && characters <= range.max;
  }
  bool operator()(const InNetwork& condition) const {
    if (!value.is_string()) return false;
    std::string scratch;
    return condition.network.stands_in(value_text(value, scratch));
  }
};

}  // namespace

ValueTest::ValueTest(Condition condition) : condition_(std::move(condition)) {
  for (const TextPattern& pattern : patterns_of(condition_)) patterns_.emplace_back(pattern);
  derive_required_text();
  if (const auto* comparison = std::get_if<Comparison>(&condition_)) has_unit_ = has_unit_kind(comparison->literal);
  if (const auto* range = std::get_if<Between>(&condition_)) {
    has_unit_ = has_unit_kind(range->first) || has_unit_kind(range->last);
  }
}

void ValueTest::require_pattern(const TextPattern& pattern) {
  if (!pattern.folds) {
    required_text_ = pattern.text;
  } else if (FoldedNeedle needle(pattern.text); needle.is_utf8()) {
    required_folded_ = std::move(needle);
  }
}

void ValueTest::derive_required_text() {
  if (const auto* pattern = std::get_if<TextPattern>(&condition_)) require_pattern(*pattern);
  if (const auto* all = std::get_if<ContainsAll>(&condition_)) require_pattern(longest_of(all->patterns));
  if (const auto* sequence = std::get_if<Sequence>(&condition_)) require_pattern(longest_of(sequence->patterns));
  if (const auto* match = std::get_if<RegexMatch>(&condition_)) {
    if (FoldedNeedle needle(match->regex->required_atom()); needle.is_utf8()) required_folded_ = std::move(needle);
  }
  if (const auto* prefix = std::get_if<BeginsWith>(&condition_)) required_text_ = prefix->text;
  if (const auto* equals = std::get_if<Equals>(&condition_)) {
    // Bytes also equal their base64, which is not what is stored.
    const bool could_be_base64 =
        equals->literal.text().size() % 4 == 0 && decode_base64(equals->literal.text()).has_value();
    if (equals->literal.kind() == LiteralKind::text && !could_be_base64) required_text_ = equals->literal.text();
  }
  const std::string_view required = required_text_.empty() ? required_folded_.text() : required_text_;
  may_match_non_text_ = required.empty() || could_be_non_text(required);
  if (std::holds_alternative<InNetwork>(condition_)) may_match_non_text_ = false;
}

bool ValueTest::matches(const Value& value) const {
  if (value.is_missing()) return matches_missing();
  if (value.type != ValueType::list) return matches_scalar(value);
  if (std::holds_alternative<Exists>(condition_)) return list_has_content(value.text);
  if (std::holds_alternative<Empty>(condition_) && value.text == "[]") return true;
  bool found = false;
  for_each_list_scalar(value.text, [&](const Value& element) {
    found = matches_scalar(element);
    return !found;
  });
  return found;
}

bool ValueTest::matches_scalar(const Value& value) const {
  return std::visit(ScalarMatcher{value, patterns_}, condition_);
}

bool ValueTest::is_unit_mismatch(const Value& value) const {
  return has_unit_ && is_plain_number(value);
}

}  // namespace dendro
