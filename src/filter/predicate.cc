#include "filter/predicate.h"

#include <algorithm>
#include <iterator>

#include "filter/field_name.h"

namespace dendro {
namespace {

template <typename Group>
Predicate group_of(std::vector<Predicate> parts) {
  Group group;
  for (Predicate& part : parts) {
    if (auto* inner = std::get_if<Group>(&part.node)) {
      std::move(inner->parts.begin(), inner->parts.end(), std::back_inserter(group.parts));
    } else {
      group.parts.push_back(std::move(part));
    }
  }
  if (group.parts.empty()) return Predicate{Everything{}};
  if (group.parts.size() == 1) return std::move(group.parts.front());
  return Predicate{std::move(group)};
}

bool names_source_label(const Predicate& predicate) {
  const auto is_source = [](std::string_view name) { return name == kSourceLabel || name == "dendro_source"; };
  if (const auto* label = std::get_if<LabelTest>(&predicate.node)) return is_source(label->name);
  if (const auto* label = std::get_if<LabelMatch>(&predicate.node)) return is_source(label->name);
  const auto any = [](const std::vector<Predicate>& parts) {
    return std::any_of(parts.begin(), parts.end(), names_source_label);
  };
  if (const auto* all = std::get_if<AllOf>(&predicate.node)) return any(all->parts);
  if (const auto* some = std::get_if<AnyOf>(&predicate.node)) return any(some->parts);
  if (const auto* negated = std::get_if<Negation>(&predicate.node)) return names_source_label(*negated->operand);
  return false;
}

}  // namespace

bool operator==(const Predicate& a, const Predicate& b) {
  return a.node == b.node;
}
bool operator==(const AllOf& a, const AllOf& b) {
  return a.parts == b.parts;
}
bool operator==(const AnyOf& a, const AnyOf& b) {
  return a.parts == b.parts;
}
bool operator==(const Negation& a, const Negation& b) {
  return *a.operand == *b.operand;
}

Predicate all_of(std::vector<Predicate> parts) {
  return group_of<AllOf>(std::move(parts));
}
Predicate any_of(std::vector<Predicate> parts) {
  return group_of<AnyOf>(std::move(parts));
}
Predicate negation(Predicate operand) {
  return Predicate{Negation{std::make_shared<const Predicate>(std::move(operand))}};
}

bool names_source(const Predicate& predicate) {
  bool found = names_source_label(predicate);
  for_each_field(predicate, [&found](std::string_view field) {
    found = found || field == kSourceLabel || field == "resource.dendro.source";
  });
  return found;
}

}  // namespace dendro
