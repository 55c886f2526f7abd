#include "apps/command_table.h"

#include <algorithm>
#include <cstddef>

#include "apps/admin_command.h"
#include "apps/analyze_command.h"
#include "apps/completion_command.h"
#include "apps/ingest_command.h"
#include "apps/man_command.h"
#include "apps/patterns_command.h"
#include "apps/query_command.h"
#include "apps/serve_command.h"
#include "apps/tail_command.h"
#include "apps/token_command.h"
#include "apps/version_command.h"
#include "base/edit_distance.h"

namespace dendro {

std::span<const Command> command_table() {
  static const Command kCommands[] = {serve_command(),    ingest_command(),     query_command(), tail_command(),
                                      patterns_command(), analyze_command(),    admin_command(), token_command(),
                                      version_command(),  completion_command(), man_command()};
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const std::span<const Command> commands = command_table();
  const auto found = std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

std::string overview_text() {
  std::string text =
      "dendro - store, search and count logs\n\n"
      "Usage: dendro COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : command_table()) {
    text += "  " + std::string(command.name) + std::string(12 - command.name.size(), ' ') +
            std::string(command.summary) + "\n";
  }
  text +=
      "\nOptions:\n  -h, --help  this text; `dendro COMMAND --help` for a command's own\n  --version   what `dendro "
      "version` prints\n"
      "\nExamples:\n"
      "  dendro serve\n"
      "  dendro ingest app.log.gz\n"
      "  dendro query 'severity:error | stats by (service) count()'\n"
      "  dendro query 'timeout' /var/log/app/*.log\n"
      "  dendro tail 'severity:error'\n"
      "  dendro patterns app.log\n"
      "  dendro analyze --file app.jsonl --threshold 5\n"
      "  dendro admin verify --data dendro-data\n"
      "  dendro admin user create --admin anna@example.org\n"
      "\nExit codes: 0 done, 1 the run failed, 2 usage or configuration, 3 alert (analyze --fail-on-alert)\n";
  return text;
}

namespace {

int report_unknown_command(const std::string& name, CommandIo& io) {
  std::string nearest;
  std::size_t nearest_distance = 3;  // two edits at most are a typing slip
  for (const Command& command : command_table()) {
    const std::size_t distance = edit_distance(name, command.name);
    if (distance < nearest_distance) {
      nearest_distance = distance;
      nearest = command.name;
    }
  }
  std::fprintf(io.err, "dendro: unknown command '%s'%s; `dendro --help` lists them\n", name.c_str(),
               nearest.empty() ? "" : (" (did you mean '" + nearest + "'?)").c_str());
  return 2;
}

}  // namespace

int run_command_line(std::span<const std::string> args, CommandIo& io) {
  if (args.empty()) {
    std::fputs(overview_text().c_str(), io.err);
    return 2;
  }
  const std::string& first = args.front();
  if (first == "-h" || first == "--help" || first == "help") {
    if (first == "help" && args.size() > 1) {
      const std::string rest[] = {args[1], "--help"};
      return run_command_line(rest, io);
    }
    std::fputs(overview_text().c_str(), io.out);
    return 0;
  }
  const Command* command = find_command(first == "--version" ? "version" : first);
  if (command == nullptr) return report_unknown_command(first, io);
  return command->run(args.subspan(1), io);
}

}  // namespace dendro
