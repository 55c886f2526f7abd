#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "base/clock.h"
#include "base/random.h"
#include "storage/store.h"

namespace dendro {
namespace {

constexpr std::string_view kCompactSummary = "flush a data folder and merge its segments now";

struct CompactFlags {
  std::string data;
  bool all = false;
};

std::shared_ptr<CLI::App> make_compact_app_with(const std::shared_ptr<CompactFlags>& flags) {
  auto app =
      make_cli_app("admin compact", kCompactSummary,
                   "  dendro admin compact --data dendro-data\n"
                   "  dendro admin compact --data dendro-data --all\n"
                   "A running server does this by itself, little by little. Records that were deleted go for good.\n"
                   "Exit codes: 0 done, 1 failed, damaged or a server uses the folder, 2 usage or no such folder.\n");
  app->add_option("--data", flags->data, "data folder, while no server uses it")->type_name("DIR")->required();
  app->add_flag("--all", flags->all, "every day into its final form, also the one that goes on");
  return app;
}

std::shared_ptr<CLI::App> make_compact_app() {
  const auto flags = std::make_shared<CompactFlags>();
  return keep_with(make_compact_app_with(flags), flags);
}

void print_store_size(CommandIo& io, const char* when, const StoreStats& stats) {
  std::fprintf(io.out, "%s: %s segments, %s bytes, %s records\n", when, grouped_digits(stats.segment_count).c_str(),
               grouped_digits(stats.segment_bytes).c_str(), grouped_digits(stats.segment_records).c_str());
}

int run_compact(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<CompactFlags>();
  const auto app = make_compact_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  if (!files->exists(flags->data + "/CURRENT")) {
    return report_failure(io, "admin compact", "'" + flags->data + "' is not a data folder of dendro", 2);
  }
  SystemClock clock;
  SystemRandom random;
  StoreOptions options;
  options.directory = flags->data;
  const auto store = Store::open(std::move(options), *files, clock, random);
  if (!store) return report_admin_error(io, "admin compact", store.error());
  Status done = (*store)->flush();
  print_store_size(io, "before", (*store)->stats());
  if (done) done = (*store)->compact(flags->all ? CompactionScope::all_final : CompactionScope::due);
  print_store_size(io, "after", (*store)->stats());
  return done ? 0 : report_admin_error(io, "admin compact", done.error());
}

}  // namespace

Command admin_compact_command() {
  return {"compact", kCompactSummary, &run_compact, &make_compact_app};
}

}  // namespace dendro
