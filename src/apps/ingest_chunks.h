#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/byte_source.h"

namespace dendro {

/// Cuts a log into bodies that can be sent one by one, never inside a record: JSON between a line that ends in `}` and
/// one that begins with `{` (so NDJSON and pretty-printed objects alike), text between lines. Not thread-safe.
class IngestChunker {
 public:
  /// @param target_bytes  a body is cut at the first good place from here on.
  /// @param bytes_max     a JSON array or a record without such a place may grow to this; then too_large.
  IngestChunker(std::unique_ptr<ByteSource> source, std::size_t target_bytes, std::size_t bytes_max);

  /// The next body; nothing at the end. Errors: the source's; too_large.
  Result<std::optional<std::string>> next();
  /// "application/x-ndjson" or "text/plain", told by the first byte; valid after the first next().
  std::string_view content_type() const { return is_json_ ? "application/x-ndjson" : "text/plain"; }

 private:
  Status fill(std::size_t bytes);
  std::optional<std::size_t> find_cut() const;

  std::unique_ptr<ByteSource> source_;
  const std::size_t target_bytes_;
  const std::size_t bytes_max_;
  std::string buffer_;
  bool at_end_ = false;
  bool started_ = false;
  bool is_json_ = false;
};

}  // namespace dendro
