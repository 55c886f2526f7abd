#include <CLI/CLI.hpp>

#include "apps/admin_command.h"
#include "apps/admin_progress.h"
#include "apps/admin_remote.h"
#include "apps/cli.h"
#include "apps/text_table.h"
#include "apps/verify_chain.h"
#include "base/clock.h"
#include "storage/backup.h"
#include "storage/verify.h"

namespace dendro {
namespace {

constexpr std::string_view kVerifySummary = "read all of a data folder or backup and name what is damaged";

struct VerifyFlags {
  AdminPlace place;
  std::string backup;
  VerifyChainFlags chain;
};

std::shared_ptr<CLI::App> make_verify_app_with(const std::shared_ptr<VerifyFlags>& flags) {
  auto app = make_cli_app(
      "admin verify", kVerifySummary,
      "  dendro admin verify --data dendro-data\n"
      "  dendro admin verify --backup /backup/monday\n"
      "  dendro admin verify --server http://127.0.0.1:8080\n"
      "  dendro admin verify --tenant acme --data dendro-data --anchor /mnt/worm/heads.ndjson\n"
      "  dendro admin verify --proof proof.json --public-key 8a88..\n"
      "Reads every byte and every record, changes nothing. One line a fault on stdout, FILE: offset: what.\n"
      "With --tenant the tenant's records are compared with its chain of hashes, with --proof one record with its "
      "proof\n"
      "(docs/audit.md).\n"
      "Exit codes: 0 undamaged, 1 damaged or a server uses the folder, 2 usage or no such folder.\n");
  add_place_options(*app, flags->place);
  app->add_option("--backup", flags->backup, "folder made by `dendro admin backup`")->type_name("DIR");
  app->add_option("--tenant", flags->chain.tenant, "compare this tenant's records with its chain")->type_name("ID");
  app->add_option("--anchor", flags->chain.anchor, "with --tenant: heads that were kept, a line each")
      ->type_name("FILE");
  app->add_option("--proof", flags->chain.proof, "check this proof of a record, without a store")->type_name("FILE");
  app->add_option("--public-key", flags->chain.public_key, "the key that must have signed: hex digits or a PEM file")
      ->type_name("KEY");
  return app;
}

std::shared_ptr<CLI::App> make_verify_app() {
  const auto flags = std::make_shared<VerifyFlags>();
  return keep_with(make_verify_app_with(flags), flags);
}

int verify_data(const std::string& directory, CommandIo& io) {
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemClock clock;
  Result<VerifyReport> report = Error(ErrorCode::internal, "not run");
  {
    AdminProgress progress(io);
    report = verify_store(directory, *files, clock,
                          [&](const VerifyProgress& at) { progress.show(at.file, at.files_done, at.files_total); });
  }
  if (!report) return report_admin_error(io, "admin verify", report.error());
  for (const StorageFault& fault : report->faults) std::fprintf(io.out, "%s\n", fault.text().c_str());
  for (const std::string& remark : report->remarks) std::fprintf(io.err, "note: %s\n", remark.c_str());
  for (const std::string& path : report->unlisted) {
    std::fprintf(io.err, "note: %s is not listed; the next opening removes it\n", path.c_str());
  }
  const std::string counts = grouped_digits(report->segments) + " segments, " + grouped_digits(report->records) +
                             " records in them, " + grouped_digits(report->segment_bytes) + " bytes; " +
                             grouped_digits(report->wal_records) + " records in the journal, " +
                             grouped_digits(report->queue_messages) + " messages in queues";
  const std::string verdict =
      report->is_clean() ? "undamaged"
                         : std::to_string(report->faults.size()) + " faults; docs/operations.md says what to do";
  std::fprintf(io.err, "%s: %s: %s\n", directory.c_str(), counts.c_str(), verdict.c_str());
  return report->is_clean() ? 0 : 1;
}

int verify_backup_folder(const std::string& directory, CommandIo& io) {
  const std::unique_ptr<FileSystem> files = make_posix_file_system();
  Result<std::vector<StorageFault>> faults = Error(ErrorCode::internal, "not run");
  {
    AdminProgress progress(io);
    faults = verify_backup(directory, *files,
                           [&](const BackupProgress& at) { progress.show(at.file, at.files_done, at.files_total); });
  }
  if (!faults) return report_admin_error(io, "admin verify", faults.error());
  for (const StorageFault& fault : *faults) std::fprintf(io.out, "%s\n", fault.text().c_str());
  std::fprintf(io.err, "%s: %s\n", directory.c_str(),
               faults->empty() ? "undamaged" : (std::to_string(faults->size()) + " faults").c_str());
  return faults->empty() ? 0 : 1;
}

int verify_server(const AdminPlace& place, CommandIo& io) {
  Result<AdminRemote> remote = AdminRemote::open(place, io);
  if (!remote) return report_remote_error(io, "admin verify", remote.error());
  const Result<JsonValue> result = remote->run_job("/api/v1/admin/verify", "", io);
  if (!result) return report_remote_error(io, "admin verify", result.error());
  if (const JsonValue* faults = result->find("faults")) {
    for (const JsonValue& fault : faults->elements()) {
      std::fprintf(io.out, "%s\n", std::string(fault.as_string().value_or("")).c_str());
    }
  }
  const std::uint64_t fault_count = count_of(*result, "fault_count");
  std::fprintf(
      io.err,
      "%s: %s segments, %s records in them, %s bytes; %s records in closed journal files, %s messages in queues: %s\n",
      place.server.c_str(), grouped_digits(count_of(*result, "segments")).c_str(),
      grouped_digits(count_of(*result, "records")).c_str(), grouped_digits(count_of(*result, "segment_bytes")).c_str(),
      grouped_digits(count_of(*result, "wal_records")).c_str(),
      grouped_digits(count_of(*result, "queue_messages")).c_str(),
      fault_count == 0 ? "undamaged"
                       : (std::to_string(fault_count) + " faults; docs/operations.md says what to do").c_str());
  return fault_count == 0 ? 0 : 1;
}

int run_verify(std::span<const std::string> args, CommandIo& io) {
  const auto flags = std::make_shared<VerifyFlags>();
  const auto app = make_verify_app_with(flags);
  if (const ParseOutcome outcome = parse_cli(*app, args, io); !outcome.go_on) return outcome.exit_code;
  const AdminPlace& place = flags->place;
  if (!flags->chain.proof.empty()) return verify_proof_file(flags->chain, io);
  if (!flags->chain.tenant.empty()) {
    const std::string_view fault = place_fault(place);
    return fault.empty() ? verify_tenant_chain(place, flags->chain, io) : report_failure(io, "admin verify", fault, 2);
  }
  if ((place.data.empty() ? 0 : 1) + (place.server.empty() ? 0 : 1) + (flags->backup.empty() ? 0 : 1) != 1) {
    return report_failure(
        io, "admin verify",
        "name a folder with --data DIR, the server that uses it with --server URL, or a backup with --backup DIR", 2);
  }
  if (!place.server.empty()) return verify_server(place, io);
  return place.data.empty() ? verify_backup_folder(flags->backup, io) : verify_data(place.data, io);
}

}  // namespace

Command admin_verify_command() {
  return {"verify", kVerifySummary, &run_verify, &make_verify_app};
}

}  // namespace dendro
