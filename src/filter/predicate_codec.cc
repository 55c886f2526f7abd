// The form of a predicate on disk, a table by kind: the writer and the reader of each node and condition, which must
// agree, in one file.
#include "filter/predicate_codec.h"

#include <utility>

#include "base/bytes.h"
#include "filter/placeholder_regex.h"

namespace dendro {
namespace {

/// Numbers are on disk (docs/formats/predicate.md).
enum class NodeTag : std::uint8_t {
  everything = 1,
  all_of = 2,
  any_of = 3,
  negation = 4,
  field_test = 5,
  severity_test = 6,
  time_test = 7,
  label_test = 8,
  label_match = 9,
  field_comparison = 10,
  clock_test = 11,
};
enum class ConditionTag : std::uint8_t {
  exists = 1,
  empty = 2,
  text_pattern = 3,
  equals = 4,
  begins_with = 5,
  comparison = 6,
  between = 7,
  one_of = 8,
  regex_match = 9,
  contains_all = 10,
  contains_any = 11,
  sequence = 12,
  length_range = 13,
  in_network = 14,
  string_range = 15,
  type_is = 16,
  placeholder_match = 17,
  near = 18,
  in_query = 19,  ///< never read: such a filter has no meaning by itself
};

template <typename Enum>
void append_enum(std::string& out, Enum value) {
  out.push_back(static_cast<char>(value));
}

void append_flag(std::string& out, bool flag) {
  out.push_back(flag ? '\1' : '\0');
}

void encode_literal(std::string& out, const Literal& literal) {
  append_flag(out, literal.is_quoted());
  append_sized(out, literal.text());
}

void encode_pattern(std::string& out, const TextPattern& pattern) {
  out.push_back(static_cast<char>((pattern.open_start ? 1 : 0) | (pattern.open_end ? 2 : 0) | (pattern.folds ? 4 : 0)));
  append_sized(out, pattern.text);
}

void encode_patterns(std::string& out, const std::vector<TextPattern>& patterns) {
  append_varint(out, patterns.size());
  for (const TextPattern& pattern : patterns) encode_pattern(out, pattern);
}

void encode_range(std::string& out, const TimeRange& range) {
  append_le(out, range.first.number());
  append_le(out, range.last.number());
}

struct ConditionEncoder {
  std::string& out;
  void operator()(const Exists&) const { append_enum(out, ConditionTag::exists); }
  void operator()(const Empty&) const { append_enum(out, ConditionTag::empty); }
  void operator()(const TextPattern& pattern) const {
    append_enum(out, ConditionTag::text_pattern);
    encode_pattern(out, pattern);
  }
  void operator()(const Equals& equals) const {
    append_enum(out, ConditionTag::equals);
    encode_literal(out, equals.literal);
  }
  void operator()(const BeginsWith& prefix) const {
    append_enum(out, ConditionTag::begins_with);
    append_sized(out, prefix.text);
  }
  void operator()(const Comparison& comparison) const {
    append_enum(out, ConditionTag::comparison);
    append_enum(out, comparison.op);
    encode_literal(out, comparison.literal);
  }
  void operator()(const Between& range) const {
    append_enum(out, ConditionTag::between);
    append_flag(out, range.includes_first);
    append_flag(out, range.includes_last);
    encode_literal(out, range.first);
    encode_literal(out, range.last);
  }
  void operator()(const OneOf& list) const {
    append_enum(out, ConditionTag::one_of);
    append_varint(out, list.literals.size());
    for (const Literal& literal : list.literals) encode_literal(out, literal);
  }
  void operator()(const RegexMatch& match) const {
    append_enum(out, ConditionTag::regex_match);
    append_sized(out, match.pattern());
  }
  void operator()(const ContainsAll& all) const {
    append_enum(out, ConditionTag::contains_all);
    encode_patterns(out, all.patterns);
  }
  void operator()(const ContainsAny& any) const {
    append_enum(out, ConditionTag::contains_any);
    encode_patterns(out, any.patterns);
  }
  void operator()(const Sequence& sequence) const {
    append_enum(out, ConditionTag::sequence);
    encode_patterns(out, sequence.patterns);
  }
  void operator()(const LengthRange& range) const {
    append_enum(out, ConditionTag::length_range);
    append_le(out, range.min);
    append_le(out, range.max);
  }
  void operator()(const InNetwork& condition) const {
    append_enum(out, ConditionTag::in_network);
    append_sized(out, condition.network.text());
  }
  void operator()(const StringRange& range) const {
    append_enum(out, ConditionTag::string_range);
    append_sized(out, range.first);
    append_sized(out, range.last);
  }
  void operator()(const TypeIs& type) const {
    append_enum(out, ConditionTag::type_is);
    append_enum(out, type.kind);
  }
  void operator()(const PlaceholderMatch& match) const {
    append_enum(out, ConditionTag::placeholder_match);
    append_sized(out, match.text);
  }
  void operator()(const Near& near) const {
    append_enum(out, ConditionTag::near);
    encode_pattern(out, near.first);
    encode_pattern(out, near.second);
    append_le(out, near.words);
  }
  void operator()(const InQuery& in) const {
    append_enum(out, ConditionTag::in_query);
    append_sized(out, in.query);
  }
};

struct NodeEncoder {
  std::string& out;
  void encode(const Predicate& predicate) const { std::visit(*this, predicate.node); }
  void operator()(const Everything&) const { append_enum(out, NodeTag::everything); }
  void operator()(const AllOf& all) const { encode_parts(NodeTag::all_of, all.parts); }
  void operator()(const AnyOf& any) const { encode_parts(NodeTag::any_of, any.parts); }
  void operator()(const Negation& negated) const {
    append_enum(out, NodeTag::negation);
    encode(*negated.operand);
  }
  void operator()(const FieldTest& test) const {
    append_enum(out, NodeTag::field_test);
    append_sized(out, test.field);
    std::visit(ConditionEncoder{out}, test.condition);
  }
  void operator()(const SeverityTest& test) const {
    append_enum(out, NodeTag::severity_test);
    append_sized(out, test.field);
    append_le(out, test.numbers);
  }
  void operator()(const TimeTest& test) const {
    append_enum(out, NodeTag::time_test);
    append_sized(out, test.field);
    encode_range(out, test.range);
  }
  void operator()(const LabelTest& test) const {
    append_enum(out, NodeTag::label_test);
    append_sized(out, test.name);
    append_sized(out, test.text);
  }
  void operator()(const LabelMatch& test) const {
    append_enum(out, NodeTag::label_match);
    append_sized(out, test.name);
    append_sized(out, test.regex->pattern());
  }
  void operator()(const FieldComparison& comparison) const {
    append_enum(out, NodeTag::field_comparison);
    append_sized(out, comparison.field);
    append_enum(out, comparison.order);
    append_sized(out, comparison.other);
  }
  void operator()(const ClockTest& test) const {
    append_enum(out, NodeTag::clock_test);
    append_sized(out, test.field);
    append_enum(out, test.cycle);
    append_le(out, test.first_ns);
    append_le(out, test.last_ns);
    append_sized(out, test.zone->name());
  }

 private:
  void encode_parts(NodeTag tag, const std::vector<Predicate>& parts) const {
    append_enum(out, tag);
    append_varint(out, parts.size());
    for (const Predicate& part : parts) encode(part);
  }
};

class PredicateDecoder {
 public:
  explicit PredicateDecoder(std::string_view bytes) : reader_(bytes) {}

  Result<Predicate> decode() {
    const auto version = reader_.read_le<std::uint8_t>();
    if (version != kPredicateCodecVersion) return unknown("version", version);
    DENDRO_TRY_ASSIGN(Predicate predicate, node(0));
    if (!reader_.ok() || !reader_.at_end()) return damage("has a wrong size");
    return predicate;
  }

 private:
  static Error damage(const std::string& what) { return Error(ErrorCode::corruption, "predicate: " + what); }
  static Error unknown(const std::string& what, unsigned number) {
    return Error(ErrorCode::unimplemented,
                 "predicate: " + what + " " + std::to_string(number) + " is of a later version");
  }
  std::string text() { return std::string(reader_.read_sized()); }
  bool flag() { return reader_.read_le<std::uint8_t>() != 0; }
  Literal literal() {
    const bool is_quoted = flag();
    const std::string_view written = reader_.read_sized();
    return is_quoted ? Literal::of_string(written) : Literal::of_word(written);
  }
  TextPattern pattern() {
    const auto flags = reader_.read_le<std::uint8_t>();
    TextPattern read;
    read.open_start = (flags & 1) != 0;
    read.open_end = (flags & 2) != 0;
    read.folds = (flags & 4) != 0;
    read.text = text();
    return read;
  }
  /// Each element takes a byte at least, so that a false count cannot make anyone allocate.
  Result<std::size_t> count(std::size_t min) {
    const std::uint64_t number = reader_.read_varint();
    if (number < min || number > reader_.remaining()) return damage("a false count");
    return static_cast<std::size_t>(number);
  }
  Result<std::vector<TextPattern>> patterns() {
    DENDRO_TRY_ASSIGN(const std::size_t size, count(1));
    std::vector<TextPattern> list;
    for (std::size_t i = 0; i < size; ++i) list.push_back(pattern());
    return list;
  }
  Result<std::shared_ptr<const Regex>> regex() {
    Result<std::shared_ptr<const Regex>> compiled = Regex::compile(reader_.read_sized());
    if (!compiled) return damage(compiled.error().message());
    return compiled;
  }

  Result<Condition> condition() {
    const auto tag = reader_.read_le<std::uint8_t>();
    switch (static_cast<ConditionTag>(tag)) {
      case ConditionTag::exists:
        return Condition(Exists{});
      case ConditionTag::empty:
        return Condition(Empty{});
      case ConditionTag::text_pattern:
        return Condition(pattern());
      case ConditionTag::equals:
        return Condition(Equals{literal()});
      case ConditionTag::begins_with:
        return Condition(BeginsWith{text()});
      case ConditionTag::comparison:
        return comparison();
      case ConditionTag::between:
        return between();
      case ConditionTag::one_of:
        return one_of();
      case ConditionTag::regex_match: {
        DENDRO_TRY_ASSIGN(std::shared_ptr<const Regex> compiled, regex());
        return Condition(RegexMatch{std::move(compiled)});
      }
      case ConditionTag::contains_all: {
        DENDRO_TRY_ASSIGN(std::vector<TextPattern> list, patterns());
        return Condition(ContainsAll{std::move(list)});
      }
      case ConditionTag::contains_any: {
        DENDRO_TRY_ASSIGN(std::vector<TextPattern> list, patterns());
        return Condition(ContainsAny{std::move(list)});
      }
      case ConditionTag::sequence: {
        DENDRO_TRY_ASSIGN(std::vector<TextPattern> list, patterns());
        return Condition(Sequence{std::move(list)});
      }
      case ConditionTag::length_range: {
        const auto min = reader_.read_le<std::uint64_t>();
        return Condition(LengthRange{min, reader_.read_le<std::uint64_t>()});
      }
      case ConditionTag::in_network: {
        const auto network = IpNetwork::parse(reader_.read_sized());
        return network ? Result<Condition>(Condition(InNetwork{*network})) : damage("a false network");
      }
      case ConditionTag::string_range: {
        std::string first = text();
        return Condition(StringRange{std::move(first), text()});
      }
      case ConditionTag::type_is: {
        const auto kind = reader_.read_le<std::uint8_t>();
        if (kind > static_cast<std::uint8_t>(ValueKind::list)) return damage("a false type");
        return Condition(TypeIs{static_cast<ValueKind>(kind)});
      }
      case ConditionTag::placeholder_match: {
        std::string written = text();
        Result<std::shared_ptr<const Regex>> compiled = compile_placeholders(written);
        if (!compiled) return damage(compiled.error().message());
        return Condition(PlaceholderMatch{std::move(written), std::move(*compiled)});
      }
      case ConditionTag::near: {
        TextPattern first = pattern();
        TextPattern second = pattern();
        return Condition(Near{std::move(first), std::move(second), reader_.read_le<std::uint64_t>()});
      }
      case ConditionTag::in_query:
        return Error(ErrorCode::unimplemented, "predicate: a query inside in( ) cannot be kept");
    }
    return reader_.ok() ? unknown("condition", tag) : damage("ends early");
  }

  Result<Condition> comparison() {
    const auto op = reader_.read_le<std::uint8_t>();
    if (op > static_cast<std::uint8_t>(CompareOp::less_equal)) return damage("a false comparison");
    return Condition(Comparison{static_cast<CompareOp>(op), literal()});
  }

  Result<Condition> between() {
    const bool includes_first = flag();
    const bool includes_last = flag();
    Literal first = literal();
    return Condition(Between{std::move(first), literal(), includes_first, includes_last});
  }

  Result<Condition> one_of() {
    DENDRO_TRY_ASSIGN(const std::size_t size, count(0));
    OneOf list;
    for (std::size_t i = 0; i < size; ++i) list.literals.push_back(literal());
    return Condition(std::move(list));
  }

  Result<std::vector<Predicate>> parts(int depth) {
    DENDRO_TRY_ASSIGN(const std::size_t size, count(2));
    std::vector<Predicate> list;
    for (std::size_t i = 0; i < size; ++i) {
      DENDRO_TRY_ASSIGN(Predicate part, node(depth + 1));
      list.push_back(std::move(part));
    }
    return list;
  }

  Result<Predicate> node(int depth) {
    if (depth > kPredicateDepthMax) return damage("nested too deep");
    const auto tag = reader_.read_le<std::uint8_t>();
    switch (static_cast<NodeTag>(tag)) {
      case NodeTag::everything:
        return Predicate{Everything{}};
      case NodeTag::all_of: {
        DENDRO_TRY_ASSIGN(std::vector<Predicate> list, parts(depth));
        return Predicate{AllOf{std::move(list)}};
      }
      case NodeTag::any_of: {
        DENDRO_TRY_ASSIGN(std::vector<Predicate> list, parts(depth));
        return Predicate{AnyOf{std::move(list)}};
      }
      case NodeTag::negation: {
        DENDRO_TRY_ASSIGN(Predicate operand, node(depth + 1));
        return Predicate{Negation{std::make_shared<const Predicate>(std::move(operand))}};
      }
      case NodeTag::field_test: {
        std::string field = text();
        DENDRO_TRY_ASSIGN(Condition test, condition());
        return Predicate{FieldTest{std::move(field), std::move(test)}};
      }
      case NodeTag::severity_test: {
        std::string field = text();
        return Predicate{SeverityTest{std::move(field), reader_.read_le<std::uint32_t>()}};
      }
      case NodeTag::time_test: {
        std::string field = text();
        const Timestamp first(reader_.read_le<std::int64_t>());
        return Predicate{TimeTest{std::move(field), {first, Timestamp(reader_.read_le<std::int64_t>())}}};
      }
      case NodeTag::label_test: {
        std::string name = text();
        return Predicate{LabelTest{std::move(name), text()}};
      }
      case NodeTag::label_match: {
        std::string name = text();
        DENDRO_TRY_ASSIGN(std::shared_ptr<const Regex> compiled, regex());
        return Predicate{LabelMatch{std::move(name), std::move(compiled)}};
      }
      case NodeTag::field_comparison:
        return field_comparison();
      case NodeTag::clock_test:
        return clock_test();
    }
    return reader_.ok() ? unknown("node", tag) : damage("ends early");
  }

  Result<Predicate> clock_test() {
    ClockTest test;
    test.field = text();
    const auto cycle = reader_.read_le<std::uint8_t>();
    if (cycle > static_cast<std::uint8_t>(ClockTest::Cycle::week)) return damage("a false cycle");
    test.cycle = static_cast<ClockTest::Cycle>(cycle);
    test.first_ns = reader_.read_le<std::int64_t>();
    test.last_ns = reader_.read_le<std::int64_t>();
    if (test.first_ns < 0 || test.last_ns < 0 || test.first_ns > 8 * kNanosPerDay || test.last_ns > 8 * kNanosPerDay)
      return damage("a false time of day");
    DENDRO_TRY_ASSIGN(test.zone, TimeZone::find(reader_.read_sized()));
    return Predicate{std::move(test)};
  }

  Result<Predicate> field_comparison() {
    std::string field = text();
    const auto order = reader_.read_le<std::uint8_t>();
    if (order > static_cast<std::uint8_t>(FieldOrder::less_equal)) return damage("a false order");
    return Predicate{FieldComparison{std::move(field), static_cast<FieldOrder>(order), text()}};
  }

  ByteReader reader_;
};

}  // namespace

std::string encode_predicate(const Predicate& predicate) {
  std::string out;
  out.push_back(static_cast<char>(kPredicateCodecVersion));
  NodeEncoder{out}.encode(predicate);
  return out;
}

Result<Predicate> decode_predicate(std::string_view bytes) {
  return PredicateDecoder(bytes).decode();
}

}  // namespace dendro
