#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "io/file_system.h"
#include "storage/store_files.h"

namespace dendro {

/// Name of the file of a backup that lists the others. It is written last.
inline constexpr std::string_view kBackupListName = "BACKUP";

/// A file of a backup, by its path within the folder.
struct BackupEntry {
  std::string path;
  CopiedFile file;
};

/// docs/operations.md, "BACKUP".
std::string encode_backup_list(const std::vector<BackupEntry>& entries, Timestamp created);
/// Errors: not_found (no backup there), corruption (the list is damaged), unimplemented (of a later version), io_error.
Result<std::vector<BackupEntry>> read_backup_list(const std::string& folder, FileSystem& files);

}  // namespace dendro
