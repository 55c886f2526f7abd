#include "services/admin/admin_service.h"

#include <algorithm>
#include <filesystem>

#include "base/json_writer.h"
#include "meta/meta_schema.h"

namespace dendro {
namespace {

/// Faults in the result of a verification; one flipped bit may make many.
constexpr std::size_t kMaxFaultsTold = 1'000;

std::string size_json(const StoreStats& stats) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("segments", stats.segment_count);
  json.member("bytes", stats.segment_bytes);
  json.member("records", stats.segment_records);
  json.end_object();
  return out;
}

Result<std::string> compact_store(Store& store, CompactionScope scope, const WorkWatch& watch) {
  DENDRO_TRY(store.flush());
  const std::string before = size_json(store.stats());
  DENDRO_TRY(store.compact(scope, watch));
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("before");
  json.raw(before);
  json.key("after");
  json.raw(size_json(store.stats()));
  json.end_object();
  return out;
}

std::string backup_json(const std::string& directory, const BackupReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("directory", directory);
  json.member("files", report.files);
  json.member("bytes", report.bytes);
  json.member("segments", report.segments);
  json.member("segment_records", report.records);
  json.end_object();
  return out;
}

std::string verify_json(const VerifyReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("undamaged", report.is_clean());
  json.member("fault_count", report.faults.size());
  json.key("faults");
  json.begin_array();
  for (std::size_t i = 0; i < std::min(report.faults.size(), kMaxFaultsTold); ++i) json.value(report.faults[i].text());
  json.end_array();
  json.member("segments", report.segments);
  json.member("records", report.records);
  json.member("segment_bytes", report.segment_bytes);
  json.member("wal_records", report.wal_records);
  json.member("queue_messages", report.queue_messages);
  json.end_object();
  return out;
}

}  // namespace

Result<std::string> resolve_backup_folder(const std::string& allowed, const std::string& wanted) {
  if (allowed.empty()) {
    return Error(ErrorCode::permission_denied,
                 "this server writes no backups: set admin.backup_directory (DENDRO_ADMIN_BACKUP_DIRECTORY) to the "
                 "folder that may hold them");
  }
  if (wanted.empty() || wanted.find('\0') != std::string::npos) {
    return Error(ErrorCode::invalid_argument, "directory: name a new folder for the backup");
  }
  const auto plain = [](const std::filesystem::path& path) {
    std::string text = path.lexically_normal().string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
  };
  const std::string base = plain(allowed);
  const std::string target = plain(std::filesystem::path(base) / wanted);
  if (target == base) {
    return Error(ErrorCode::invalid_argument, "directory: name a new folder inside the one that holds backups");
  }
  if (!target.starts_with(base == "/" ? base : base + "/")) {
    return Error(ErrorCode::permission_denied, "directory: backups go to folders inside '" + base + "' only");
  }
  return target;
}

AdminService::AdminService(Store& store, const Clock& clock, RandomSource& random, AdminOptions options)
    : store_(store), options_(std::move(options)), deletions_(store, clock), jobs_(clock, random) {}

Result<std::string> AdminService::start_compaction(CompactionScope scope, AdminJobs::OnEnd on_end) {
  return jobs_.start(
      "compact", [this, scope](const WorkWatch& watch) { return compact_store(store_, scope, watch); },
      std::move(on_end));
}

Result<std::string> AdminService::start_backup(const std::string& directory) {
  DENDRO_TRY_ASSIGN(const std::string target, resolve_backup_folder(options_.backup_directory, directory));
  return jobs_.start("backup", [this, target](const WorkWatch& watch) -> Result<std::string> {
    std::vector<std::pair<std::string, std::uint64_t>> more;
    if (options_.more_files) {
      DENDRO_TRY_ASSIGN(more, options_.more_files());
    }
    const AddToBackup add = [this, &more](BackupFolder& backup) -> Status {
      DENDRO_TRY(add_to_backup(backup));
      for (const auto& [path, bytes] : more) DENDRO_TRY(backup.take(path, bytes, CopyAccess::owner_only));
      return {};
    };
    DENDRO_TRY_ASSIGN(const BackupReport report, store_.backup(target, watch, add));
    return backup_json(target, report);
  });
}

/// The meta database, and then the queues as they are at one moment. What moves from the one into the others rests
/// meanwhile, so every message is in the copy once: either still to be sent, or not delivered yet.
Status AdminService::add_to_backup(BackupFolder& backup) const {
  std::shared_ptr<void> rest = options_.hold_messages ? options_.hold_messages() : nullptr;
  if (options_.meta != nullptr) {
    const std::string name(kMetaDatabaseName);
    DENDRO_TRY(options_.meta->back_up(backup.path_of(name)));
    DENDRO_TRY(backup.take_written(name));
  }
  std::vector<std::unique_ptr<Spool::Hold>> holds;
  for (const NamedSpool& one : options_.spools) holds.push_back(std::make_unique<Spool::Hold>(*one.spool));
  rest.reset();
  for (std::size_t i = 0; i < holds.size(); ++i) {
    for (const FoundSpoolFile& file : holds[i]->files()) {
      DENDRO_TRY(
          backup.take("queue/" + options_.spools[i].name + "/" + spool_file_name(file.header.number), file.bytes));
    }
  }
  return {};
}

Result<std::string> AdminService::start_verify() {
  return jobs_.start("verify", [this](const WorkWatch& watch) -> Result<std::string> {
    DENDRO_TRY_ASSIGN(VerifyReport report, store_.verify(watch));
    for (const NamedSpool& one : options_.spools) {
      DENDRO_TRY_ASSIGN(const SpoolReport found, one.spool->verify());
      add_spool_report(one.spool->directory(), found, report);
    }
    return verify_json(report);
  });
}

}  // namespace dendro
