#pragma once

#include <string>
#include <string_view>

#include "services/privacy/field_mask.h"

namespace dendro {

/// Masks inside checked JSON text (a list of a record, an object that is too deep to be flat), names of members too.
/// `field` is where the text stands: members have their own name behind it, elements of lists none. `inherited`: rules
/// that hold for all of it. Values that change become strings, those that are dropped null; the others stay as they
/// were sent. False: nothing changed.
bool mask_json(const MaskPlan& plan, TextMasker& masker, std::string_view field, RuleSet inherited,
               std::string_view json, std::string& out);
/// True if `text` is one JSON object or array and nothing else.
bool is_json_container(std::string_view text);

}  // namespace dendro
