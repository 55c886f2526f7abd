#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "base/clock.h"
#include "storage/repair.h"

namespace dendro {
namespace {

constexpr std::string_view kRepairSummary = "bring a folder that refuses to open back, with all that is still good";

struct RepairFlags {
  std::string data;
  bool yes = false;
  bool only_look = false;
};

std::shared_ptr<CLI::App> make_repair_app_with(const std::shared_ptr<RepairFlags>& flags) {
  auto app = make_cli_app(
      "admin repair", kRepairSummary,
      "  dendro admin repair --data dendro-data --dry-run\n"
      "  dendro admin repair --data dendro-data --yes\n"
      "For a damaged journal or manifest. Saves what is damaged aside as FILE.damaged-1 and removes nothing;\n"
      "says what it would do and what is lost, and asks before it does it.\n"
      "Exit codes: 0 repaired, or nothing to repair; 1 not repaired; 2 usage or no such folder.\n");
  app->add_option("--data", flags->data, "data folder, while no server uses it")->type_name("DIR")->required();
  app->add_flag("-y,--yes", flags->yes, "do not ask");
  app->add_flag("-n,--dry-run", flags->only_look, "only say what would be done");
  return app;
}

std::shared_ptr<CLI::App> make_repair_app() {
  const auto flags = std::make_shared<RepairFlags>();
  return keep_with(make_repair_app_with(flags), flags);
}

void print_lines(CommandIo& io, const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  std::fprintf(io.out, "%s\n", title);
  for (const std::string& line : lines) std::fprintf(io.out, "  %s\n", line.c_str());
}

int run_repair(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<RepairFlags>();
  const auto app = make_repair_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemClock clock;
  const auto repair = StoreRepair::open(flags->data, *files, clock);
  if (!repair) return report_admin_error(io, "admin repair", repair.error());
  const RepairPlan& plan = (*repair)->plan();
  if (!plan.is_needed()) {
    std::fprintf(io.out, "%s: nothing hinders opening; `dendro admin verify` looks into the segments\n",
                 flags->data.c_str());
    return 0;
  }
  print_lines(io, "damaged:", plan.findings);
  print_lines(io, "to do:", plan.steps);
  print_lines(io, "lost, or may be:", plan.losses);
  if (plan.losses.empty()) std::fputs("nothing is lost\n", io.out);
  std::fflush(io.out);
  if (flags->only_look) return 0;
  if (!flags->yes && !can_ask(io)) {
    return report_failure(io, "admin repair", "nothing was changed; --yes carries this out", 1);
  }
  if (!flags->yes && !is_agreed(io, "carry this out?"))
    return report_failure(io, "admin repair", "nothing was changed", 1);
  const Status done = (*repair)->carry_out();
  if (!done) return report_admin_error(io, "admin repair", done.error());
  std::fprintf(io.out, "repaired: %s\n", flags->data.c_str());
  return 0;
}

}  // namespace

Command admin_repair_command() {
  return {"repair", kRepairSummary, &run_repair, &make_repair_app};
}

}  // namespace dendro
