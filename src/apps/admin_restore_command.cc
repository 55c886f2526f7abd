#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "meta/meta_schema.h"
#include "storage/backup.h"
#include "storage/store_files.h"

namespace dendro {
namespace {

constexpr std::string_view kRestoreSummary = "make a data folder of a backup";

struct RestoreFlags {
  std::string from, data;
};

std::shared_ptr<CLI::App> make_restore_app_with(const std::shared_ptr<RestoreFlags>& flags) {
  auto app = make_cli_app(
      "admin restore", kRestoreSummary,
      "  dendro admin restore --from /backup/monday --data dendro-data\n"
      "Every checksum is verified first; a folder that holds anything is refused.\n"
      "Exit codes: 0 done, 1 failed or the backup is damaged, 2 usage, no backup there, target not empty.\n");
  app->add_option("--from", flags->from, "folder made by `dendro admin backup`")->type_name("DIR")->required();
  app->add_option("--data", flags->data, "new or empty folder for the data")->type_name("DIR")->required();
  return app;
}

std::shared_ptr<CLI::App> make_restore_app() {
  const auto flags = std::make_shared<RestoreFlags>();
  return keep_with(make_restore_app_with(flags), flags);
}

/// Of a backup by an earlier version, whose list leaves it out.
Status restore_unlisted_meta(FileSystem& files, const RestoreFlags& flags) {
  const std::string from = meta_database_path(flags.from), to = meta_database_path(flags.data);
  if (files.exists(to) || !files.exists(from)) return {};
  DENDRO_TRY(copy_file(files, from, to, UINT64_MAX, CopyAccess::owner_only));
  return files.sync_directory(flags.data);
}

int run_restore(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<RestoreFlags>();
  const auto app = make_restore_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  Result<BackupReport> report = Error(ErrorCode::internal, "not run");
  {
    AdminProgress progress(io);
    report = restore_store(flags->from, flags->data, *files,
                           [&](const BackupProgress& at) { progress.show(at.file, at.files_done, at.files_total); },
                           {std::string(kMetaDatabaseName), "chain/"});
  }
  if (!report) return report_admin_error(io, "admin restore", report.error());
  const Status restored = restore_unlisted_meta(*files, *flags);
  if (!restored) return report_admin_error(io, "admin restore", restored.error());
  std::fprintf(io.out, "%s: %s files, %s bytes, %s records in %s segments\n", flags->data.c_str(),
               grouped_digits(report->files).c_str(), grouped_digits(report->bytes).c_str(),
               grouped_digits(report->records).c_str(), grouped_digits(report->segments).c_str());
  return 0;
}

}  // namespace

Command admin_restore_command() {
  return {"restore", kRestoreSummary, &run_restore, &make_restore_app};
}

}  // namespace dendro
