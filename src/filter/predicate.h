#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/timestamp.h"
#include "filter/literal.h"
#include "filter/text_pattern.h"

namespace dendro {

// A filter as a tree of values (query-language.md 5, 6). Immutable by convention; compared by value. Times are
// resolved: the tree of `_time:5m` holds two instants. What is not built yet (labels by expression, i(), ~) becomes
// further alternatives.

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
using Condition = std::variant<Exists, Empty, TextPattern, Equals, BeginsWith, Comparison, Between, OneOf>;

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

struct Predicate {
  std::variant<Everything, AllOf, AnyOf, Negation, FieldTest, SeverityTest, TimeTest, LabelTest> node;
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
  }
}
/// True if the filter names `dendro.source`, as a field or a label: then dead letters are wanted (D12).
bool names_source(const Predicate& predicate);

}  // namespace dendro
