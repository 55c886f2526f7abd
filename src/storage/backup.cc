#include "storage/backup.h"

#include <algorithm>
#include <charconv>

#include "base/checksum.h"
#include "storage/limits.h"
#include "storage/store_files.h"

namespace dendro {
namespace {

constexpr std::string_view kBackupName = "BACKUP";
constexpr std::string_view kBackupTitle = "dendro backup 1";
constexpr std::uint64_t kMaxBackupListBytes = std::uint64_t{256} << 20;

/// A file of a backup, by its path within the folder.
struct BackupEntry {
  std::string path;
  CopiedFile file;
};

std::string hex_number(std::uint64_t number) {
  std::string text(16, '0');
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 16; i-- > 0; number >>= 4) text[i] = kDigits[number & 15];
  return text;
}

/// docs/operations.md, "BACKUP".
std::string encode_list(const std::vector<BackupEntry>& entries, Timestamp created) {
  std::string out = std::string(kBackupTitle) + " " + to_rfc3339(created, 3) + "\n";
  for (const BackupEntry& entry : entries) {
    out += hex_number(entry.file.hash) + " " + std::to_string(entry.file.bytes) + " " + entry.path + "\n";
  }
  return out + "end " + hex_number(xxh3(out, HashSeed(0))) + "\n";
}

template <typename Number>
bool take_number(std::string_view& line, int base, Number& number) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  if (error != std::errc() || end == line.data() + line.size() || *end != ' ') return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

/// A path that stays within its folder.
bool is_inner_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  const std::string framed = "/" + std::string(path) + "/";
  return framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos &&
         framed.find("//") == std::string::npos;
}

Result<std::vector<BackupEntry>> read_list(const std::string& folder, FileSystem& files) {
  const std::string path = folder + "/" + std::string(kBackupName);
  Result<std::string> text = read_whole_file(files, path, kMaxBackupListBytes);
  if (!text && text.error().code() == ErrorCode::not_found) {
    return Error(ErrorCode::not_found, "'" + folder + "' holds no whole backup: " + path + " is missing");
  }
  if (!text) return text.error();
  const auto damaged = [&](const std::string& what) { return Error(ErrorCode::corruption, path + ": " + what); };
  const std::size_t end = text->rfind("\nend ");
  if (end == std::string::npos || text->size() != end + 1 + 4 + 16 + 1 || text->back() != '\n') {
    return damaged("it is cut off");
  }
  const std::string_view body = std::string_view(*text).substr(0, end + 1);
  if (std::string_view(*text).substr(end + 5, 16) != hex_number(xxh3(body, HashSeed(0)))) {
    return damaged("checksum mismatch");
  }
  if (!body.starts_with(std::string(kBackupTitle) + " ")) {
    return Error(ErrorCode::unimplemented, path + ": a backup of a later version of dendro");
  }
  std::vector<BackupEntry> entries;
  std::string_view rest = body.substr(body.find('\n') + 1);
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    BackupEntry& entry = entries.emplace_back();
    if (!take_number(line, 16, entry.file.hash) || !take_number(line, 10, entry.file.bytes) || !is_inner_path(line)) {
      return damaged("line " + std::to_string(entries.size() + 1) + " is no entry");
    }
    entry.path = line;
  }
  return entries;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// A folder that is missing or empty. `directory` itself is made.
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

/// Copies files from one folder into another and remembers what must be synced.
class FolderCopy {
 public:
  FolderCopy(FileSystem& files, std::string from, std::string to, const OnBackupProgress& on_progress,
             std::uint64_t files_total)
      : files_(files),
        from_(std::move(from)),
        to_(std::move(to)),
        on_progress_(on_progress),
        files_total_(files_total) {}

  Result<CopiedFile> copy(const std::string& path) {
    tell(path);
    DENDRO_TRY(make_folder(path));
    return copy_file(files_, from_ + "/" + path, to_ + "/" + path);
  }
  Status write(const std::string& path, std::string_view bytes) {
    tell(path);
    DENDRO_TRY(make_folder(path));
    return write_new_file(files_, to_ + "/" + path, bytes);
  }
  Status sync_folders() {
    for (const std::string& folder : folders_) DENDRO_TRY(files_.sync_directory(folder));
    folders_.clear();
    return {};
  }

 private:
  void tell(const std::string& path) {
    if (on_progress_) on_progress_({path, files_done_, files_total_});
    ++files_done_;
  }
  Status make_folder(const std::string& path) {
    const std::string inner = folder_of(path);
    const std::string folder = inner.empty() ? to_ : to_ + "/" + inner;
    if (std::find(folders_.begin(), folders_.end(), folder) != folders_.end()) return {};
    folders_.push_back(folder);
    return files_.create_directories(folder);
  }

  FileSystem& files_;
  const std::string from_;
  const std::string to_;
  const OnBackupProgress& on_progress_;
  const std::uint64_t files_total_;
  std::uint64_t files_done_ = 0;
  std::vector<std::string> folders_;
};

/// Paths within the store of the files that a backup takes, the manifest left out.
Result<std::vector<std::string>> files_of_store(const StorePaths& paths, FileSystem& files,
                                                const ManifestState& state) {
  const std::size_t root_bytes = paths.root().size() + 1;
  std::vector<std::string> inner;
  for (const auto& [id, info] : state.segments) {
    inner.push_back(paths.segment(info.tenant, info.day, id).substr(root_bytes));
  }
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
                                  const OnBackupProgress& on_progress) {
  const StorePaths paths(directory);
  if (!is_store(paths, files)) {
    return Error(ErrorCode::not_found, "'" + directory + "' is not a data folder of dendro");
  }
  DENDRO_TRY_ASSIGN(const std::unique_ptr<FileLock> lock, files.lock(paths.lock_file()));
  DENDRO_TRY_ASSIGN(const LiveManifest live, read_live_manifest(paths, files));
  DENDRO_TRY(make_empty_target(files, to));
  DENDRO_TRY_ASSIGN(const std::vector<std::string> inner, files_of_store(paths, files, live.contents.state));

  FolderCopy copy(files, directory, to, on_progress, inner.size() + 2);
  std::vector<BackupEntry> entries;
  BackupReport report;
  for (const std::string& path : inner) {
    Result<CopiedFile> copied = copy.copy(path);
    if (!copied && copied.error().code() == ErrorCode::not_found) {
      return Error(ErrorCode::corruption, directory + "/" + path + ": missing, but the manifest lists it");
    }
    if (!copied) return copied.error();
    entries.push_back({path, *copied});
    report.bytes += copied->bytes;
  }
  const std::string name = StorePaths::manifest_name(live.number);
  const std::string manifest = encode_manifest(live.contents.store_id, live.number, clock.now(), live.contents.state);
  for (const auto& [path, bytes] : {std::pair(name, manifest), std::pair(std::string("CURRENT"), name + "\n")}) {
    DENDRO_TRY(copy.write(path, bytes));
    DENDRO_TRY_ASSIGN(const CopiedFile written, hash_file(files, to + "/" + path));
    entries.push_back({path, written});
    report.bytes += written.bytes;
  }
  DENDRO_TRY(copy.sync_folders());
  DENDRO_TRY(replace_file(files, to, to + "/" + std::string(kBackupName), encode_list(entries, clock.now())));
  report.files = entries.size();
  report.segments = live.contents.state.segments.size();
  for (const auto& [id, info] : live.contents.state.segments) report.records += info.record_count;
  return report;
}

Result<std::vector<StorageFault>> verify_backup(const std::string& from, FileSystem& files,
                                                const OnBackupProgress& on_progress) {
  DENDRO_TRY_ASSIGN(const std::vector<BackupEntry> entries, read_list(from, files));
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
                                   const OnBackupProgress& on_progress) {
  DENDRO_TRY_ASSIGN(const std::vector<BackupEntry> entries, read_list(from, files));
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
    DENDRO_TRY_ASSIGN(const CopiedFile copied, copy.copy(entry.path));
    if (copied.hash != entry.file.hash || copied.bytes != entry.file.bytes) {
      return Error(ErrorCode::corruption, from + "/" + entry.path + ": changed while it was copied");
    }
    ++report.files;
    report.bytes += copied.bytes;
    report.segments += entry.path.ends_with(".seg") ? 1 : 0;
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
