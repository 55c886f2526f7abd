#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/shape.h"

namespace dendro {

/// Where a field of a record may stand.
enum class FieldKind : std::uint8_t {
  time,             ///< `_time`
  observed,         ///< `_observed`
  id,               ///< `_id`
  stream_text,      ///< `_stream`
  template_id,      ///< `_template`: the leaf of a body that is a text (codec/canonical_leaf.h)
  severity,         ///< `severity`, by rank; only if set
  severity_number,  ///< only if set
  severity_text,
  role_leaf,   ///< the leaf of a role: body, trace_id, ...
  body_parts,  ///< every leaf of a body that is an object
  body_part,   ///< one of them, by path
  attribute,   ///< by path
  label,       ///< of the resource, by path
};

/// One place to look at.
struct FieldCandidate {
  FieldKind kind = FieldKind::attribute;
  LeafRole role = LeafRole::attribute;  ///< role_leaf
  std::string path;                     ///< body_part, attribute, label
};

/// A name as the language resolves it (query-language.md 2.2): the places to look at, first present wins.
struct FieldName {
  std::string name;
  std::vector<FieldCandidate> candidates;
};

FieldName resolve_field_name(std::string_view name);
/// True for `severity` and `level`, whose values compare by rank.
bool is_severity_name(std::string_view name);
/// True for `_time` and its aliases.
bool is_time_name(std::string_view name);
/// Names of section 2.1, aliases included: what `unknown_field` never complains about.
bool is_builtin_name(std::string_view name);

/// The leaf of a body (codec/canonical_leaf.h): what `pattern` groups by.
inline constexpr std::string_view kTemplateField = "_template";

/// Label under which a record says what it came by; dead letters have kDeadLetterSource there.
inline constexpr std::string_view kSourceLabel = "dendro.source";
inline constexpr std::string_view kDeadLetterSource = "dead_letter";

}  // namespace dendro
