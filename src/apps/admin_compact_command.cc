#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/admin_remote.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "base/clock.h"
#include "base/random.h"
#include "storage/store.h"

namespace dendro {
namespace {

constexpr std::string_view kCompactSummary = "flush a data folder and merge its segments now";

struct CompactFlags {
  AdminPlace place;
  bool all = false;
  bool wait = true;  ///< always: scripts that say so shall work
};

std::shared_ptr<CLI::App> make_compact_app_with(const std::shared_ptr<CompactFlags>& flags) {
  auto app =
      make_cli_app("admin compact", kCompactSummary,
                   "  dendro admin compact --data dendro-data\n"
                   "  dendro admin compact --data dendro-data --all\n"
                   "  dendro admin compact --wait --server http://127.0.0.1:8080\n"
                   "A running server does this by itself, little by little. Records that were deleted go for good.\n"
                   "Exit codes: 0 done, 1 failed, damaged or a server uses the folder, 2 usage or no such folder.\n");
  add_place_options(*app, flags->place);
  app->add_flag("--all", flags->all, "every day into its final form, also the one that goes on");
  app->add_flag("--wait", flags->wait, "come back when all is done, which it does anyway");
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

void print_told_size(CommandIo& io, const char* when, const JsonValue* told) {
  if (told == nullptr) return;
  StoreStats stats;
  stats.segment_count = count_of(*told, "segments");
  stats.segment_bytes = count_of(*told, "bytes");
  stats.segment_records = count_of(*told, "records");
  print_store_size(io, when, stats);
}

int compact_server(const CompactFlags& flags, CommandIo& io) {
  Result<AdminRemote> remote = AdminRemote::open(flags.place, io);
  if (!remote) return report_remote_error(io, "admin compact", remote.error());
  const Result<JsonValue> result =
      remote->run_job(std::string("/api/v1/admin/compact") + (flags.all ? "?all=true" : ""), "", io);
  if (!result) return report_remote_error(io, "admin compact", result.error());
  print_told_size(io, "before", result->find("before"));
  print_told_size(io, "after", result->find("after"));
  return 0;
}

int run_compact(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<CompactFlags>();
  const auto app = make_compact_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  if (const std::string_view fault = place_fault(flags->place); !fault.empty()) {
    return report_failure(io, "admin compact", fault, 2);
  }
  if (flags->place.data.empty()) return compact_server(*flags, io);
  const std::string& directory = flags->place.data;
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  if (!files->exists(directory + "/CURRENT")) {
    return report_failure(io, "admin compact", "'" + directory + "' is not a data folder of dendro", 2);
  }
  SystemClock clock;
  SystemRandom random;
  StoreOptions options;
  options.directory = directory;
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
