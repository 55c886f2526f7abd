#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "io/file_system.h"
#include "storage/spool/spool_reader.h"

namespace dendro {

/// Where a message lies: its frame, and the message in the frame's payload.
struct SpoolPlace {
  WalNumber file;
  std::uint64_t frame_offset = 0, frame_bytes = 0;
  std::uint32_t offset = 0, bytes = 0;
};

// States of the last file: none (before open) -> writing -> failed. A failed sync leads to failed, for good; a full
// disk does not: the file is cut back.

/// The files of one spool, `000001.q` and so on without a gap; only the last is written. Not thread-safe.
///
/// Invariants:
///   S1 a file has its durable header before it gets its name, and its name durably before a frame in it is relied on;
///   S2 all frames of a file are synced before the next file begins, so only the last file can have a torn tail;
///   S3 files go from the front, each one's going durable before the next one's.
class SpoolFiles {
 public:
  /// All outlive this.
  SpoolFiles(std::string directory, FileSystem& files, const Clock& clock, RandomSource& random)
      : directory_(std::move(directory)), files_(files), clock_(clock), random_(random) {}

  /// Reads all there is, cuts a torn tail, makes what was read durable, and goes on behind it.
  /// Errors: corruption (names file and offset), unimplemented (a later version), io_error, storage_full.
  Result<FoundSpool> open();

  /// A message's bytes, checked again. Errors: corruption (names file and offset), io_error.
  Result<SpoolMessage> read(const SpoolPlace& place) const;

  struct Written {
    WalNumber file;
    std::uint64_t offset = 0, bytes = 0;
  };
  /// Appends a frame to the last file, which is not synced by it.
  /// Errors: storage_full (nothing of it is there), io_error, unavailable (failed before).
  Result<Written> append(SpoolFrameKind kind, QueueMessageId next_id, std::uint32_t message_count,
                         std::string_view payload);
  /// All that was appended is on disk. Errors: io_error, unavailable; nothing is written any more then.
  Status sync();
  /// Syncs the last file and begins the next one. `next_id`: of the next message. Errors: those of append and sync.
  Status rotate(QueueMessageId next_id);
  /// Removes the first file; there must be another. Errors: io_error.
  Status remove_first();

  WalNumber first() const { return live_.front().header.number; }
  WalNumber last() const { return live_.back().header.number; }
  std::size_t count() const { return live_.size(); }
  std::uint64_t last_bytes() const { return live_.back().bytes; }
  std::uint64_t bytes() const;
  /// The live files as they are now, in order. What they hold up to their sizes changes no more.
  const std::vector<FoundSpoolFile>& live() const { return live_; }
  std::string path(WalNumber number) const { return directory_ + "/" + spool_file_name(number); }

 private:
  Status remove_leftovers();
  Status resume(const FoundSpool& found);
  Status begin(WalNumber number, QueueMessageId next_id);
  Status cut_back(const Error& full);
  Status check_writable() const;

  const std::string directory_;
  FileSystem& files_;
  const Clock& clock_;
  RandomSource& random_;
  Bytes16 queue_id_{};
  std::vector<FoundSpoolFile> live_;  ///< in order
  std::unique_ptr<WritableFile> file_;
  std::uint64_t synced_offset_ = 0;  ///< of the last file
  bool has_failed_ = false;
};

}  // namespace dendro
