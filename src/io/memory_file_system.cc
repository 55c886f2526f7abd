#include "io/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace dendro {
namespace {

std::string memory_parent(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

Error no_such_file(const char* call, const std::string& path) {
  return Error(ErrorCode::not_found, std::string(call) + " " + path + ": No such file or directory");
}

bool ignores_sync(const std::string& pattern, const std::string& path) {
  if (pattern.empty()) return false;
  return pattern.front() == '=' ? path == pattern.substr(1) : path.find(pattern) != std::string::npos;
}

void write_into(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());
}

}  // namespace

class MemoryWritableFile final : public WritableFile {
 public:
  MemoryWritableFile(MemoryFileSystem& files, std::size_t file, std::string path)
      : files_(files), file_(file), path_(std::move(path)) {}
  Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    return files_.write(file_, path_, offset, parts);
  }
  Status sync() override { return files_.sync(file_, path_); }
  Status truncate(std::uint64_t size) override { return files_.truncate(file_, path_, size); }
  Result<std::uint64_t> size() override { return files_.size(file_); }

 private:
  MemoryFileSystem& files_;
  std::size_t file_;
  std::string path_;
};

class MemoryReader final : public RandomReader {
 public:
  MemoryReader(const MemoryFileSystem& files, std::size_t file) : files_(files), file_(file) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    return files_.read(file_, offset, out);
  }
  Result<std::uint64_t> size() override { return files_.size(file_); }

 private:
  const MemoryFileSystem& files_;
  std::size_t file_;
};

class MemoryLock final : public FileLock {
 public:
  MemoryLock(MemoryFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~MemoryLock() override { files_.unlock(path_); }

 private:
  MemoryFileSystem& files_;
  std::string path_;
};

MemoryFileSystem::MemoryFileSystem(KeepLog keep_log) : keeps_log_(keep_log == KeepLog::yes) {}
MemoryFileSystem::~MemoryFileSystem() = default;

Status MemoryFileSystem::begin_change_locked(const char* call, const std::string& path) {
  ++change_calls_;
  if (faults_.fail_call == 0 || path.find(faults_.path_part) == std::string::npos) return {};
  if (faults_.fail_call > 1) {
    --faults_.fail_call;
    return {};
  }
  if (!faults_.fail_on) faults_.fail_call = 0;
  return Error(faults_.code, std::string(call) + " " + path + ": fault ordered by the test");
}

Status MemoryFileSystem::begin_sync_locked(const char* call, const std::string& path) {
  DENDRO_TRY(begin_change_locked(call, path));
  ++sync_calls_[path];
  if (faults_.fail_sync == 0 || path.find(faults_.path_part) == std::string::npos) return {};
  if (faults_.fail_sync > 1) {
    --faults_.fail_sync;
    return {};
  }
  if (!faults_.fail_on) faults_.fail_sync = 0;
  return Error(faults_.code, std::string(call) + " " + path + ": fault ordered by the test");
}

void MemoryFileSystem::record_locked(Change change) {
  if (keeps_log_) log_.push_back(std::move(change));
}

Status MemoryFileSystem::create_directories(const std::string& path) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_change_locked("mkdir", path));
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (disk_.names.contains(folder)) {
      return Error(ErrorCode::io_error, "mkdir " + folder + ": a file of that name is there");
    }
    if (disk_.folders.insert(folder).second) record_locked(FolderChange{folder});
    if (end == std::string::npos) return {};
  }
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_sync_locked("fsync", path));
  if (!disk_.folders.contains(path)) return no_such_file("fsync", path);
  if (!ignores_sync(faults_.ignore_syncs_of, path)) record_locked(SyncFolderChange{path});
  return {};
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::open_writable(const std::string& path, OpenMode mode) {
  MutexLock lock(mutex_);
  const auto found = disk_.names.find(path);
  if (mode == OpenMode::open_existing) {
    if (found == disk_.names.end()) return no_such_file("open", path);
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(*this, found->second, path));
  }
  DENDRO_TRY(begin_change_locked("open", path));
  if (found != disk_.names.end() || disk_.folders.contains(path)) {
    return Error(ErrorCode::already_exists, "open " + path + ": File exists");
  }
  const std::string folder = memory_parent(path);
  if (!folder.empty() && !disk_.folders.contains(folder)) return no_such_file("open", path);
  const FileId file = next_file_++;
  disk_.names[path] = file;
  disk_.contents[file];
  record_locked(CreateChange{path, file});
  return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(*this, file, path));
}

Result<std::unique_ptr<RandomReader>> MemoryFileSystem::open_reader(const std::string& path) {
  MutexLock lock(mutex_);
  const auto found = disk_.names.find(path);
  if (found == disk_.names.end()) return no_such_file("open", path);
  if (!faults_.fail_reads_of.empty() && path.find(faults_.fail_reads_of) != std::string::npos) {
    return Error(faults_.code, "open " + path + ": fault to order");
  }
  return std::unique_ptr<RandomReader>(std::make_unique<MemoryReader>(*this, found->second));
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_change_locked("rename", from));
  const auto found = disk_.names.find(from);
  if (found == disk_.names.end()) return no_such_file("rename", from);
  if (memory_parent(from) != memory_parent(to)) {
    return Error(ErrorCode::invalid_argument, "rename " + from + " to " + to + ": another folder");
  }
  disk_.names[to] = found->second;
  disk_.names.erase(from);
  record_locked(RenameChange{from, to});
  return {};
}

Status MemoryFileSystem::remove(const std::string& path) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_change_locked("remove", path));
  const auto below = disk_.names.lower_bound(path + "/");
  const bool has_children = below != disk_.names.end() && below->first.starts_with(path + "/");
  if (disk_.folders.contains(path)) {
    if (has_children) return Error(ErrorCode::io_error, "remove " + path + ": Directory not empty");
    disk_.folders.erase(path);
  } else if (disk_.names.erase(path) == 0) {
    return no_such_file("remove", path);
  }
  record_locked(RemoveChange{path});
  return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) {
  MutexLock lock(mutex_);
  if (!disk_.folders.contains(path)) return no_such_file("list", path);
  std::set<std::string> names;
  const auto take = [&](const std::string& entry) {
    if (entry.size() <= path.size() + 1 || !entry.starts_with(path + "/")) return;
    names.insert(entry.substr(path.size() + 1, entry.find('/', path.size() + 1) - path.size() - 1));
  };
  for (const auto& [name, file] : disk_.names) take(name);
  for (const std::string& folder : disk_.folders) take(folder);
  return std::vector<std::string>(names.begin(), names.end());
}

bool MemoryFileSystem::exists(const std::string& path) {
  MutexLock lock(mutex_);
  return disk_.names.contains(path) || disk_.folders.contains(path);
}

Result<DiskSpace> MemoryFileSystem::disk_space(const std::string& path) {
  MutexLock lock(mutex_);
  if (!disk_.folders.contains(path)) return no_such_file("statvfs", path);
  return space_;
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_change_locked("lock", path));
  const std::string folder = memory_parent(path);
  if (!folder.empty() && !disk_.folders.contains(folder)) return no_such_file("open", path);
  if (!disk_.names.contains(path)) {
    const FileId file = next_file_++;
    disk_.names[path] = file;
    disk_.contents[file];
    record_locked(CreateChange{path, file});
  }
  if (!locked_.insert(path).second) return Error(ErrorCode::unavailable, path + " is held by another process");
  return std::unique_ptr<FileLock>(std::make_unique<MemoryLock>(*this, path));
}

void MemoryFileSystem::unlock(const std::string& path) {
  MutexLock lock(mutex_);
  locked_.erase(path);
}

Status MemoryFileSystem::write(FileId file, const std::string& path, std::uint64_t offset,
                               std::span<const std::string_view> parts) {
  std::string bytes;
  for (const std::string_view part : parts) bytes.append(part);
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_change_locked("write", path));
  std::string& content = disk_.contents[file];
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t growth = end > content.size() ? end - content.size() : 0;
  const bool is_full = growth > faults_.space_bytes;
  if (is_full) {
    const std::uint64_t fitting_end = content.size() + faults_.space_bytes;
    bytes.resize(fitting_end > offset ? fitting_end - offset : 0);
    faults_.space_bytes = 0;
  } else if (faults_.space_bytes != UINT64_MAX) {
    faults_.space_bytes -= growth;
  }
  write_into(content, offset, bytes);
  if (!bytes.empty()) record_locked(WriteChange{file, offset, std::move(bytes)});
  if (is_full) return Error(ErrorCode::storage_full, "write " + path + ": No space left on device");
  return {};
}

Status MemoryFileSystem::sync(FileId file, const std::string& path) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_sync_locked("fdatasync", path));
  if (!ignores_sync(faults_.ignore_syncs_of, path)) record_locked(SyncChange{file});
  return {};
}

Status MemoryFileSystem::truncate(FileId file, const std::string& path, std::uint64_t size) {
  MutexLock lock(mutex_);
  DENDRO_TRY(begin_change_locked("truncate", path));
  disk_.contents[file].resize(size, '\0');
  record_locked(CutChange{file, size});
  return {};
}

std::uint64_t MemoryFileSystem::size(FileId file) const {
  MutexLock lock(mutex_);
  return disk_.contents.at(file).size();
}

std::size_t MemoryFileSystem::read(FileId file, std::uint64_t offset, std::span<char> out) const {
  MutexLock lock(mutex_);
  const std::string& content = disk_.contents.at(file);
  return offset >= content.size() ? 0 : content.copy(out.data(), out.size(), offset);
}

void MemoryFileSystem::set_disk_space(DiskSpace space) {
  MutexLock lock(mutex_);
  space_ = space;
}

void MemoryFileSystem::set_faults(FileFaults faults) {
  MutexLock lock(mutex_);
  faults_ = std::move(faults);
}

std::uint64_t MemoryFileSystem::change_calls() const {
  MutexLock lock(mutex_);
  return change_calls_;
}

std::uint64_t MemoryFileSystem::sync_calls(std::string_view path_part) const {
  MutexLock lock(mutex_);
  std::uint64_t calls = 0;
  for (const auto& [path, count] : sync_calls_) {
    if (path.find(path_part) != std::string::npos) calls += count;
  }
  return calls;
}

std::size_t MemoryFileSystem::log_size() const {
  MutexLock lock(mutex_);
  return log_.size();
}

void MemoryFileSystem::damage(const std::string& path, std::uint64_t offset, std::uint8_t flip_bits) {
  MutexLock lock(mutex_);
  std::string& content = disk_.contents.at(disk_.names.at(path));
  DENDRO_CHECK(offset < content.size());
  content[offset] = static_cast<char>(static_cast<std::uint8_t>(content[offset]) ^ flip_bits);
}

}  // namespace dendro
