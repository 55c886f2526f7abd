#include "storage/scan/condition_scan.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/utf8.h"
#include "codec/fuse_filter.h"
#include "storage/segment/token_filter.h"

namespace dendro {
namespace {

/// As a question about a template's text.
class PresenceQuestion final : public TextQuestion {
 public:
  explicit PresenceQuestion(bool wants_text) : wants_text_(wants_text) {}
  TemplateVerdict ask(std::string_view text, std::span<const SlotSummary>) override {
    TemplateVerdict verdict;  // a slot is never empty, so only the empty template is
    verdict.kind = text.empty() != wants_text_ ? TemplateVerdict::Kind::always : TemplateVerdict::Kind::never;
    return verdict;
  }

 private:
  const bool wants_text_;
};

TextPattern substring_pattern(std::string_view text, bool folds) {
  TextPattern pattern;
  pattern.text = text;
  pattern.open_start = pattern.open_end = true;
  pattern.folds = folds;
  return pattern;
}

Value string_value(ValueType type, std::string_view text) {
  Value value;
  value.type = type;
  value.text = text;
  return value;
}

Value integer_value(ValueType type, std::int64_t number) {
  if (type == ValueType::uint64) return Value::of_uint64(std::bit_cast<std::uint64_t>(number));
  if (type == ValueType::boolean) return Value::of_bool(number != 0);
  return Value::of_int64(number);
}

}  // namespace

Result<bool> FilterProbe::may_contain_all(const std::vector<std::uint64_t>& keys) {
  if (keys.empty() || reader_.entry().filter.is_empty()) return true;
  if (filter_ == nullptr) {
    DENDRO_TRY_ASSIGN(filter_, reader_.filter());
  }
  if (filter_->view.may_contain(kWideFormKey)) return true;
  return std::all_of(keys.begin(), keys.end(), [&](std::uint64_t key) { return filter_->view.may_contain(key); });
}

ConditionScan::ConditionScan(const Condition& condition) : condition_(condition), test_(condition) {
  if (const auto* pattern = std::get_if<TextPattern>(&condition_)) {
    question_ = make_pattern_question(*pattern);
    question_decides_ = true;
    TokenTest::Needs needs;
    needs.start_boundary = pattern->needs_start_boundary();
    needs.end_boundary = pattern->needs_end_boundary();
    needs.folds = pattern->folds;
    if (!pattern->text.empty()) pattern_.emplace(pattern->text, needs);
  } else if (const auto* regex = std::get_if<RegexMatch>(&condition_)) {
    // An expression without operators is a substring, which templates tell exactly.
    const std::string& text = regex->pattern();
    const bool is_plain = !text.empty() && text.find_first_of("\\.+*?()|[]{}^$") == std::string::npos;
    question_ = is_plain && is_valid_utf8(text) ? make_pattern_question(substring_pattern(text, false))
                                                : make_regex_question(regex->regex);
    question_decides_ = true;
  } else if (const auto* equals = std::get_if<Equals>(&condition_);
             equals != nullptr && (equals->literal.is_quoted() || equals->literal.kind() == LiteralKind::text)) {
    question_ = make_equals_question(equals->literal.text());
    question_decides_ = true;
    if (equals->literal.is_quoted()) {
      TokenKeys keys;
      keys.add_text(equals->literal.text());
      equal_keys_ = keys.keys();
    }
  } else if (std::holds_alternative<Exists>(condition_) || std::holds_alternative<Empty>(condition_)) {
    question_ = std::make_unique<PresenceQuestion>(std::holds_alternative<Exists>(condition_));
    question_decides_ = true;
  } else if (!test_.required_text().empty()) {
    question_ = make_pattern_question(substring_pattern(test_.required_text(), false));
  } else if (!test_.required_folded().text().empty()) {
    question_ = make_pattern_question(substring_pattern(test_.required_folded().text(), true));
  }
}

Status ConditionScan::find(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe, RowBitmap& rows) {
  if (!may_hold(column, reader.dictionary().columns()[column.column].type)) return {};
  RowBitmap values(column.value_count);
  DENDRO_TRY(find_values(reader, column, probe, values));
  DENDRO_TRY_ASSIGN(const auto map, reader.rows_of(column));
  if (map->is_identity) {
    rows |= values;
  } else {
    values.for_each([&](std::uint32_t value) { rows.set(map->rows[value]); });
  }
  return {};
}

/// What the directory alone says.
bool ConditionScan::may_hold(const ColumnEntry& column, ValueType type) const {
  if (column.layout == ColumnLayout::templates) return true;  // its slots have summaries of their own
  if (pattern_ && is_string_column(type) && type != ValueType::list && type != ValueType::bytes) {
    return pattern_->may_match(column.summary);
  }
  if (!is_string_column(type)) {
    if (!test_.may_match_non_text()) return false;
    if (type == ValueType::int64) {
      const auto range = integer_range();
      return !range || (range->first <= column.max && column.min <= range->second);
    }
  }
  return true;
}

Status ConditionScan::find_values(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe,
                                  RowBitmap& values) {
  const ValueType type = reader.dictionary().columns()[column.column].type;
  switch (column.layout) {
    case ColumnLayout::strings:
    case ColumnLayout::time_texts:
      return find_in_strings(reader, column, probe, values);
    case ColumnLayout::templates:
      return find_in_templates(reader, column, probe, values);
    case ColumnLayout::integers: {
      DENDRO_TRY_ASSIGN(const auto numbers, reader.integers(column));
      find_in_integers(*numbers, type, values);
      return {};
    }
    case ColumnLayout::floats: {
      DENDRO_TRY_ASSIGN(const auto numbers, reader.floats(column));
      for (std::size_t i = 0; i < numbers->values.size(); ++i) {
        if (test_.matches(Value::of_float64(numbers->values[i]))) values.set(i);
      }
      return {};
    }
    case ColumnLayout::times: {
      DENDRO_TRY_ASSIGN(const auto times, reader.times(column));
      for (std::size_t i = 0; i < times->instants.size(); ++i) {
        if (test_.matches(Value::of_time(Timestamp(times->instants[i]), times->digits[i]))) values.set(i);
      }
      return {};
    }
  }
  return {};
}

/// The integers for which the condition holds, first and last, where it is a matter of size: found by asking it, since
/// what equals or exceeds a literal is the literal's business. Nothing where it is not.
std::optional<std::pair<std::int64_t, std::int64_t>> ConditionScan::integer_range() const {
  const auto* equals = std::get_if<Equals>(&condition_);
  const auto* comparison = std::get_if<Comparison>(&condition_);
  if (equals == nullptr && comparison == nullptr) return std::nullopt;
  const Literal& literal = equals != nullptr ? equals->literal : comparison->literal;
  if (literal.kind() != LiteralKind::number || literal.is_quoted()) return std::nullopt;
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  // The first integer that is not less than the literal, and the first that is greater; nothing: there is none.
  const auto first_where = [&](auto&& holds) -> std::optional<std::int64_t> {
    std::int64_t low = kMin;
    std::int64_t high = kMax;
    if (!holds(*literal.compare(Value::of_int64(high)))) return std::nullopt;
    while (low < high) {
      const std::int64_t middle =
          low + static_cast<std::int64_t>((static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)) / 2);
      if (holds(*literal.compare(Value::of_int64(middle)))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  };
  const auto first_not_less =
      first_where([](std::partial_ordering order) { return order != std::partial_ordering::less; });
  const auto first_greater =
      first_where([](std::partial_ordering order) { return order == std::partial_ordering::greater; });
  const auto below = [&](std::optional<std::int64_t> first) -> std::pair<std::int64_t, std::int64_t> {
    if (!first) return {kMin, kMax};
    return *first == kMin ? std::pair(kMax, kMin) : std::pair(kMin, *first - 1);
  };
  const auto from = [&](std::optional<std::int64_t> first) -> std::pair<std::int64_t, std::int64_t> {
    return first ? std::pair(*first, kMax) : std::pair(kMax, kMin);
  };
  if (equals != nullptr) return std::pair(from(first_not_less).first, below(first_greater).second);
  switch (comparison->op) {
    case CompareOp::greater:
      return from(first_greater);
    case CompareOp::greater_equal:
      return from(first_not_less);
    case CompareOp::less:
      return below(first_not_less);
    case CompareOp::less_equal:
      return below(first_greater);
  }
  return std::nullopt;
}

void ConditionScan::find_in_integers(const NumberColumn<std::int64_t>& numbers, ValueType type,
                                     RowBitmap& values) const {
  const std::vector<std::int64_t>& all = numbers.values;
  if (const auto range = type == ValueType::int64 ? integer_range() : std::nullopt) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (range->first <= all[i] && all[i] <= range->second) values.set(i);
    }
    return;
  }
  // Neighbours are often equal, and asking costs far more than comparing.
  std::int64_t last = 0;
  bool last_matches = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i] != last) {
      last = all[i];
      last_matches = test_.matches(integer_value(type, last));
    }
    if (last_matches) values.set(i);
  }
}

Result<bool> ConditionScan::may_find(const RowGroupReader& reader, const ColumnEntry& column,
                                     FilterProbe& probe) const {
  if (!may_hold(column, reader.dictionary().columns()[column.column].type)) return false;
  const bool is_plain_text = column.layout == ColumnLayout::strings || column.layout == ColumnLayout::time_texts;
  return is_plain_text ? may_be_in_filter(column, probe) : true;
}

/// Of a column whose values stand in the filter as they are.
Result<bool> ConditionScan::may_be_in_filter(const ColumnEntry& column, FilterProbe& probe) const {
  if (!column.is_in_filter) return true;
  if (pattern_) return probe.may_contain_all(pattern_->filter_keys());
  return probe.may_contain_all(equal_keys_);
}

Status ConditionScan::find_in_strings(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe,
                                      RowBitmap& values) {
  const ValueType type = reader.dictionary().columns()[column.column].type;
  DENDRO_TRY_ASSIGN(const bool may_be_there, may_be_in_filter(column, probe));
  if (!may_be_there) return {};
  DENDRO_TRY_ASSIGN(const auto strings, reader.strings(column));
  return find_in_entries(*strings, type, values);
}

Status ConditionScan::find_in_entries(const StringValues& strings, ValueType type, RowBitmap& values) const {
  std::vector<std::uint32_t> entries;
  const std::size_t count = strings.entry_count();
  const std::uint32_t gap = strings.is_separated() ? 1 : 0;
  if (pattern_ && (type == ValueType::text || type == ValueType::number_text)) {
    pattern_->find(strings.text(), strings.firsts().data(), gap, 0, count, entries);
  } else {
    for (std::uint32_t entry = 0; entry < count; ++entry) {
      if (test_.matches(string_value(type, strings.entry(entry)))) entries.push_back(entry);
    }
  }
  if (strings.is_constant()) {
    if (!entries.empty()) values.set_range(0, strings.size());
  } else if (strings.has_codes()) {
    if (entries.empty()) return {};
    std::vector<std::uint8_t> matches(count, 0);
    for (const std::uint32_t entry : entries) matches[entry] = 1;
    const std::span<const std::uint16_t> codes = strings.codes();
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (matches[codes[i]] != 0) values.set(i);
    }
  } else {
    for (const std::uint32_t entry : entries) values.set(entry);
  }
  return {};
}

}  // namespace dendro
