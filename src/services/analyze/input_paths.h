#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace dendro {

/// Turns what was given for --file into files: a folder stands for the regular files below it in byte order, a pattern
/// with
/// `* ? [` that is no file's name for what it matches in that order; "-" and plain names stay. Links are followed only
/// where they were named. Errors: not_found (a pattern or folder without any file), permission_denied, io_error.
Result<std::vector<std::string>> expand_input_paths(std::span<const std::string> given);

}  // namespace dendro
