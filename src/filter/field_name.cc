#include "filter/field_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dendro {
namespace {

struct BuiltinField {
  std::string_view name;
  FieldKind kind;
  LeafRole role = LeafRole::attribute;
};

constexpr std::array<BuiltinField, 15> kBuiltinFields = {{
    {"_time", FieldKind::time},
    {"_observed", FieldKind::observed},
    {"_id", FieldKind::id},
    {"_stream", FieldKind::stream_text},
    {kTemplateField, FieldKind::template_id, LeafRole::body},
    {"body", FieldKind::role_leaf, LeafRole::body},
    {"severity", FieldKind::severity},
    {"severity_number", FieldKind::severity_number},
    {"severity_text", FieldKind::severity_text},
    {"trace_id", FieldKind::role_leaf, LeafRole::trace_id},
    {"span_id", FieldKind::role_leaf, LeafRole::span_id},
    {"flags", FieldKind::role_leaf, LeafRole::flags},
    {"event_name", FieldKind::role_leaf, LeafRole::event_name},
    {"scope.name", FieldKind::role_leaf, LeafRole::scope_name},
    {"scope.version", FieldKind::role_leaf, LeafRole::scope_version},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kFieldAliases = {{
    {"level", "severity"},
    {"message", "body"},
    {"msg", "body"},
    {"_msg", "body"},
    {"log", "body"},
    {"time", "_time"},
    {"timestamp", "_time"},
    {"ts", "_time"},
    {"service", "service.name"},
    {"service", "service_name"},
    {"service.name", "service_name"},
    {"service.name", "service"},
    {"service_name", "service.name"},
    {"service_name", "service"},
    {"host", "host.name"},
    {"host.name", "host"},
}};

const BuiltinField* find_builtin(std::string_view name) {
  const auto row = std::find_if(kBuiltinFields.begin(), kBuiltinFields.end(),
                                [name](const BuiltinField& field) { return field.name == name; });
  return row == kBuiltinFields.end() ? nullptr : &*row;
}

void add_own_candidates(std::vector<FieldCandidate>& candidates, std::string_view name) {
  if (const BuiltinField* builtin = find_builtin(name)) {
    candidates.push_back({builtin->kind, builtin->role, {}});
    if (name == "body") candidates.push_back({FieldKind::body_parts, LeafRole::body_part, {}});
  }
  candidates.push_back({FieldKind::attribute, LeafRole::attribute, std::string(name)});
  if (name.starts_with("body.")) {
    candidates.push_back({FieldKind::body_part, LeafRole::body_part, std::string(name.substr(5))});
  }
  candidates.push_back({FieldKind::body_part, LeafRole::body_part, std::string(name)});
  candidates.push_back({FieldKind::label, LeafRole::resource, std::string(name)});
  if (name.starts_with("attributes.")) {
    candidates.push_back({FieldKind::attribute, LeafRole::attribute, std::string(name.substr(11))});
  }
  if (name.starts_with("resource.")) {
    candidates.push_back({FieldKind::label, LeafRole::resource, std::string(name.substr(9))});
  }
}

}  // namespace

FieldName resolve_field_name(std::string_view name) {
  FieldName field;
  field.name = name;
  add_own_candidates(field.candidates, name);
  for (const auto& [alias, target] : kFieldAliases) {
    if (alias == name) add_own_candidates(field.candidates, target);
  }
  return field;
}

bool is_severity_name(std::string_view name) {
  return name == "severity" || name == "level";
}

bool is_time_name(std::string_view name) {
  return name == "_time" || name == "time" || name == "timestamp" || name == "ts";
}

bool is_builtin_name(std::string_view name) {
  return find_builtin(name) != nullptr || name == "_tenant" ||
         std::any_of(kFieldAliases.begin(), kFieldAliases.end(), [name](const auto& row) { return row.first == name; });
}

}  // namespace dendro
