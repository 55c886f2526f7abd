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
  return {};  // those of near() stand in two members
}

const TextPattern& longest_of(const std::vector<TextPattern>& patterns) {
  return *std::max_element(patterns.begin(), patterns.end(),
                           [](const TextPattern& a, const TextPattern& b) { return a.text.size() < b.text.size(); });
}

ValueKind kind_of_value(const Value& value) {
  switch (value.type) {
    case ValueType::int64:
    case ValueType::uint64:
    case ValueType::float64:
    case ValueType::number_text:
      return ValueKind::number;
    case ValueType::boolean:
      return ValueKind::boolean;
    case ValueType::list:
    case ValueType::empty_object:
      return ValueKind::list;
    default:
      return ValueKind::string;
  }
}

/// Numbers of the words in which a pattern begins and ends, each time it occurs; rising.
struct WordSpan {
  std::size_t first = 0, last = 0;
};
std::vector<WordSpan> word_spans(std::string_view text, const PatternTest& pattern) {
  const auto count_words = [](std::string_view part) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < part.size(); ++i)
      count += is_word_char(part[i]) && (i == 0 || !is_word_char(part[i - 1]));
    return count;
  };
  const std::size_t own_words = std::max<std::size_t>(count_words(pattern.pattern().text), 1);
  std::vector<WordSpan> spans;
  std::size_t words = 0;
  std::size_t counted = 0;
  for (std::size_t end = pattern.match_end(text, 0); end != std::string_view::npos;
       end = pattern.match_end(text, end)) {
    for (; counted < end; ++counted)
      words += is_word_char(text[counted]) && (counted == 0 || !is_word_char(text[counted - 1]));
    spans.push_back({words >= own_words ? words - own_words + 1 : 0, words});
    if (pattern.pattern().text.empty()) break;
  }
  return spans;
}

bool is_near(std::string_view text, const PatternTest& first, const PatternTest& second, std::uint64_t words_max) {
  const std::vector<WordSpan> left = word_spans(text, first);
  const std::vector<WordSpan> right = word_spans(text, second);
  // The gap of two spans that do not overlap, from the end of the one to the start of the other.
  const auto fits = [words_max](const WordSpan& a, const WordSpan& b) {
    return b.first > a.last && b.first - a.last - 1 <= words_max;
  };
  std::size_t next = 0;
  for (const WordSpan& span : left) {
    while (next < right.size() && right[next].last < span.first && !fits(right[next], span)) ++next;
    for (std::size_t i = next; i < right.size(); ++i) {
      if (fits(span, right[i]) || fits(right[i], span)) return true;
      if (right[i].first > span.last) break;
    }
  }
  return false;
}

bool is_plain_number(const Value& value) {
  return value.type == ValueType::int64 || value.type == ValueType::uint64 || value.type == ValueType::float64 ||
         value.type == ValueType::number_text;
}

struct ScalarMatcher {
  const Value& value;
  std::span<const PatternTest> patterns;
  const LiteralSet& literals;
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
  bool operator()(const OneOf&) const { return literals.contains(value); }
  bool operator()(const StringRange& range) const {
    std::string scratch;
    const std::string_view text = value_text(value, scratch);
    return range.first <= text && text < range.last;
  }
  bool operator()(const TypeIs& type) const { return kind_of_value(value) == type.kind; }
  bool operator()(const PlaceholderMatch& match) const {
    std::string scratch;
    return match.regex->matches(value_text(value, scratch));
  }
  bool operator()(const Near& near) const {
    std::string scratch;
    return is_near(value_text(value, scratch), patterns[0], patterns[1], near.words);
  }
  bool operator()(const InQuery&) const { return false; }
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
  if (const auto* near = std::get_if<Near>(&condition_)) {
    patterns_.emplace_back(near->first);
    patterns_.emplace_back(near->second);
  }
  if (const auto* list = std::get_if<OneOf>(&condition_)) literals_ = LiteralSet(list->literals);
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
  if (const auto* near = std::get_if<Near>(&condition_)) require_pattern(longest_of({near->first, near->second}));
  const auto require_atom = [this](const Regex& regex) {
    if (FoldedNeedle needle(regex.required_atom()); needle.is_utf8()) required_folded_ = std::move(needle);
  };
  if (const auto* match = std::get_if<RegexMatch>(&condition_)) require_atom(*match->regex);
  if (const auto* match = std::get_if<PlaceholderMatch>(&condition_)) require_atom(*match->regex);
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
  if (value.type != ValueType::list || std::holds_alternative<TypeIs>(condition_)) return matches_scalar(value);
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
  return std::visit(ScalarMatcher{value, patterns_, literals_}, condition_);
}

bool ValueTest::is_unit_mismatch(const Value& value) const {
  return has_unit_ && is_plain_number(value);
}

}  // namespace dendro
