#include "io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/errno_error.h"

namespace dendro {
namespace {

class FdSource final : public ByteSource {
 public:
  FdSource(int fd, std::string name, CloseFd close_fd) : fd_(fd), name_(std::move(name)), close_fd_(close_fd) {}
  ~FdSource() override {
    if (close_fd_ == CloseFd::close) ::close(fd_);
  }
  FdSource(const FdSource&) = delete;
  FdSource& operator=(const FdSource&) = delete;

  Result<std::size_t> read(std::span<char> out) override {
    while (true) {
      const ssize_t count = ::read(fd_, out.data(), out.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return error_from_errno("read", name_, errno);
    }
  }

 private:
  const int fd_;
  const std::string name_;
  const CloseFd close_fd_;
};

class PrefixedSource final : public ByteSource {
 public:
  PrefixedSource(std::string front, std::unique_ptr<ByteSource> rest)
      : front_(std::move(front)), rest_(std::move(rest)) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (offset_ == front_.size()) return rest_->read(out);
    const std::size_t count = front_.copy(out.data(), out.size(), offset_);
    offset_ += count;
    return count;
  }

 private:
  std::string front_;
  std::size_t offset_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

}  // namespace

std::unique_ptr<ByteSource> make_fd_source(int fd, std::string name, CloseFd close_fd) {
  return std::make_unique<FdSource>(fd, std::move(name), close_fd);
}

Result<std::string> read_front(ByteSource& source, std::size_t bytes) {
  std::string front(bytes, '\0');
  std::size_t size = 0;
  while (size < front.size()) {
    DENDRO_TRY_ASSIGN(const std::size_t count, source.read(std::span<char>(front).subspan(size)));
    if (count == 0) break;
    size += count;
  }
  front.resize(size);
  return front;
}

std::unique_ptr<ByteSource> make_prefixed_source(std::string front, std::unique_ptr<ByteSource> rest) {
  return std::make_unique<PrefixedSource>(std::move(front), std::move(rest));
}

Result<std::unique_ptr<ByteSource>> open_file_source(const std::string& path) {
  if (path == "-") return make_fd_source(STDIN_FILENO, "stdin", CloseFd::keep_open);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return error_from_errno("open", path, errno);
  std::unique_ptr<ByteSource> source = make_fd_source(fd, path, CloseFd::close);
  struct stat info{};
  if (::fstat(fd, &info) != 0) return error_from_errno("open", path, errno);
  if (S_ISDIR(info.st_mode)) return Error(ErrorCode::invalid_argument, path + ": is a folder, not a file");
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // advice only: a pipe refuses it, and that is fine
  return source;
}

}  // namespace dendro
