#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "base/clock.h"
#include "storage/backup.h"

namespace dendro {
namespace {

constexpr std::string_view kBackupSummary = "copy a data folder, with checksums";

struct BackupFlags {
  std::string data, to;
};

std::shared_ptr<CLI::App> make_backup_app_with(const std::shared_ptr<BackupFlags>& flags) {
  auto app = make_cli_app(
      "admin backup", kBackupSummary,
      "  dendro admin backup --data dendro-data --to /backup/monday\n"
      "The copy is whole once its file BACKUP is there; `dendro admin verify --backup` checks it.\n"
      "Exit codes: 0 done, 1 failed or a server uses the folder, 2 usage, no such folder, target not empty.\n");
  app->add_option("--data", flags->data, "data folder, while no server uses it")->type_name("DIR")->required();
  app->add_option("--to", flags->to, "new or empty folder for the copy")->type_name("DIR")->required();
  return app;
}

std::shared_ptr<CLI::App> make_backup_app() {
  const auto flags = std::make_shared<BackupFlags>();
  return keep_with(make_backup_app_with(flags), flags);
}

int run_backup(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<BackupFlags>();
  const auto app = make_backup_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemClock clock;
  Result<BackupReport> report = Error(ErrorCode::internal, "not run");
  {
    AdminProgress progress(io);
    report = backup_store(flags->data, flags->to, *files, clock,
                          [&](const BackupProgress& at) { progress.show(at.file, at.files_done, at.files_total); });
  }
  if (!report) return report_admin_error(io, "admin backup", report.error());
  std::fprintf(io.out, "%s: %s files, %s bytes, %s records in %s segments\n", flags->to.c_str(),
               grouped_digits(report->files).c_str(), grouped_digits(report->bytes).c_str(),
               grouped_digits(report->records).c_str(), grouped_digits(report->segments).c_str());
  return 0;
}

}  // namespace

Command admin_backup_command() {
  return {"backup", kBackupSummary, &run_backup, &make_backup_app};
}

}  // namespace dendro
