#pragma once

#include <string>

#include "base/json_document.h"
#include "identity/role.h"

namespace dendro {

/// {"name","permissions":[..],"row_filter","hidden_fields":[..],"masked_fields":[..]}: a role in configuration and API.
/// All but the name may be left out; check_role judges what it says. Errors: invalid_argument (another member or kind
/// of value, a permission that there is not).
Result<Role> parse_role(const JsonValue& document);
/// The same, with "read_only".
void append_role(std::string& out, const Role& role);

}  // namespace dendro
