#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment_format.h"

namespace dendro {

/// An immutable segment file, open for reading, its directory in memory. A segment that is missing or damaged is there
/// too, so that a query can say that it is incomplete. Immutable; thread-safe.
class Segment {
 public:
  /// Opens the file and checks header, tail and META against `info`. `files` outlives this. A failure is kept in
  /// damage().
  static std::shared_ptr<const Segment> open(FileSystem& files, const std::string& path, const Bytes16& store_id,
                                             const SegmentInfo& info);

  const SegmentInfo& info() const { return info_; }
  const std::vector<SegmentBlockInfo>& blocks() const { return blocks_; }
  /// Retry keys of the requests that have records here; taken out by the store at opening.
  const std::vector<KeyedReply>& keys() const { return keys_; }
  /// Why nothing of it can be read; then blocks() is empty.
  const std::optional<Error>& damage() const { return damage_; }

  /// Reads, checks and unpacks a block. Errors: corruption (names file and offset), io_error.
  Result<SegmentBlock> read_block(std::size_t index) const;

 private:
  Segment(std::string path, const SegmentInfo& info) : path_(std::move(path)), info_(info) {}
  Status load(FileSystem& files, const Bytes16& store_id);
  Status read_exactly(std::uint64_t offset, std::span<char> out) const;
  Result<SegmentBlock> read_packed_block(const SegmentBlockInfo& block) const;

  const std::string path_;
  const SegmentInfo info_;
  std::unique_ptr<RandomReader> reader_;
  std::vector<SegmentBlockInfo> blocks_;
  std::vector<KeyedReply> keys_;
  std::optional<Error> damage_;
};

}  // namespace dendro
