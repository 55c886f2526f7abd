#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/command.h"

namespace dendro {

/// A CLI::App named "dendro NAME" with our formatting: `--opt v` and `--opt=v`, help as -h and --help, `examples` as
/// footer.
std::shared_ptr<CLI::App> make_cli_app(std::string_view command, std::string_view summary, std::string_view examples);

/// `app`, keeping alive what its options write into.
std::shared_ptr<CLI::App> keep_with(std::shared_ptr<CLI::App> app, std::shared_ptr<void> flags);

/// What parsing left to do: nothing (go on), or an exit code (help was printed: 0; usage error on stderr: 2).
struct ParseOutcome {
  bool go_on = true;
  int exit_code = 0;
};
ParseOutcome parse_cli(CLI::App& app, std::span<const std::string> args, CommandIo& io);

/// "dendro query: TEXT" on stderr; returns `exit_code`.
int report_failure(CommandIo& io, std::string_view command, std::string_view text, int exit_code);

/// One option as completion and man page show it.
struct OptionRow {
  std::string long_name;   ///< "threshold", or empty for a positional
  std::string short_name;  ///< "h" or empty
  std::string value_name;  ///< "N"; empty for a flag
  std::string description;
  bool takes_file = false;
};
/// The options of a command, help included, positionals first.
std::vector<OptionRow> option_rows(const Command& command);

}  // namespace dendro
