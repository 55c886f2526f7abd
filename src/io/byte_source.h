#pragma once

#include <cstddef>
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
  /// Errors: io_error, unavailable (object stores), corruption (packed bytes are damaged or end early); final once returned.
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

}  // namespace dendro
