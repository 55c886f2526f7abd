#pragma once

#include <span>
#include <string>
#include <string_view>

#include "apps/command.h"

namespace dendro {

/// One of the things that a command such as `dendro admin user` does, by its first word.
struct ActionRow {
  std::string_view name;
  std::string_view summary;
  std::string_view takes;    ///< the word behind it, "EMAIL"; empty: none
  std::string_view options;  ///< long names between blanks, beside those that every action takes
};

/// What was said, before it is looked at.
struct ActionWords {
  std::string action, name;
};

/// Adds the positionals ACTION and NAME, described by the table.
void add_action_options(CLI::App& app, ActionWords& words, std::span<const ActionRow> actions);
/// Empty, or why the command line makes no sense: no such action, a word missing or too many, an option of another
/// action. `shared_options`: those that every action takes.
std::string action_fault(const CLI::App& app, const ActionWords& words, std::span<const ActionRow> actions,
                         std::string_view shared_options);

/// Prints a JSON array of objects as it is (`format` json), or its members as columns; `nothing` where it is empty.
void print_items(CommandIo& io, const std::string& format, const std::string& json_array,
                 std::span<const std::string_view> columns, std::string_view nothing);

}  // namespace dendro
