#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/hex.h"
#include "base/random.h"
#include "io/errno_error.h"
#include "io/object_store.h"

namespace dendro {
namespace {

constexpr std::string_view kLocalScheme = "file://";
constexpr std::string_view kTemporaryPrefix = ".dendro-put-";

/// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Timestamp timestamp_of(const timespec& time) {
  return Timestamp(time.tv_sec * kNanosPerSecond + time.tv_nsec);
}

std::string etag_of(const struct stat& info) {
  const auto nanos = [](const timespec& time) { return std::to_string(timestamp_of(time).number()); };
  return std::to_string(info.st_ino) + "-" + std::to_string(info.st_size) + "-" + nanos(info.st_mtim) + "-" +
         nanos(info.st_ctim);
}

Status check_key(const std::string& key) {
  std::size_t first = 0;
  while (true) {
    const std::size_t last = std::min(key.find('/', first), key.size());
    const std::string_view part = std::string_view(key).substr(first, last - first);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      return Error(ErrorCode::invalid_argument, "object key '" + key + "': has an empty, '.' or '..' part");
    }
    if (last == key.size()) return {};
    first = last + 1;
  }
}

Result<Fd> open_bucket(const std::string& bucket) {
  if (!is_local_bucket(bucket)) {
    return Error(ErrorCode::unimplemented, "bucket " + bucket + ": no folder; one is named file:///path");
  }
  const std::string path = bucket.substr(kLocalScheme.size());
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return error_from_errno("bucket", bucket, errno);
  return folder;
}

/// Opens the folder that holds `key`, one part at a time so that no part may be a link; `name` gets the last part.
Result<Fd> open_parent(Fd folder, const std::string& key, bool create, std::string& name) {
  std::size_t first = 0;
  for (std::size_t slash = key.find('/'); slash != std::string::npos; slash = key.find('/', first)) {
    const std::string part = key.substr(first, slash - first);
    if (create && ::mkdirat(folder.get(), part.c_str(), 0777) != 0 && errno != EEXIST) {
      return error_from_errno("object", key, errno);
    }
    Fd next(::openat(folder.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) return error_from_errno("object", key, errno);
    folder = std::move(next);
    first = slash + 1;
  }
  name = key.substr(first);
  return folder;
}

/// Walks a folder tree in byte order of the keys and collects those that begin with `prefix` and come after `after`.
class TreeWalk {
 public:
  TreeWalk(const std::string& prefix, const std::string& after, std::size_t objects_max)
      : prefix_(prefix), after_(after), objects_max_(objects_max) {}

  /// `folder_key` is "" or ends with "/". Stops once `objects_max` objects are there.
  Status walk(Fd folder, const std::string& folder_key) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, sorted_names(folder, folder_key));
    for (const std::string& name : names) {
      if (full()) return {};
      const std::string key = folder_key + name;
      if (name.ends_with('/')) {
        DENDRO_TRY(enter(folder, name.substr(0, name.size() - 1), key));
      } else {
        add(folder, name, key);
      }
    }
    return {};
  }

  bool full() const { return objects_.size() >= objects_max_; }
  std::vector<ObjectInfo> take() { return std::move(objects_); }

 private:
  /// Folders end with "/", so that their keys sort among the files' as a store of flat keys would.
  Result<std::vector<std::string>> sorted_names(const Fd& folder, const std::string& folder_key) const {
    const int copy = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
    if (listing == nullptr) {
      const int error_number = errno;
      if (copy >= 0) ::close(copy);
      return error_from_errno("list", folder_key, error_number);
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(listing)) {
      std::string name = entry->d_name;
      if (name == "." || name == ".." || name.starts_with(kTemporaryPrefix)) continue;
      if (is_folder(folder, *entry)) name.push_back('/');
      if (may_hold(folder_key + name)) names.push_back(std::move(name));
    }
    ::closedir(listing);
    std::sort(names.begin(), names.end());
    return names;
  }

  static bool is_folder(const Fd& folder, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
    struct stat info{};
    return ::fstatat(folder.get(), entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
  }

  /// Whether a key, or a key below a folder key, can have the prefix and come after `after_`.
  bool may_hold(const std::string& key) const {
    const std::size_t shared = std::min(key.size(), prefix_.size());
    const bool prefix_fits =
        key.ends_with('/') ? key.compare(0, shared, prefix_, 0, shared) == 0 : key.starts_with(prefix_);
    return prefix_fits && (key > after_ || (key.ends_with('/') && after_.starts_with(key)));
  }

  Status enter(const Fd& folder, const std::string& name, const std::string& key) {
    Fd next(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};  // gone or replaced since the listing
      return error_from_errno("list", key, errno);
    }
    return walk(std::move(next), key);
  }

  void add(const Fd& folder, const std::string& name, const std::string& key) {
    struct stat info{};
    if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) return;
    objects_.push_back({key, static_cast<std::uint64_t>(info.st_size), timestamp_of(info.st_mtim), etag_of(info), ""});
  }

  const std::string& prefix_;
  const std::string& after_;
  const std::size_t objects_max_;
  std::vector<ObjectInfo> objects_;
};

Status write_all(int fd, std::string_view bytes, const std::string& key) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return error_from_errno("write object", key, errno);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(fd) != 0) return error_from_errno("sync object", key, errno);
  return {};
}

class LocalObjectStore final : public ObjectStore {
 public:
  explicit LocalObjectStore(std::size_t page_objects_max)
      : page_objects_max_(std::max<std::size_t>(page_objects_max, 1)) {}

  Result<ObjectPage> list(const std::string& bucket, const std::string& prefix,
                          const std::optional<std::string>& continuation_token) override {
    DENDRO_TRY_ASSIGN(Fd folder, open_bucket(bucket));
    const std::string after = continuation_token.value_or("");
    TreeWalk walk(prefix, after, page_objects_max_ + 1);
    DENDRO_TRY(walk.walk(std::move(folder), ""));
    ObjectPage page{walk.take(), std::nullopt};
    if (page.objects.size() > page_objects_max_) {
      page.objects.pop_back();
      page.continuation_token = page.objects.back().key;
    }
    return page;
  }

  Result<std::unique_ptr<ByteSource>> get(const std::string& bucket, const std::string& key,
                                          const std::optional<std::string>& etag) override {
    DENDRO_TRY(check_key(key));
    DENDRO_TRY_ASSIGN(Fd folder, open_bucket(bucket));
    std::string name;
    DENDRO_TRY_ASSIGN(const Fd parent, open_parent(std::move(folder), key, /*create=*/false, name));
    // Without O_NONBLOCK a pipe put in the file's place would hang the open.
    Fd file(::openat(parent.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0) {
      if (errno == ELOOP) return Error(ErrorCode::not_found, "object " + key + ": is a symbolic link");
      return error_from_errno("object", key, errno);
    }
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) return error_from_errno("object", key, errno);
    if (!S_ISREG(info.st_mode)) return Error(ErrorCode::not_found, "object " + key + ": is not a regular file");
    if (etag && *etag != etag_of(info)) {
      return Error(ErrorCode::already_exists, "object " + key + ": changed since it was listed");
    }
    return make_fd_source(file.release(), key, CloseFd::close);
  }

  Status put(const std::string& bucket, const std::string& key, std::string_view bytes) override {
    DENDRO_TRY(check_key(key));
    DENDRO_TRY_ASSIGN(Fd folder, open_bucket(bucket));
    std::string name;
    DENDRO_TRY_ASSIGN(const Fd parent, open_parent(std::move(folder), key, /*create=*/true, name));
    const std::string temporary = std::string(kTemporaryPrefix) + random_name();
    const Fd file(
        ::openat(parent.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (file.get() < 0) return error_from_errno("write object", key, errno);
    Status status = write_all(file.get(), bytes, key);
    if (status && ::renameat(parent.get(), temporary.c_str(), parent.get(), name.c_str()) != 0) {
      status = error_from_errno("rename object", key, errno);
    }
    if (!status) ::unlinkat(parent.get(), temporary.c_str(), 0);
    if (status && ::fsync(parent.get()) != 0) status = error_from_errno("sync folder of object", key, errno);
    return status;
  }

 private:
  static std::string random_name() {
    std::array<std::uint8_t, 8> bytes{};
    SystemRandom().fill(bytes);
    return to_hex(bytes);
  }

  const std::size_t page_objects_max_;
};

}  // namespace

bool is_local_bucket(std::string_view bucket) {
  return bucket.starts_with("file:///");
}

std::unique_ptr<ObjectStore> make_local_object_store(std::size_t page_objects_max) {
  return std::make_unique<LocalObjectStore>(page_objects_max);
}

}  // namespace dendro
