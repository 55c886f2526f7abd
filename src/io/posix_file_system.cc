#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "io/errno_error.h"
#include "io/file_system.h"

namespace dendro {
namespace {

/// Reads errno: call it first after the failed call.
Error file_error(const char* call, const std::string& path) {
  const int error_number = errno;
  if (error_number != EEXIST) return error_from_errno(call, path, error_number);
  return Error(ErrorCode::already_exists, std::string(call) + " " + path + ": " + errno_text(error_number));
}

/// Calls until a signal does not interrupt it.
template <typename Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Owns a descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int number() const { return fd_; }

 private:
  int fd_;
};

Result<FileDescriptor> open_fd(const std::string& path, int flags, mode_t access = 0644) {
  const int fd = retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, access); });
  if (fd < 0) return file_error("open", path);
  return FileDescriptor(fd);
}

Result<std::uint64_t> fd_size(int fd, const std::string& path) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return file_error("stat", path);
  return static_cast<std::uint64_t>(status.st_size);
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    std::vector<iovec> pending;
    pending.reserve(parts.size());
    for (const std::string_view part : parts) {
      if (!part.empty()) pending.push_back({const_cast<char*>(part.data()), part.size()});
    }
    std::span<iovec> rest(pending);
    while (!rest.empty()) {
      const int count = static_cast<int>(std::min<std::size_t>(rest.size(), IOV_MAX));
      const ssize_t written =
          retry_interrupted([&] { return ::pwritev(fd_.number(), rest.data(), count, static_cast<off_t>(offset)); });
      if (written < 0) return file_error("write", path_);
      if (written == 0) return Error(ErrorCode::io_error, "write " + path_ + ": nothing was taken");
      offset += static_cast<std::uint64_t>(written);
      rest = drop_front(rest, static_cast<std::size_t>(written));
    }
    return {};
  }

  Status sync() override {
    if (retry_interrupted([this] { return ::fdatasync(fd_.number()); }) != 0) return file_error("fdatasync", path_);
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (retry_interrupted([&] { return ::ftruncate(fd_.number(), static_cast<off_t>(size)); }) != 0) {
      return file_error("truncate", path_);
    }
    return {};
  }

  Result<std::uint64_t> size() override { return fd_size(fd_.number(), path_); }

 private:
  static std::span<iovec> drop_front(std::span<iovec> parts, std::size_t bytes) {
    while (!parts.empty() && bytes >= parts.front().iov_len) {
      bytes -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (bytes > 0) {
      parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + bytes;
      parts.front().iov_len -= bytes;
    }
    return parts;
  }

  FileDescriptor fd_;
  std::string path_;
};

class PosixRandomReader final : public RandomReader {
 public:
  PosixRandomReader(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t count = retry_interrupted([&] {
        return ::pread(fd_.number(), out.data() + filled, out.size() - filled, static_cast<off_t>(offset + filled));
      });
      if (count < 0) return file_error("read", path_);
      if (count == 0) break;
      filled += static_cast<std::size_t>(count);
    }
    return filled;
  }

  Result<std::uint64_t> size() override { return fd_size(fd_.number(), path_); }

 private:
  FileDescriptor fd_;
  std::string path_;
};

/// The lock is the open descriptor's: closing it, or the end of the process, lets go.
class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(FileDescriptor fd) : fd_(std::move(fd)) {}

 private:
  FileDescriptor fd_;
};

std::string parent_folder(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFileSystem final : public FileSystem {
 public:
  Status create_directories(const std::string& path) override {
    for (std::size_t end = path.find('/', 1); !path.empty(); end = path.find('/', end + 1)) {
      const std::string folder = path.substr(0, end);
      const bool is_new = ::mkdir(folder.c_str(), 0755) == 0;
      if (!is_new && errno != EEXIST) return file_error("mkdir", folder);
      DENDRO_TRY(make_name_durable(folder, is_new));
      if (end == std::string::npos) break;
    }
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) return file_error("stat", path);
    if (!S_ISDIR(status.st_mode)) return Error(ErrorCode::io_error, "mkdir " + path + ": a file of that name is there");
    return {};
  }

  Status sync_directory(const std::string& path) override {
    DENDRO_TRY_ASSIGN(const FileDescriptor fd, open_fd(path, O_RDONLY | O_DIRECTORY));
    if (retry_interrupted([&] { return ::fsync(fd.number()); }) != 0) return file_error("fsync", path);
    return {};
  }

  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, OpenMode mode) override {
    const int flags = mode == OpenMode::open_existing ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
    const mode_t access = mode == OpenMode::create_private ? 0600 : 0644;
    DENDRO_TRY_ASSIGN(FileDescriptor fd, open_fd(path, flags, access));
    return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(fd), path));
  }

  Result<std::unique_ptr<RandomReader>> open_reader(const std::string& path) override {
    DENDRO_TRY_ASSIGN(FileDescriptor fd, open_fd(path, O_RDONLY));
    return std::unique_ptr<RandomReader>(std::make_unique<PosixRandomReader>(std::move(fd), path));
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return file_error("rename", from + " to " + to);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) return file_error("remove", path);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* folder = ::opendir(path.c_str());
    if (folder == nullptr) return file_error("list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(folder)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error_number = errno;
    ::closedir(folder);
    errno = error_number;
    if (error_number != 0) return file_error("list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<DiskSpace> disk_space(const std::string& path) override {
    struct statvfs status;
    if (retry_interrupted([&] { return ::statvfs(path.c_str(), &status); }) != 0) return file_error("statvfs", path);
    return DiskSpace{status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    DENDRO_TRY_ASSIGN(FileDescriptor fd, open_fd(path, O_RDWR | O_CREAT));
    if (retry_interrupted([&] { return ::flock(fd.number(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return Error(ErrorCode::unavailable, path + " is held by another process");
      return file_error("flock", path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(fd)));
  }

 private:
  /// A folder that is there already may have been made a moment ago, by another thread or by a process that was killed:
  /// its name is synced by the first who comes by. Those above the caller's own root are synced for nothing, once.
  Status make_name_durable(const std::string& folder, bool is_new) {
    {
      MutexLock lock(mutex_);
      if (!is_new && durable_folders_.contains(folder)) return {};
    }
    const std::string parent = parent_folder(folder);
    if (is_new) {
      DENDRO_TRY(sync_directory(parent));
    } else {
      // Folders above the caller's own may be out of reach, or on a disk that is only read: those were not made by us.
      const auto is_not_ours = [] { return errno == EACCES || errno == EPERM || errno == EROFS || errno == EINVAL; };
      const FileDescriptor fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      const bool is_synced = fd.number() >= 0 && retry_interrupted([&] { return ::fsync(fd.number()); }) == 0;
      if (!is_synced && !is_not_ours()) return file_error("fsync", parent);
    }
    MutexLock lock(mutex_);
    if (durable_folders_.size() >= kDurableFoldersMax) durable_folders_.clear();
    durable_folders_.insert(folder);
    return {};
  }

  static constexpr std::size_t kDurableFoldersMax = 10'000;
  Mutex mutex_;
  std::set<std::string> durable_folders_ DENDRO_GUARDED_BY(mutex_);  ///< whose names this process has synced
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace dendro
