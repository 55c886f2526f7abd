#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// `%{IP:client} %{WORD:method}` as a regular expression with named groups; text outside of `%{..}` is part of it.
/// Errors: invalid_argument (an unknown pattern, a name that no group can have).
Result<std::string> expand_grok(std::string_view text);

}  // namespace dendro
