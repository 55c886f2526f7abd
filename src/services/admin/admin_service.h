#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "meta/meta_database.h"
#include "services/admin/admin_jobs.h"
#include "services/admin/deletion_log.h"
#include "storage/backup_folder.h"
#include "storage/spool/spool.h"
#include "storage/store.h"

namespace dendro {

/// A spool of the data folder, `queue/<name>`.
struct NamedSpool {
  std::string name;
  Spool* spool = nullptr;
};

/// What the pointers point to outlives the service.
struct AdminOptions {
  std::string backup_directory = {};    ///< backups go to new folders inside it; empty: there are none over the network
  MetaDatabase* meta = nullptr;         ///< goes with a backup; null: there is none
  std::vector<NamedSpool> spools = {};  ///< go with a backup and are verified
  /// Files of the data folder, for its owner's eyes, that go with a backup, so many bytes of each: asked before the
  /// records are copied, so that none of them speaks of a record that is not in it. Null: there are none.
  std::function<Result<std::vector<std::pair<std::string, std::uint64_t>>>()> more_files = nullptr;
  /// While what it gives lives, no message moves from the meta database into a spool. Null: none ever does.
  std::function<std::shared_ptr<void>()> hold_messages = nullptr;
};

/// What an operator asks of a server's store: deletions, and long work as jobs. Thread-safe.
class AdminService {
 public:
  /// All outlive this.
  AdminService(Store& store, const Clock& clock, RandomSource& random, AdminOptions options);

  DeletionLog& deletions() { return deletions_; }
  AdminJobs& jobs() { return jobs_; }
  const AdminJobs& jobs() const { return jobs_; }
  StoreCondition condition() const { return store_.condition(); }

  /// Flushes and does what is due, or all as if every day were over. Counts merges. Errors: as AdminJobs::start.
  Result<std::string> start_compaction(CompactionScope scope, AdminJobs::OnEnd on_end = {});
  /// @param directory  a new or empty folder: absolute, or within backup_directory. Counts files.
  /// Errors: permission_denied (none is configured; or it lies elsewhere), invalid_argument, and those of
  /// AdminJobs::start.
  Result<std::string> start_backup(const std::string& directory);
  /// Its result says what is damaged; the job is `done` all the same. Counts files. Errors: as AdminJobs::start.
  Result<std::string> start_verify();

 private:
  Status add_to_backup(BackupFolder& backup) const;

  Store& store_;
  const AdminOptions options_;
  DeletionLog deletions_;
  AdminJobs jobs_;  ///< last: its threads use the rest
};

/// Where a backup goes that a caller wants in `wanted`. Looks at texts, not at the disk.
/// Errors: permission_denied (`allowed` is empty; `wanted` lies elsewhere), invalid_argument (empty, or the folder
/// itself).
Result<std::string> resolve_backup_folder(const std::string& allowed, const std::string& wanted);

}  // namespace dendro
