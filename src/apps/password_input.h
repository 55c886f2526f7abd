#pragma once

#include <string>

#include "apps/command.h"
#include "base/result.h"

namespace dendro {

/// A new password: the first line of `file` if one is named, else of stdin; at a terminal it is asked for twice and not
/// shown. Never an argument, which every user of the machine could read.
/// Errors: invalid_argument (no such file, nothing there, two that differ), cancelled (Ctrl-C).
Result<std::string> read_new_password(CommandIo& io, const std::string& file);

}  // namespace dendro
