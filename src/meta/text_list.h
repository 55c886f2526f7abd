#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace dendro {

/// A list of texts in one cell: a JSON array, which SQLite's json_each() reads too.
std::string encode_text_list(const std::vector<std::string>& texts);
/// Errors: corruption.
Result<std::vector<std::string>> decode_text_list(const std::string& cell);

}  // namespace dendro
