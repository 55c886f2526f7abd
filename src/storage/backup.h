#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/file_system.h"
#include "storage/storage_fault.h"

namespace dendro {

// A backup is a folder that holds a store as it was: the manifest's state in a manifest of its own, every listed
// segment, every live WAL file, the queues, what the caller adds, and BACKUP, which lists them with sizes and hashes
// and is written last: a folder without it is none (docs/operations.md has its form).

class BackupFolder;
/// Adds files to a backup (backup_folder.h) before BACKUP lists them.
using AddToBackup = std::function<Status(BackupFolder&)>;

struct BackupProgress {
  std::string file;
  std::uint64_t files_done = 0, files_total = 0;
};
using OnBackupProgress = std::function<void(const BackupProgress&)>;

struct BackupReport {
  std::uint64_t files = 0, bytes = 0;
  std::uint64_t segments = 0, records = 0;  ///< records in segments
};

/// Copies a store that no process has open, its queues, and what `add` adds; everything is synced when this returns. A
/// file that is damaged is copied as it is: `verify` before, if that matters. Nothing is left of a backup that failed
/// but files without BACKUP. Errors: unavailable (another process holds the store), not_found (no store), corruption
/// (the manifest cannot be read, or a listed file is missing), already_exists (`to` is there and not empty),
/// storage_full, io_error.
Result<BackupReport> backup_store(const std::string& directory, const std::string& to, FileSystem& files, Clock& clock,
                                  const OnBackupProgress& on_progress = {}, const AddToBackup& add = {});

/// Every file of a backup against its size and hash. Errors: not_found (no backup there), corruption (BACKUP itself),
/// io_error.
Result<std::vector<StorageFault>> verify_backup(const std::string& from, FileSystem& files,
                                                const OnBackupProgress& on_progress = {});

/// Makes a store of a backup, verified before anything is written and again while it is copied. CURRENT comes last: a
/// restore that failed leaves no store. `private_files`: by their paths within it, for their owner alone to read; one
/// that ends with a slash is a folder.
/// Errors: those of verify_backup; corruption (a damaged file, named); already_exists (`directory` is there and not
/// empty), storage_full.
Result<BackupReport> restore_store(const std::string& from, const std::string& directory, FileSystem& files,
                                   const OnBackupProgress& on_progress = {},
                                   const std::vector<std::string>& private_files = {});

}  // namespace dendro
