#include "apps/admin_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/cli.h"

namespace dendro {
namespace {

constexpr std::string_view kAdminSummary =
    "look after data folders: inspect, verify, repair, backup, restore, compact, delete, queries, queues, "
    "dead-letters; "
    "user, key, role, tenant";

std::span<const Command> admin_commands() {
  static const Command kAdminCommands[] = {
      admin_inspect_command(), admin_verify_command(),       admin_repair_command(), admin_backup_command(),
      admin_restore_command(), admin_compact_command(),      admin_delete_command(), admin_queries_command(),
      admin_queues_command(),  admin_dead_letters_command(), admin_user_command(),   admin_key_command(),
      admin_role_command(),    admin_tenant_command()};
  return kAdminCommands;
}

const std::string& names_and_summaries() {
  static const std::string kText = [] {
    std::string text = "what to do:";
    for (const Command& command : admin_commands()) {
      text += "\n" + std::string(command.name) + ": " + std::string(command.summary);
    }
    return text;
  }();
  return kText;
}

std::shared_ptr<CLI::App> make_admin_app() {
  auto app = make_cli_app(
      "admin", kAdminSummary,
      "  dendro admin verify --data dendro-data\n"
      "  dendro admin backup --data dendro-data --to /backup/monday\n"
      "  dendro admin inspect dendro-data/MANIFEST-000001\n"
      "`dendro admin COMMAND --help` shows a command's own options. No server may use the folder\n"
      "meanwhile, but for inspect, user, key and role; verify, backup, compact, delete, queues and\n"
      "dead-letters also speak to a server, with --server URL, as do user, key, role and tenant; queries does so\n"
      "only.\n"
      "docs/operations.md says what to do when.\n");
  app->add_option("COMMAND", names_and_summaries());
  return app;
}

int run_admin(std::span<const std::string> args, CommandIo& io) {
  const std::span<const Command> commands = admin_commands();
  if (!args.empty()) {
    const auto found =
        std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.name == args.front(); });
    if (found != commands.end()) return found->run(args.subspan(1), io);
  }
  const auto app = make_admin_app();
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  if (args.empty()) return report_failure(io, "admin", "name a command; `dendro admin --help` lists them", 2);
  return report_failure(io, "admin", "unknown command '" + args.front() + "'; `dendro admin --help` lists them", 2);
}

}  // namespace

Command admin_command() {
  return {"admin", kAdminSummary, &run_admin, &make_admin_app, &admin_commands};
}

}  // namespace dendro
