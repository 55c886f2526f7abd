#include "storage/backup.h"

#include <algorithm>

#include "storage/backup_folder.h"
#include "storage/store_files.h"

namespace dendro {
namespace {

constexpr std::string_view kQueueFileSuffix = ".q";

/// Damaged or not.
Status add_queue_files(const StorePaths& paths, FileSystem& files, std::vector<std::string>& inner) {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> queues, list_queue_names(paths, files));
  for (const std::string& queue : queues) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(paths.queue_folder(queue)));
    for (const std::string& name : names) {
      if (!name.ends_with(kQueueFileSuffix)) continue;
      inner.push_back((paths.queue_folder(queue) + "/" + name).substr(paths.root().size() + 1));
    }
  }
  return {};
}

/// Paths within the store of the files that a backup takes, the manifest left out.
Result<std::vector<std::string>> files_of_store(const StorePaths& paths, FileSystem& files,
                                                const ManifestState& state) {
  const std::size_t root_bytes = paths.root().size() + 1;
  std::vector<std::string> inner;
  for (const auto& [id, info] : state.segments) {
    inner.push_back(paths.segment(info.tenant, info.day, id).substr(root_bytes));
  }
  DENDRO_TRY(add_queue_files(paths, files, inner));
  if (!files.exists(paths.wal_folder())) return inner;
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(paths.wal_folder()));
  for (const std::string& name : names) {
    const auto number = StorePaths::parse_wal_name(name);
    if (number && *number >= state.counters.first_live_wal) inner.push_back(paths.wal_file(*number).substr(root_bytes));
  }
  return inner;
}

}  // namespace

Result<BackupReport> backup_store(const std::string& directory, const std::string& to, FileSystem& files, Clock& clock,
                                  const OnBackupProgress& on_progress, const AddToBackup& add) {
  const StorePaths paths(directory);
  if (!is_store(paths, files)) {
    return Error(ErrorCode::not_found, "'" + directory + "' is not a data folder of dendro");
  }
  DENDRO_TRY_ASSIGN(const std::unique_ptr<FileLock> lock, files.lock(paths.lock_file()));
  DENDRO_TRY_ASSIGN(const LiveManifest live, read_live_manifest(paths, files));
  DENDRO_TRY(make_empty_target(files, to));
  DENDRO_TRY_ASSIGN(const std::vector<std::string> inner, files_of_store(paths, files, live.contents.state));

  BackupFolder backup(files, clock, directory, to, on_progress, inner.size() + 2);
  for (const std::string& path : inner) DENDRO_TRY(backup.take(path));
  if (add) DENDRO_TRY(add(backup));
  return backup.finish(live.contents.store_id, live.number, live.contents.state);
}

Result<std::vector<StorageFault>> verify_backup(const std::string& from, FileSystem& files,
                                                const OnBackupProgress& on_progress) {
  DENDRO_TRY_ASSIGN(const std::vector<BackupEntry> entries, read_backup_list(from, files));
  std::vector<StorageFault> faults;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const BackupEntry& entry = entries[i];
    if (on_progress) on_progress({entry.path, i, entries.size()});
    const std::string path = from + "/" + entry.path;
    const Result<CopiedFile> found = hash_file(files, path);
    if (!found) {
      if (found.error().code() != ErrorCode::not_found) return found.error();
      faults.push_back({path, {}, "missing"});
    } else if (found->bytes != entry.file.bytes) {
      faults.push_back({path, std::min(found->bytes, entry.file.bytes),
                        "has " + std::to_string(found->bytes) + " bytes, not " + std::to_string(entry.file.bytes)});
    } else if (found->hash != entry.file.hash) {
      faults.push_back({path, {}, "checksum mismatch"});
    }
  }
  return faults;
}

Result<BackupReport> restore_store(const std::string& from, const std::string& directory, FileSystem& files,
                                   const OnBackupProgress& on_progress, const std::vector<std::string>& private_files) {
  DENDRO_TRY_ASSIGN(const std::vector<BackupEntry> entries, read_backup_list(from, files));
  DENDRO_TRY_ASSIGN(const std::vector<StorageFault> faults, verify_backup(from, files, on_progress));
  if (!faults.empty()) {
    return Error(ErrorCode::corruption,
                 "the backup is damaged, nothing was restored: " + faults.front().text() +
                     (faults.size() > 1 ? " (and " + std::to_string(faults.size() - 1) + " more)" : ""));
  }
  const auto current =
      std::find_if(entries.begin(), entries.end(), [](const BackupEntry& entry) { return entry.path == "CURRENT"; });
  if (current == entries.end()) return Error(ErrorCode::corruption, from + "/BACKUP: lists no CURRENT");
  DENDRO_TRY(make_empty_target(files, directory));
  FolderCopy copy(files, from, directory, on_progress, entries.size());
  BackupReport report;
  const auto take = [&](const BackupEntry& entry) -> Status {
    const bool is_private = std::any_of(private_files.begin(), private_files.end(), [&entry](const std::string& one) {
      return one.ends_with('/') ? entry.path.starts_with(one) : entry.path == one;
    });
    DENDRO_TRY_ASSIGN(const CopiedFile copied,
                      copy.copy(entry.path, UINT64_MAX, is_private ? CopyAccess::owner_only : CopyAccess::usual));
    if (copied.hash != entry.file.hash || copied.bytes != entry.file.bytes) {
      return Error(ErrorCode::corruption, from + "/" + entry.path + ": changed while it was copied");
    }
    ++report.files;
    report.bytes += copied.bytes;
    report.segments += entry.path.ends_with(".seg") ? 1u : 0u;
    return {};
  };
  for (const BackupEntry& entry : entries) {
    if (entry.path != current->path) DENDRO_TRY(take(entry));
  }
  DENDRO_TRY(copy.sync_folders());
  DENDRO_TRY(take(*current));
  DENDRO_TRY(files.sync_directory(directory));
  DENDRO_TRY_ASSIGN(const LiveManifest live, read_live_manifest(StorePaths(directory), files));
  for (const auto& [id, info] : live.contents.state.segments) report.records += info.record_count;
  return report;
}

}  // namespace dendro
