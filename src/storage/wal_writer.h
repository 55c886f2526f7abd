#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "storage/batch_frame.h"
#include "storage/wal_files.h"
#include "storage/wal_format.h"

namespace dendro {

/// A frame and its place in the order.
struct FramePlace {
  FrameDraft* draft = nullptr;
  SequenceNumber first_sequence;
  std::uint16_t frames_following = 0;
};

// States: empty (no file yet) -> open -> failed. `rotate` leads from empty or open to open, a failed sync to failed,
// for good.

/// Puts groups of frames into the WAL, durably. One thread at a time: the committer's.
class WalWriter {
 public:
  /// `files` outlives this.
  WalWriter(WalFiles& files, Bytes16 store_id) : files_(files), store_id_(store_id) {}

  /// True if a group of so many bytes has room behind the last one. A group larger than a file fits an empty one: it
  /// grows.
  bool fits(std::uint64_t group_bytes) const;
  /// Bytes left in the current file.
  std::uint64_t room() const { return current_.bytes > synced_offset_ ? current_.bytes - synced_offset_ : 0; }
  /// Leaves the current file, whose frames are all synced and published, and opens the next.
  /// Errors: storage_full (nothing changed; try again when there is space), io_error.
  Status rotate();
  /// Gives the frames their place, writes and syncs them: all of them are durable, or none is kept.
  /// Errors: storage_full (nothing is kept, the file was cut where it was), io_error (bytes on disk unknown; this
  /// writer is done).
  Status commit(std::span<const FramePlace> frames);
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  Status write_and_sync(std::span<const std::string_view> parts);
  Status cut_back(const Error& full);

  WalFiles& files_;
  const Bytes16 store_id_;
  OpenWalFile current_;
  HashSeed seed_;
  std::uint64_t synced_offset_ = 0;
  SequenceNumber last_sequence_;
  std::uint64_t bytes_written_ = 0;
  bool has_failed_ = false;
};

}  // namespace dendro
