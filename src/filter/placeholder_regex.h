#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "filter/regex.h"

namespace dendro {

/// The expression that `pattern("took <n>ms")` stands for: `<n>` a number, `<w>` word characters, `<ip>` `<uuid>`
/// `<hex>`
/// `<time>` what their names say, `<*>` anything; the rest is text.
/// Errors: invalid_argument (an unknown place; an expression that is refused).
Result<std::shared_ptr<const Regex>> compile_placeholders(std::string_view text);

}  // namespace dendro
