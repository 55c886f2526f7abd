#include "query/language/filter_chips.h"

#include <algorithm>
#include <optional>

#include "filter/predicate_text.h"
#include "record/severity.h"

namespace dendro {
namespace {

struct ChipOp {
  std::string op, value;
};

/// The short form of a condition on a field.
struct ShortForm {
  std::optional<ChipOp> operator()(const Equals& equals) const { return ChipOp{"=", equals.literal.text()}; }
  std::optional<ChipOp> operator()(const Empty&) const { return ChipOp{"=", ""}; }
  std::optional<ChipOp> operator()(const TextPattern& pattern) const {
    if (pattern.folds || pattern.open_start || pattern.open_end) return std::nullopt;
    return ChipOp{":", pattern.text};
  }
  std::optional<ChipOp> operator()(const Comparison& comparison) const {
    static constexpr std::string_view kOps[] = {">", ">=", "<", "<="};
    return ChipOp{std::string(kOps[static_cast<std::size_t>(comparison.op)]), comparison.literal.text()};
  }
  std::optional<ChipOp> operator()(const RegexMatch& match) const { return ChipOp{"~", match.pattern()}; }
  template <typename Other>
  std::optional<ChipOp> operator()(const Other&) const {
    return std::nullopt;
  }
};

std::optional<ChipOp> severity_form(const SeverityTest& test) {
  constexpr std::uint32_t kNumbersOfAName = 4;
  for (std::uint32_t first = kSeverityTrace; first <= kSeverityFatal; first += kNumbersOfAName) {
    if (test.numbers == 0xFu << first)
      return ChipOp{"=", std::string(severity_name(static_cast<SeverityNumber>(first)))};
    const std::uint32_t from_here = ~std::uint32_t{0} << first & ((1u << (kSeverityMax + 1)) - 1);
    if (test.numbers == from_here && first != kSeverityTrace) {
      return ChipOp{">=", std::string(severity_name(static_cast<SeverityNumber>(first)))};
    }
  }
  return std::nullopt;
}

std::string negated_op(const std::string& op) {
  if (op == "=" || op == "~" || op == ":") return "!" + op;
  return {};
}

FilterChip chip_of(const FilterPart& part) {
  FilterChip chip;
  chip.first = part.place.offset;
  chip.last = part.place.offset + part.place.size;
  const auto* const negation = std::get_if<Negation>(&part.predicate.node);
  const Predicate& inner = negation != nullptr ? *negation->operand : part.predicate;
  std::optional<ChipOp> form;
  if (const auto* test = std::get_if<FieldTest>(&inner.node)) {
    chip.field = test->field;
    form = std::visit(ShortForm{}, test->condition);
  } else if (const auto* severity = std::get_if<SeverityTest>(&inner.node)) {
    chip.field = severity->field;
    form = severity_form(*severity);
  }
  if (form && negation != nullptr) form->op = negated_op(form->op);
  if (form && !form->op.empty()) {
    chip.op = std::move(form->op);
    chip.value = std::move(form->value);
  } else {
    chip.value = to_text(part.predicate);
  }
  return chip;
}

bool is_severity_field(std::string_view field) {
  return field == "severity" || field == "level";
}

/// A literal that means its text, whatever it looks like.
void append_value(std::string& out, const std::string& value) {
  const LiteralKind kind = Literal::of_word(value).kind();
  if (kind == LiteralKind::text || kind == LiteralKind::number) {
    append_query_text(out, value);
  } else {
    append_query_string(out, value);
  }
}

/// `field:=value`, without its sign.
std::string condition_text(const FilterEdit& edit) {
  std::string text;
  if (edit.field.empty()) {
    append_query_text(text, edit.value);
    return text;
  }
  append_query_name(text, edit.field);
  text.push_back(':');
  if (edit.value.empty()) {
    text += "\"\"";
  } else if (is_severity_field(edit.field) && severity_of_word(edit.value)) {
    append_query_text(text, edit.value);
  } else {
    text.push_back('=');
    append_value(text, edit.value);
  }
  return text;
}

Status check_edit(const FilterEdit& edit) {
  const bool is_known =
      edit.op == "=" || edit.op == "!=" || (edit.op == "only" && edit.action == FilterEdit::Action::add);
  if (!is_known) {
    return Error(ErrorCode::invalid_argument, "op: \"" + edit.op + "\" is none of = != " +
                                                  (edit.action == FilterEdit::Action::add ? "only" : "of a removal"));
  }
  if (edit.field == "_time" || edit.field == "_observed") {
    return Error(ErrorCode::invalid_argument, "field: the range of time is `start` and `end` of the request");
  }
  if (edit.field.empty() && edit.value.empty()) return Error(ErrorCode::invalid_argument, "value: is empty");
  return {};
}

/// Equal in field and value; free text is a word or phrase.
bool is_meant(const FilterChip& chip, const FilterEdit& edit) {
  const bool is_negated = edit.op == "!=";
  const std::string op = edit.field.empty() ? (is_negated ? "!:" : ":") : (is_negated ? "!=" : "=");
  return chip.field == edit.field && chip.op == op && chip.value == edit.value;
}

/// The text without some of its parts. A part goes with what joins it to the one behind it, or before it.
std::string without_parts(std::string_view text, const ParsedQuery& query, const std::vector<bool>& goes) {
  const std::vector<FilterPart>& parts = query.filter_parts;
  std::string kept;
  std::size_t from = query.filter_place.offset;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t end =
        i + 1 < parts.size() ? parts[i + 1].place.offset : parts[i].place.offset + parts[i].place.size;
    if (!goes[i]) kept += text.substr(from, end - from);
    from = end;
  }
  // What is left may end with a joint.
  if (!goes.empty() && goes.back()) {
    std::size_t last = goes.size();
    while (last > 0 && goes[last - 1]) --last;
    if (last > 0) {
      const std::size_t joint = parts[last].place.offset - (parts[last - 1].place.offset + parts[last - 1].place.size);
      kept.resize(kept.size() - joint);
    }
  }
  if (kept.empty()) kept = "*";
  const std::size_t filter_end = query.filter_place.offset + query.filter_place.size;
  return std::string(text.substr(0, query.filter_place.offset)) + kept + std::string(text.substr(filter_end));
}

std::string with_condition(std::string_view text, const ParsedQuery& query, const std::string& condition) {
  const QueryPart& place = query.filter_place;
  const std::string_view filter = text.substr(place.offset, place.size);
  const std::string before(text.substr(0, place.offset)), behind(text.substr(place.offset + place.size));
  if (place.size == 0) {
    // Nothing, or pipes alone.
    const bool needs_blank = !text.empty() && text.front() != ' ';
    return condition + (needs_blank ? " " : "") + std::string(text);
  }
  if (filter == "*") return before + condition + behind;
  const bool is_or = query.filter_parts.empty();
  return before + (is_or ? "(" + std::string(filter) + ")" : std::string(filter)) + " " + condition + behind;
}

}  // namespace

std::vector<FilterChip> filter_chips(const ParsedQuery& query) {
  std::vector<FilterChip> chips;
  for (const FilterPart& part : query.filter_parts) {
    const bool is_range = std::holds_alternative<TimeTest>(part.predicate.node);  // of the whole query, not a condition
    if (!is_range && !std::holds_alternative<Everything>(part.predicate.node)) chips.push_back(chip_of(part));
  }
  return chips;
}

void write_chips(JsonWriter& json, const std::vector<FilterChip>& chips) {
  json.begin_array();
  for (const FilterChip& chip : chips) {
    json.begin_object();
    json.member("field", chip.field);
    json.member("op", chip.op);
    json.member("value", chip.value);
    json.member("first", chip.first);
    json.member("last", chip.last);
    json.end_object();
  }
  json.end_array();
}

Result<std::string> edit_filter(std::string_view text, const ParsedQuery& query, const FilterEdit& edit) {
  DENDRO_TRY(check_edit(edit));
  std::vector<bool> goes;
  bool is_there = false;
  for (const FilterPart& part : query.filter_parts) {
    const FilterChip chip = chip_of(part);
    const bool is_same = is_meant(chip, {edit.action, edit.field, edit.op == "only" ? "=" : edit.op, edit.value});
    is_there = is_there || is_same;
    const bool is_replaced = edit.op == "only" && !edit.field.empty() && chip.field == edit.field && !is_same;
    goes.push_back(edit.action == FilterEdit::Action::remove ? is_same : is_replaced);
  }
  const bool changes = std::find(goes.begin(), goes.end(), true) != goes.end();
  if (edit.action == FilterEdit::Action::remove) return changes ? without_parts(text, query, goes) : std::string(text);
  if (is_there) return changes ? without_parts(text, query, goes) : std::string(text);
  const std::string condition = (edit.op == "!=" ? "-" : "") + condition_text(edit);
  if (!changes) return with_condition(text, query, condition);
  const std::string rest = without_parts(text, query, goes);
  // Its filter is what is left of the one before: as long as that, less what went.
  ParsedQuery left = query;
  left.filter_place.size = query.filter_place.size + rest.size() - text.size();
  return with_condition(rest, left, condition);
}

}  // namespace dendro
