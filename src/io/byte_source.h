#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// A stream of bytes that is pulled: a file, stdin, an object, or one of these unpacked. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills some of `out` from the front; fewer bytes than asked is normal, 0 is the end of the stream.
  /// Errors: io_error, unavailable (object stores), corruption (packed bytes are damaged or end early); final once
  /// returned.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
};

/// Bytes in memory. Owns its text.
class MemoryByteSource final : public ByteSource {
 public:
  explicit MemoryByteSource(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = text_.copy(out.data(), out.size(), offset_);
    offset_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t offset_ = 0;
};

/// Opens a file by path; "-" is stdin. Errors: not_found, permission_denied, invalid_argument (a folder), io_error.
Result<std::unique_ptr<ByteSource>> open_file_source(const std::string& path);

enum class CloseFd : std::uint8_t { keep_open, close };
/// Reads an open file descriptor to its end (file, pipe, socket). `name` is for error texts.
std::unique_ptr<ByteSource> make_fd_source(int fd, std::string name, CloseFd close_fd);

/// Up to `bytes` bytes from the front, fewer only at the end. Errors: those of `read`.
Result<std::string> read_front(ByteSource& source, std::size_t bytes);

/// `front` first, then what `rest` still gives: puts back what was looked at.
std::unique_ptr<ByteSource> make_prefixed_source(std::string front, std::unique_ptr<ByteSource> rest);

}  // namespace dendro
