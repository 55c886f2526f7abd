#pragma once

#include <span>
#include <string>
#include <string_view>

#include "apps/command.h"

namespace dendro {

/// Every subcommand, in the order of `dendro --help`.
std::span<const Command> command_table();
/// Null if there is none of that name.
const Command* find_command(std::string_view name);

/// Runs `args` (without the program's name): finds the subcommand, or prints help or version. Returns the exit code.
int run_command_line(std::span<const std::string> args, CommandIo& io);

/// The text of `dendro --help`.
std::string overview_text();

}  // namespace dendro
