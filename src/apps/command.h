#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace CLI {
class App;  // CLI11 is included by src/apps .cc files only
}

namespace dendro {

/// Where a command reads and writes, handed in so that a test can own it. The streams are borrowed and outlive the
/// call.
struct CommandIo {
  int in_fd = 0;                 ///< what "-" reads
  std::FILE* out = stdout;       ///< results only
  std::FILE* err = stderr;       ///< diagnostics, progress
  bool out_is_terminal = false;  ///< colours allowed on `out`
  bool err_is_terminal = false;  ///< colours and progress allowed on `err`
};

/// The process's own streams; a stream counts as a terminal only if isatty says so, NO_COLOR is unset and TERM is not
/// "dumb".
CommandIo process_command_io();

/// One subcommand of `dendro`: what runs, and what describes it. Help text, shell completion and man page are all made
/// from `make_app`, which is also what `run` parses with.
struct Command {
  std::string_view name;     ///< "analyze"
  std::string_view summary;  ///< one line
  /// `args` are the words after the subcommand. Returns the exit code (five-systems.md 1.6); never calls exit.
  int (*run)(std::span<const std::string> args, CommandIo& io);
  /// A parser with every option, for completion and man page; it owns what its options write to. Never null.
  std::shared_ptr<CLI::App> (*make_app)();
  /// Commands below this one, as `verify` is below `admin`; null for most.
  std::span<const Command> (*subcommands)() = nullptr;
};

}  // namespace dendro
