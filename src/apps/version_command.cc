#include "apps/version_command.h"

#include <CLI/CLI.hpp>

#include "apps/build_info.h"
#include "apps/cli.h"

namespace dendro {
namespace {

std::shared_ptr<CLI::App> make_version_app() {
  return make_cli_app("version", "print the version, the commit and what is built in", "  dendro version\n");
}

int run_version(std::span<const std::string> args, CommandIo& io) {
  const auto app = make_version_app();
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  std::fputs(build_info_text().c_str(), io.out);
  return 0;
}

}  // namespace

Command version_command() {
  return {"version", "print the version, the commit and what is built in", &run_version, &make_version_app};
}

}  // namespace dendro
