#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/field_fault.h"
#include "base/json_document.h"
#include "base/json_writer.h"
#include "filter/sensitive/sensitive_kind.h"

namespace dendro {

/// What becomes of what a rule finds.
enum class MaskAction : std::uint8_t {
  mask,      ///< `***`, perhaps with its last characters
  hash,      ///< `hash_<kind>_<26 letters>`: the same for equal values of a tenant, and no way back
  drop,      ///< the field that holds it is not stored
  tokenize,  ///< `tok_<kind>_<letters>`: the same for equal values of a tenant; who has the right gets the value back
};

/// What is kept from being stored, and how.
struct MaskRule {
  std::string name;                   ///< [a-z][a-z0-9_]*, unique among its rules
  std::vector<std::string> fields;    ///< globs of names, and what lies below them; empty: every field, and names too
  std::vector<std::string> patterns;  ///< names of kinds or groups (sensitive_kind.h)
  std::string regex;                  ///< RE2; with a group that group is meant, else all of the match
  bool is_whole = false;              ///< the whole value of the fields
  MaskAction action = MaskAction::mask;
  unsigned keep_last = 0;  ///< mask: so many characters stay, of values at least twice as long
  friend bool operator==(const MaskRule&, const MaskRule&) = default;
};
using MaskRules = std::vector<MaskRule>;

/// `[{"name":"cards","pattern":"card","action":"mask","keep_last":4},..]`: `pattern` is a name, a list of names or
/// `whole`; `regex` stands instead of it. Faults name the member: "settings.masking.0.action".
MaskRules read_mask_rules(const JsonValue& list, std::string_view prefix, FieldFaults& faults);
void write_mask_rules(JsonWriter& json, const MaskRules& rules);
std::string mask_rules_json(const MaskRules& rules);
/// True if a rule needs a key of the tenant.
bool needs_privacy_key(const MaskRules& rules);

/// `*` stands for any run of characters, dots too; letters mean any ASCII case. True if the glob is the name, or the
/// name of something above it: `user` also means `user.email`.
bool glob_covers(std::string_view glob, std::string_view name);

}  // namespace dendro
