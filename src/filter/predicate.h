#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time_zone.h"
#include "base/timestamp.h"
#include "filter/ip_network.h"
#include "filter/literal.h"
#include "filter/regex.h"
#include "filter/text_pattern.h"

namespace dendro {

// A filter as a tree of values (query-language.md 5, 6). Immutable by convention; compared by value. Times are
// resolved: the tree of `_time:5m` holds two instants. Regular expressions are compiled: a tree that was made cannot
// fail later.

/// `f:*`: present and not empty.
struct Exists {
  friend bool operator==(const Exists&, const Exists&) = default;
};
/// `f:""`: missing or empty.
struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};
/// `f:=x`.
struct Equals {
  Literal literal;
  friend bool operator==(const Equals&, const Equals&) = default;
};
/// `f:=x*`.
struct BeginsWith {
  std::string text;
  friend bool operator==(const BeginsWith&, const BeginsWith&) = default;
};
enum class CompareOp : std::uint8_t { greater, greater_equal, less, less_equal };
/// `f:>x`.
struct Comparison {
  CompareOp op = CompareOp::greater;
  Literal literal;
  friend bool operator==(const Comparison&, const Comparison&) = default;
};
/// `f:[a,b)`.
struct Between {
  Literal first, last;
  bool includes_first = true;
  bool includes_last = true;
  friend bool operator==(const Between&, const Between&) = default;
};
/// `f:in(a,b)`.
struct OneOf {
  std::vector<Literal> literals;
  friend bool operator==(const OneOf&, const OneOf&) = default;
};
/// `f:~re`: found somewhere in the value. `regex` is never null; two are equal if their patterns are.
struct RegexMatch {
  std::shared_ptr<const Regex> regex;
  const std::string& pattern() const { return regex->pattern(); }
  friend bool operator==(const RegexMatch& a, const RegexMatch& b) { return a.pattern() == b.pattern(); }
};
/// `f:contains_all(a, b)`: every pattern, in one value. One pattern at least; the same for the next two.
struct ContainsAll {
  std::vector<TextPattern> patterns;
  friend bool operator==(const ContainsAll&, const ContainsAll&) = default;
};
/// `f:contains_any(a, b)`.
struct ContainsAny {
  std::vector<TextPattern> patterns;
  friend bool operator==(const ContainsAny&, const ContainsAny&) = default;
};
/// `f:seq(a, b)`: the patterns in this order in one value, not overlapping.
struct Sequence {
  std::vector<TextPattern> patterns;
  friend bool operator==(const Sequence&, const Sequence&) = default;
};
/// `f:len_range(a, b)`: code points of the value's text, both ends inclusive.
struct LengthRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  friend bool operator==(const LengthRange&, const LengthRange&) = default;
};
/// `f:ip(10.0.0.0/8)`: the value is, or contains, an address of the network.
struct InNetwork {
  IpNetwork network;
  friend bool operator==(const InNetwork&, const InNetwork&) = default;
};
/// `f:string_range(a, b)`: the value's text stands in [first, last) by code point.
struct StringRange {
  std::string first, last;
  friend bool operator==(const StringRange&, const StringRange&) = default;
};
/// `f:type(number)`: the stored type of the whole value.
enum class ValueKind : std::uint8_t { number, string, boolean, list };
struct TypeIs {
  ValueKind kind = ValueKind::number;
  friend bool operator==(const TypeIs&, const TypeIs&) = default;
};
/// `f:pattern("took <n>ms")`: stands somewhere in the value. `regex` is what `text` means, never null.
struct PlaceholderMatch {
  std::string text;
  std::shared_ptr<const Regex> regex;
  friend bool operator==(const PlaceholderMatch& a, const PlaceholderMatch& b) { return a.text == b.text; }
};
/// `f:near(a, b, 5)`: both patterns in one value, in any order, with at most so many words between them.
struct Near {
  TextPattern first, second;
  std::uint64_t words = 0;
  friend bool operator==(const Near&, const Near&) = default;
};
/// `f:in(query)` whose query has not run yet: nothing is among its values. `query` in its canonical form.
struct InQuery {
  std::string query;
  std::size_t number = 0;  ///< among the sub-queries of the query it stands in
  friend bool operator==(const InQuery& a, const InQuery& b) { return a.query == b.query; }
};
using Condition =
    std::variant<Exists, Empty, TextPattern, Equals, BeginsWith, Comparison, Between, OneOf, RegexMatch, ContainsAll,
                 ContainsAny, Sequence, LengthRange, InNetwork, StringRange, TypeIs, PlaceholderMatch, Near, InQuery>;

struct Predicate;

/// `*`.
struct Everything {
  friend bool operator==(const Everything&, const Everything&) = default;
};
struct AllOf {
  std::vector<Predicate> parts;  ///< two or more, none of them an AllOf
  friend bool operator==(const AllOf&, const AllOf&);
};
struct AnyOf {
  std::vector<Predicate> parts;  ///< two or more, none of them an AnyOf
  friend bool operator==(const AnyOf&, const AnyOf&);
};
struct Negation {
  std::shared_ptr<const Predicate> operand;
  friend bool operator==(const Negation&, const Negation&);
};
/// A condition on a field, or on any stored value where `field` is empty.
struct FieldTest {
  std::string field;
  Condition condition;
  friend bool operator==(const FieldTest&, const FieldTest&) = default;
};
/// Severity numbers that match, a bit each; bit 0 = unset. `field`: severity or level.
struct SeverityTest {
  std::string field;
  std::uint32_t numbers = 0;
  friend bool operator==(const SeverityTest&, const SeverityTest&) = default;
};
/// `_time` or `_observed` inside a range.
struct TimeTest {
  std::string field;
  TimeRange range;
  friend bool operator==(const TimeTest&, const TimeTest&) = default;
};
/// `{name="text"}`: a label by its name or with every other character as `_`; absent = "".
struct LabelTest {
  std::string name;
  std::string text;
  friend bool operator==(const LabelTest&, const LabelTest&) = default;
};
/// `{name=~"re"}`: the label's whole text matches (D11); absent = "". `regex` is never null.
struct LabelMatch {
  std::string name;
  std::shared_ptr<const Regex> regex;
  friend bool operator==(const LabelMatch& a, const LabelMatch& b) {
    return a.name == b.name && a.regex->pattern() == b.regex->pattern();
  }
};
/// `_time:day_range[08:00,18:00)`, `_time:week_range[Mon,Fri]`: by the clock of a zone, every day or every week. Both
/// are nanoseconds since local midnight, or Monday's; an interval whose end is not behind its start goes on past
/// midnight, or the end of the week.
struct ClockTest {
  enum class Cycle : std::uint8_t { day, week };
  std::string field;
  Cycle cycle = Cycle::day;
  std::int64_t first_ns = 0, last_ns = 0;  ///< [first, last)
  std::shared_ptr<const TimeZone> zone;    ///< never null
  friend bool operator==(const ClockTest& a, const ClockTest& b) {
    return a.field == b.field && a.cycle == b.cycle && a.first_ns == b.first_ns && a.last_ns == b.last_ns &&
           a.zone->name() == b.zone->name();
  }
};
enum class FieldOrder : std::uint8_t { equal, less, less_equal };
/// `f:eq_field(g)`, `lt_field`, `le_field`: as `f:=x`, `f:<x`, `f:<=x` with the text of g's value as an unquoted
/// literal; some value of f with some value of g. Missing fields equal nothing.
struct FieldComparison {
  std::string field;
  FieldOrder order = FieldOrder::equal;
  std::string other;
  friend bool operator==(const FieldComparison&, const FieldComparison&) = default;
};

struct Predicate {
  std::variant<Everything, AllOf, AnyOf, Negation, FieldTest, SeverityTest, TimeTest, LabelTest, LabelMatch,
               FieldComparison, ClockTest>
      node;
  friend bool operator==(const Predicate&, const Predicate&);
};

/// The parts as one predicate: nested ones of the same kind are drawn in, one alone is itself, none is `*`.
Predicate all_of(std::vector<Predicate> parts);
Predicate any_of(std::vector<Predicate> parts);
Predicate negation(Predicate operand);

/// Calls `visit(std::string_view field)` for each field named in the tree, "" for tests without one. Labels are not
/// fields.
template <typename Visit>
void for_each_field(const Predicate& predicate, Visit&& visit) {
  if (const auto* all = std::get_if<AllOf>(&predicate.node)) {
    for (const Predicate& part : all->parts) for_each_field(part, visit);
  } else if (const auto* any = std::get_if<AnyOf>(&predicate.node)) {
    for (const Predicate& part : any->parts) for_each_field(part, visit);
  } else if (const auto* negated = std::get_if<Negation>(&predicate.node)) {
    for_each_field(*negated->operand, visit);
  } else if (const auto* test = std::get_if<FieldTest>(&predicate.node)) {
    visit(std::string_view(test->field));
  } else if (const auto* severity = std::get_if<SeverityTest>(&predicate.node)) {
    visit(std::string_view(severity->field));
  } else if (const auto* time = std::get_if<TimeTest>(&predicate.node)) {
    visit(std::string_view(time->field));
  } else if (const auto* clock = std::get_if<ClockTest>(&predicate.node)) {
    visit(std::string_view(clock->field));
  } else if (const auto* comparison = std::get_if<FieldComparison>(&predicate.node)) {
    visit(std::string_view(comparison->field));
    visit(std::string_view(comparison->other));
  }
}
/// True if the filter names `dendro.source`, as a field or a label: then dead letters are wanted (D12).
bool names_source(const Predicate& predicate);

}  // namespace dendro
