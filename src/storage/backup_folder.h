#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "storage/backup.h"
#include "storage/backup_list.h"
#include "storage/manifest_edit.h"

namespace dendro {

/// A folder that is missing or empty. `directory` itself is made. Errors: already_exists.
Status make_empty_target(FileSystem& files, const std::string& directory);

/// Copies files from one folder into another and remembers what must be synced. One thread.
class FolderCopy {
 public:
  /// `files` and `on_progress` outlive this.
  FolderCopy(FileSystem& files, std::string from, std::string to, const OnBackupProgress& on_progress,
             std::uint64_t files_total);
  /// By its path within both folders; otherwise, and its errors, as copy_file.
  Result<CopiedFile> copy(const std::string& path, std::uint64_t bytes_max = UINT64_MAX,
                          CopyAccess access = CopyAccess::usual);
  Status write(const std::string& path, std::string_view bytes);
  Status sync_folders();

 private:
  void tell(const std::string& path);
  Status make_folder(const std::string& path);

  FileSystem& files_;
  const std::string from_;
  const std::string to_;
  const OnBackupProgress& on_progress_;
  std::uint64_t files_total_;
  std::uint64_t files_done_ = 0;
  std::vector<std::string> folders_;
};

/// A backup that is being written: files of the store in any order, then finish(). One thread.
class BackupFolder {
 public:
  BackupFolder(FileSystem& files, const Clock& clock, const std::string& from, std::string to,
               const OnBackupProgress& on_progress, std::uint64_t files_total);
  /// By its path within the store, the first `bytes_max` bytes. Errors: corruption (it is missing), storage_full,
  /// io_error.
  Status take(const std::string& path, std::uint64_t bytes_max = UINT64_MAX, CopyAccess access = CopyAccess::usual);
  /// A file that somebody else has written, and synced, where path_of says. Errors: not_found, io_error.
  Status take_written(const std::string& path);
  /// Where a file of the backup lies, by its path within it.
  std::string path_of(const std::string& path) const { return to_ + "/" + path; }
  /// Writes the manifest of that state, CURRENT and, once all is synced, BACKUP.
  Result<BackupReport> finish(const Bytes16& store_id, std::uint64_t manifest_number, const ManifestState& state);

 private:
  FileSystem& files_;
  const Clock& clock_;
  const std::string from_;
  const std::string to_;
  FolderCopy copy_;
  std::vector<BackupEntry> entries_;
  std::uint64_t bytes_ = 0;
};

}  // namespace dendro
