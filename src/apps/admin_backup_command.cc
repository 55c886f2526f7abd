#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/admin_remote.h"
#include "apps/cli.h"
#include "apps/serve_chain.h"
#include "apps/text_table.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "meta/meta_database.h"
#include "meta/meta_schema.h"
#include "storage/backup_folder.h"

namespace dendro {
namespace {

constexpr std::string_view kBackupSummary = "copy a data folder, with checksums";

struct BackupFlags {
  AdminPlace place;
  std::string to;
};

std::shared_ptr<CLI::App> make_backup_app_with(const std::shared_ptr<BackupFlags>& flags) {
  auto app = make_cli_app(
      "admin backup", kBackupSummary,
      "  dendro admin backup --data dendro-data --to /backup/monday\n"
      "  dendro admin backup --server http://127.0.0.1:8080 --to monday\n"
      "A server writes into folders inside its admin.backup_directory only.\n"
      "The copy is whole once its file BACKUP is there; `dendro admin verify --backup` checks it.\n"
      "Exit codes: 0 done, 1 failed or a server uses the folder, 2 usage, no such folder, target not empty.\n");
  add_place_options(*app, flags->place);
  app->add_option("--to", flags->to, "new or empty folder for the copy; of the server's machine with --server")
      ->type_name("DIR")
      ->required();
  return app;
}

std::shared_ptr<CLI::App> make_backup_app() {
  const auto flags = std::make_shared<BackupFlags>();
  return keep_with(make_backup_app_with(flags), flags);
}

void print_backup(CommandIo& io, const std::string& to, const BackupReport& report) {
  std::fprintf(io.out, "%s: %s files, %s bytes, %s records in %s segments\n", to.c_str(),
               grouped_digits(report.files).c_str(), grouped_digits(report.bytes).c_str(),
               grouped_digits(report.records).c_str(), grouped_digits(report.segments).c_str());
}

int back_up_server(const BackupFlags& flags, CommandIo& io) {
  Result<AdminRemote> remote = AdminRemote::open(flags.place, io);
  if (!remote) return report_remote_error(io, "admin backup", remote.error());
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("directory", flags.to);
  json.end_object();
  const Result<JsonValue> result = remote->run_job("/api/v1/admin/backup", body, io);
  if (!result) return report_remote_error(io, "admin backup", result.error());
  print_backup(io, text_of(*result, "directory"),
               {count_of(*result, "files"), count_of(*result, "bytes"), count_of(*result, "segments"),
                count_of(*result, "segment_records")});
  return 0;
}

Status add_meta_database(const std::string& path, FileSystem& files, BackupFolder& backup) {
  if (!files.exists(path)) return {};
  const std::string name(kMetaDatabaseName);
  DENDRO_TRY_ASSIGN(const auto database, MetaDatabase::open(path, meta_schema()));
  DENDRO_TRY(database->back_up(backup.path_of(name)));
  return backup.take_written(name);
}

/// The store is locked: nothing grows meanwhile.
Status add_chains(const std::string& directory, FileSystem& files, BackupFolder& backup) {
  DENDRO_TRY_ASSIGN(const auto chains, chain_files_of(files, directory));
  for (const auto& [path, bytes] : chains) DENDRO_TRY(backup.take(path, bytes, CopyAccess::owner_only));
  return {};
}

int run_backup(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<BackupFlags>();
  const auto app = make_backup_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  if (const std::string_view fault = place_fault(flags->place); !fault.empty()) {
    return report_failure(io, "admin backup", fault, 2);
  }
  if (flags->place.data.empty()) return back_up_server(*flags, io);
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemClock clock;
  Result<BackupReport> report = Error(ErrorCode::internal, "not run");
  {
    AdminProgress progress(io);
    report = backup_store(
        flags->place.data, flags->to, *files, clock,
        [&](const BackupProgress& at) { progress.show(at.file, at.files_done, at.files_total); },
        [&](BackupFolder& backup) -> Status {
          DENDRO_TRY(add_meta_database(meta_database_path(flags->place.data), *files, backup));
          return add_chains(flags->place.data, *files, backup);
        });
  }
  if (!report) return report_admin_error(io, "admin backup", report.error());
  print_backup(io, flags->to, *report);
  return 0;
}

}  // namespace

Command admin_backup_command() {
  return {"backup", kBackupSummary, &run_backup, &make_backup_app};
}

}  // namespace dendro
