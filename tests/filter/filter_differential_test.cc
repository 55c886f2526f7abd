// The compiled filter against one that does section 5 of the language the plain way, on random records and filters.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <random>

#include "base/utf8.h"
#include "filter/compiled_filter.h"
#include "filter/list_elements.h"
#include "filter/predicate_text.h"
#include "record/fold.h"
#include "record/record_batch_builder.h"

namespace dendro {
namespace {

// ---- the plain way ----

struct PlainField {
  LeafRole role;
  std::string path;
  Value value;
};

std::vector<PlainField> plain_fields(const RecordView& record) {
  std::vector<PlainField> fields;
  record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
    if (leaf.role != LeafRole::resource && !value.is_missing())
      fields.push_back({leaf.role, std::string(leaf.path), value});
    return true;
  });
  for (const StreamLabel& label : record.stream().labels)
    fields.push_back({LeafRole::resource, std::string(label.path), label.value});
  return fields;
}

std::vector<Value> pick(const std::vector<PlainField>& fields, LeafRole role, std::string_view path) {
  std::vector<Value> values;
  for (const PlainField& field : fields) {
    if (field.role == role && (path == "*" || field.path == path)) values.push_back(field.value);
  }
  return values;
}

std::vector<Value> plain_values(const std::vector<PlainField>& fields, const std::string& name) {
  if (name == "body") {
    auto values = pick(fields, LeafRole::body, "*");
    return values.empty() ? pick(fields, LeafRole::body_part, "*") : values;
  }
  for (const LeafRole role : {LeafRole::attribute, LeafRole::body_part, LeafRole::resource}) {
    auto values = pick(fields, role, name);
    if (!values.empty()) return values;
  }
  return {};
}

bool plain_pattern(const TextPattern& pattern, const std::string& value) {
  for (std::size_t at = 0; at + pattern.text.size() <= value.size(); ++at) {
    if (value.compare(at, pattern.text.size(), pattern.text) != 0) continue;
    const std::size_t end = at + pattern.text.size();
    const bool starts = pattern.open_start || pattern.text.empty() || !is_word_char(pattern.text.front()) || at == 0 ||
                        !is_word_char(value[at - 1]);
    const bool ends = pattern.open_end || pattern.text.empty() || !is_word_char(pattern.text.back()) ||
                      end == value.size() || !is_word_char(value[end]);
    if (starts && ends) return true;
  }
  return false;
}

/// The plain way of i(): fold, look, map each folded byte back to the bytes it came from.
bool plain_folded_pattern(const TextPattern& pattern, const std::string& value) {
  const std::string wanted = folded(pattern.text);
  std::string text;
  std::vector<std::size_t> starts, ends;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t bytes = decode_utf8(std::string_view(value).substr(at)).bytes;
    append_folded(text, std::string_view(value).substr(at, bytes));
    starts.resize(text.size(), at);
    ends.resize(text.size(), at + bytes);
    at += bytes;
  }
  if (wanted.empty()) return true;
  for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
    const std::size_t first = starts[at], last = ends[at + wanted.size() - 1];
    const bool opens =
        pattern.open_start || !is_word_char(wanted.front()) || first == 0 || !is_word_char(value[first - 1]);
    const bool closes =
        pattern.open_end || !is_word_char(wanted.back()) || last == value.size() || !is_word_char(value[last]);
    if (opens && closes) return true;
  }
  return false;
}

std::string text_of(const Value& value) {
  std::string scratch;
  return std::string(value_text(value, scratch));
}

bool plain_scalar(const Condition& condition, const Value& value) {
  if (std::holds_alternative<Exists>(condition)) return !(value.is_string() && text_of(value).empty());
  if (std::holds_alternative<Empty>(condition))
    return value.type == ValueType::empty_object || (value.is_string() && text_of(value).empty());
  if (const auto* pattern = std::get_if<TextPattern>(&condition))
    return pattern->folds ? plain_folded_pattern(*pattern, text_of(value)) : plain_pattern(*pattern, text_of(value));
  if (const auto* match = std::get_if<RegexMatch>(&condition)) return match->regex->matches(text_of(value));
  if (const auto* all = std::get_if<ContainsAll>(&condition)) {
    for (const TextPattern& pattern : all->patterns) {
      if (!plain_pattern(pattern, text_of(value))) return false;
    }
    return true;
  }
  if (const auto* any = std::get_if<ContainsAny>(&condition)) {
    for (const TextPattern& pattern : any->patterns) {
      if (plain_pattern(pattern, text_of(value))) return true;
    }
    return false;
  }
  if (const auto* equals = std::get_if<Equals>(&condition)) return equals->literal.equals(value);
  if (const auto* prefix = std::get_if<BeginsWith>(&condition)) return text_of(value).starts_with(prefix->text);
  if (const auto* list = std::get_if<OneOf>(&condition)) {
    for (const Literal& literal : list->literals) {
      if (literal.equals(value)) return true;
    }
    return false;
  }
  const auto& comparison = std::get<Comparison>(condition);
  const auto order = comparison.literal.compare(value);
  if (!order) return false;
  switch (comparison.op) {
    case CompareOp::greater:
      return *order > 0;
    case CompareOp::greater_equal:
      return *order >= 0;
    case CompareOp::less:
      return *order < 0;
    case CompareOp::less_equal:
      return *order <= 0;
  }
  return false;
}

bool plain_value(const Condition& condition, const Value& value) {
  if (value.type != ValueType::list) return plain_scalar(condition, value);
  if (std::holds_alternative<Exists>(condition)) return list_has_content(value.text);
  if (std::holds_alternative<Empty>(condition) && value.text == "[]") return true;
  bool found = false;
  for_each_list_scalar(value.text, [&](const Value& element) {
    found = found || plain_scalar(condition, element);
    return true;
  });
  return found;
}

bool plain_matches(const Predicate& predicate, const RecordView& record) {
  if (std::holds_alternative<Everything>(predicate.node)) return true;
  if (const auto* all = std::get_if<AllOf>(&predicate.node)) {
    for (const Predicate& part : all->parts) {
      if (!plain_matches(part, record)) return false;
    }
    return true;
  }
  if (const auto* any = std::get_if<AnyOf>(&predicate.node)) {
    for (const Predicate& part : any->parts) {
      if (plain_matches(part, record)) return true;
    }
    return false;
  }
  if (const auto* negated = std::get_if<Negation>(&predicate.node)) return !plain_matches(*negated->operand, record);
  if (const auto* time = std::get_if<TimeTest>(&predicate.node)) return time->range.contains(record.timestamp());
  if (const auto* severity = std::get_if<SeverityTest>(&predicate.node))
    return (severity->numbers >> record.severity() & 1) != 0;
  const auto& test = std::get<FieldTest>(predicate.node);
  const auto fields = plain_fields(record);
  if (!test.field.empty()) {
    const auto values = plain_values(fields, test.field);
    if (values.empty()) return std::holds_alternative<Empty>(test.condition);
    for (const Value& value : values) {
      if (plain_value(test.condition, value)) return true;
    }
    return false;
  }
  for (const PlainField& field : fields) {
    if (field.path != kSourceLabel && plain_value(test.condition, field.value)) return true;
  }
  return false;
}

// ---- random data ----

class RandomData {
 public:
  explicit RandomData(std::uint64_t seed) : random_(seed) {}

  std::shared_ptr<const RecordBatch> batch() {
    RecordBatchBuilder builder(Timestamp(5));
    const std::uint64_t records = 1 + pick(40);
    for (std::uint64_t i = 0; i < records; ++i) add_record(builder);
    return builder.finish();
  }
  Predicate predicate(int depth) {
    switch (pick(depth > 0 ? 8 : 5)) {
      case 0:
        return Predicate{FieldTest{name(), condition()}};
      case 1:
        return Predicate{FieldTest{name(), condition()}};
      case 2:
        return Predicate{FieldTest{"", TextPattern{text(), pick(2) == 0, pick(2) == 0}}};
      case 3:
        return Predicate{SeverityTest{"severity", static_cast<std::uint32_t>(random_()) & 0x1FFFFFF}};
      case 4:
        if (pick(2) == 0) return Predicate{FieldTest{"", condition()}};
        return pick(2) == 0 ? Predicate{TimeTest{"_time", {Timestamp(20), Timestamp(70)}}}
                            : Predicate{FieldTest{"", Equals{literal()}}};
      case 5:
        return negation(predicate(depth - 1));
      case 6:
        return all_of({predicate(depth - 1), predicate(depth - 1)});
      default:
        return any_of({predicate(depth - 1), predicate(depth - 1), predicate(depth - 1)});
    }
  }

 private:
  std::uint64_t pick(std::uint64_t count) { return random_() % count; }
  std::string name() {
    static const std::vector<std::string> kNames = {"a", "b.c", "n", "body", "pod", "list", "nosuch"};
    return kNames[pick(kNames.size())];
  }
  std::string text() {
    static const std::vector<std::string> kTexts = {"error",
                                                    "err",
                                                    "a b",
                                                    "",
                                                    "12",
                                                    "1",
                                                    "true",
                                                    "e",
                                                    "x\"y",
                                                    "\xC3\xBC"
                                                    "ber",
                                                    "ber",
                                                    "5.5",
                                                    "a",
                                                    "{}",
                                                    "error a",
                                                    "ERROR",
                                                    "\xE2\x84\xAA"
                                                    "el",
                                                    "mi\xC5\xBF\xC5\xBF",
                                                    "\xFF",
                                                    "-"};
    return kTexts[pick(kTexts.size())];
  }
  std::string folding_text() {
    static const std::vector<std::string> kTexts = {"ERROR",
                                                    "Err",
                                                    "K",
                                                    "kel",
                                                    "S",
                                                    "\xC3\x9C"
                                                    "ber",
                                                    "TRUE",
                                                    "E",
                                                    "\xE2\x84\xAA",
                                                    "\xFF",
                                                    "X\"Y"};
    return kTexts[pick(kTexts.size())];
  }
  Literal literal() {
    static const std::vector<std::string> kWords = {"12", "1", "5.5", "true", "error", "a", "10ms", "0x1"};
    return pick(2) == 0 ? Literal::of_string(text()) : Literal::of_word(kWords[pick(kWords.size())]);
  }
  std::shared_ptr<const Regex> regex() {
    static const std::vector<std::string> kPatterns = {"err.*a", "(?i)ERROR", "^1",   "\\xFF",  "a b|12",
                                                       "rue$",   "[^a-z]",    "x\"y", "(?i)KEL"};
    return *Regex::compile(kPatterns[pick(kPatterns.size())]);
  }
  TextPattern pattern() { return {text(), pick(2) == 0, pick(2) == 0}; }
  Condition condition() {
    switch (pick(12)) {
      case 7:
        return RegexMatch{regex()};
      case 8:
        return ContainsAll{{pattern(), pattern()}};
      case 9:
        return ContainsAny{{pattern(), pattern()}};
      case 10:
      case 11:
        return TextPattern{folding_text(), pick(2) == 0, pick(2) == 0, true};
      case 0:
        return Exists{};
      case 1:
        return Empty{};
      case 2:
        return TextPattern{text(), pick(2) == 0, pick(2) == 0};
      case 3:
        return Equals{literal()};
      case 4:
        return BeginsWith{text()};
      case 5:
        return Comparison{static_cast<CompareOp>(pick(4)), literal()};
      default:
        return OneOf{{literal(), literal()}};
    }
  }
  Value value() {
    static const std::vector<std::string> kLists = {
        "[]", R"(["error",12])", R"(["x\"y",null])", R"([{"a":"error"}])", R"(["\u0065rror",5.5,true,""])", "[[1]]"};
    switch (pick(9)) {
      case 0:
        return Value::of_null();
      case 1:
        return Value::of_int64(static_cast<std::int64_t>(pick(14)));
      case 2:
        return Value::of_float64(5.5);
      case 3:
        return Value::of_bool(pick(2) == 0);
      case 4:
        return Value::of_list(kLists[pick(kLists.size())]);
      case 5:
        return Value::of_number_text("12.0");
      case 6:
        return Value::of_empty_object();
      default:
        break;
    }
    kept_ = text();
    while (pick(3) > 0) kept_ += (pick(2) == 0 ? " " : "") + text();
    return value_of_string(kept_);
  }
  void add_record(RecordBatchBuilder& builder) {
    builder.begin_record();
    builder.set_timestamp(Timestamp(static_cast<std::int64_t>(pick(100))));
    builder.set_severity(static_cast<SeverityNumber>(pick(25)));
    if (pick(3) > 0)
      builder.add_leaf(LeafRole::body, "body", "body", value());
    else if (pick(2) == 0)
      builder.add_leaf(LeafRole::body_part, "a", "a", value());
    for (const char* path : {"a", "b.c", "n", "list", "a"}) {
      if (pick(2) == 0) builder.add_leaf(LeafRole::attribute, path, path, value());
    }
    if (pick(3) == 0) builder.add_label("pod", Value::of_text(pick(2) == 0 ? "error" : "p1"));
    if (pick(2) == 0) builder.add_label("dendro.source", Value::of_text("error"));
    builder.end_record();
  }
  std::mt19937_64 random_;
  std::string kept_;
};

TEST(FilterDifferential, EqualsThePlainWay) {
  const char* given = std::getenv("DENDRO_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
  std::size_t matched = 0, asked = 0;
  for (std::uint64_t round = 0; round < 4000; ++round) {
    RandomData data(seed + round);
    const auto batch = data.batch();
    const Predicate predicate = data.predicate(3);
    const auto filter = compile_filter(predicate);
    std::vector<std::uint32_t> rows, expected;
    for (std::uint32_t row = 0; row < batch->size(); ++row) {
      if (round % 3 == 0 && row % 7 != 0) continue;  // few rows: the other way of searching
      rows.push_back(row);
      if (plain_matches(predicate, batch->record(row))) expected.push_back(row);
    }
    asked += rows.size();
    matched += expected.size();
    filter->select(*batch, rows);
    ASSERT_EQ(rows, expected) << "seed " << seed + round << "\n" << to_text(predicate);
  }
  EXPECT_GT(matched, asked / 10);
  EXPECT_LT(matched, asked * 9 / 10);
}

}  // namespace
}  // namespace dendro
