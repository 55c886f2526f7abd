#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/command_table.h"

namespace {

/// "analyze" when the program was started under that name (a link to dendro), else empty.
std::string command_of_program_name(const std::string& program) {
  const std::string name = program.substr(program.rfind('/') + 1);
  return name != "dendro" && dendro::find_command(name) != nullptr ? name : std::string();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of write, not the end of a server
  dendro::CommandIo io = dendro::process_command_io();
  std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  const std::string alias = argc > 0 ? command_of_program_name(argv[0]) : std::string();
  if (!alias.empty()) args.insert(args.begin(), alias);
  const int exit_code = dendro::run_command_line(args, io);
  if (std::fflush(io.out) != 0 && exit_code == 0) {
    std::fprintf(io.err, "dendro: could not write the result: standard output is closed or full\n");
    return 1;
  }
  return exit_code;
}
