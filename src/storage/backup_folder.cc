#include "storage/backup_folder.h"

#include <algorithm>

#include "storage/manifest.h"
#include "storage/store_paths.h"

namespace dendro {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace

Status make_empty_target(FileSystem& files, const std::string& directory) {
  if (files.exists(directory)) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
    if (!names.empty()) {
      return Error(ErrorCode::already_exists,
                   "'" + directory + "' is not empty (" + names.front() + " is there): name a new folder");
    }
  }
  return files.create_directories(directory);
}

FolderCopy::FolderCopy(FileSystem& files, std::string from, std::string to, const OnBackupProgress& on_progress,
                       std::uint64_t files_total)
    : files_(files), from_(std::move(from)), to_(std::move(to)), on_progress_(on_progress), files_total_(files_total) {}

Result<CopiedFile> FolderCopy::copy(const std::string& path, std::uint64_t bytes_max, CopyAccess access) {
  tell(path);
  DENDRO_TRY(make_folder(path));
  return copy_file(files_, from_ + "/" + path, to_ + "/" + path, bytes_max, access);
}

Status FolderCopy::write(const std::string& path, std::string_view bytes) {
  tell(path);
  DENDRO_TRY(make_folder(path));
  return write_new_file(files_, to_ + "/" + path, bytes);
}

Status FolderCopy::sync_folders() {
  for (const std::string& folder : folders_) DENDRO_TRY(files_.sync_directory(folder));
  folders_.clear();
  return {};
}

void FolderCopy::tell(const std::string& path) {
  files_total_ = std::max(files_total_, files_done_ + 1);  // nobody counts what is added at the end
  if (on_progress_) on_progress_({path, files_done_, files_total_});
  ++files_done_;
}

Status FolderCopy::make_folder(const std::string& path) {
  const std::string inner = folder_of(path);
  const std::string folder = inner.empty() ? to_ : to_ + "/" + inner;
  if (std::find(folders_.begin(), folders_.end(), folder) != folders_.end()) return {};
  folders_.push_back(folder);
  return files_.create_directories(folder);
}

BackupFolder::BackupFolder(FileSystem& files, const Clock& clock, const std::string& from, std::string to,
                           const OnBackupProgress& on_progress, std::uint64_t files_total)
    : files_(files),
      clock_(clock),
      from_(from),
      to_(std::move(to)),
      copy_(files, from_, to_, on_progress, files_total) {}

Status BackupFolder::take(const std::string& path, std::uint64_t bytes_max, CopyAccess access) {
  const Result<CopiedFile> copied = copy_.copy(path, bytes_max, access);
  if (!copied && copied.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::corruption, from_ + "/" + path + ": missing, but the store lists it");
  }
  if (!copied) return copied.error();
  entries_.push_back({path, *copied});
  bytes_ += copied->bytes;
  return {};
}

Status BackupFolder::take_written(const std::string& path) {
  DENDRO_TRY_ASSIGN(const CopiedFile written, hash_file(files_, path_of(path)));
  entries_.push_back({path, written});
  bytes_ += written.bytes;
  return {};
}

Result<BackupReport> BackupFolder::finish(const Bytes16& store_id, std::uint64_t manifest_number,
                                          const ManifestState& state) {
  const std::string name = StorePaths::manifest_name(manifest_number);
  const std::string manifest = encode_manifest(store_id, manifest_number, clock_.now(), state);
  for (const auto& [path, bytes] : {std::pair(name, manifest), std::pair(std::string("CURRENT"), name + "\n")}) {
    DENDRO_TRY(copy_.write(path, bytes));
    DENDRO_TRY_ASSIGN(const CopiedFile written, hash_file(files_, to_ + "/" + path));
    entries_.push_back({path, written});
    bytes_ += written.bytes;
  }
  DENDRO_TRY(copy_.sync_folders());
  const std::string list = to_ + "/" + std::string(kBackupListName);
  DENDRO_TRY(replace_file(files_, to_, list, encode_backup_list(entries_, clock_.now())));
  BackupReport report;
  report.files = entries_.size();
  report.bytes = bytes_;
  report.segments = state.segments.size();
  for (const auto& [id, info] : state.segments) report.records += info.record_count;
  return report;
}

}  // namespace dendro
