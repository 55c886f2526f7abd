#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment/piece_cache.h"
#include "storage/segment/row_group.h"
#include "storage/segment/segment_dictionary.h"
#include "storage/segment/segment_format.h"

namespace dendro {

/// What a query needs of a segment before it reads a block. Immutable; thread-safe.
struct SegmentTables {
  std::unique_ptr<const SegmentDictionary> dictionary;
  std::vector<RowGroupEntry> row_groups;   ///< by time
  std::vector<ReceiveTime> receive_times;  ///< by sequence
  std::size_t memory_bytes = 0;            ///< about

  /// When the request came that held the record of this sequence number; nothing: the tables do not say.
  std::optional<Timestamp> receive_time(SequenceNumber sequence) const;
};

/// An immutable segment file, open for reading. A segment that is missing or damaged is there too, so that a query can
/// say that it is incomplete. Thread-safe.
class Segment {
 public:
  /// Opens the file and checks header, footer and META against `info`; the other sections are read at first use.
  /// `files` outlives this. A failure is kept in damage().
  static std::shared_ptr<const Segment> open(FileSystem& files, const std::string& path, const Bytes16& store_id,
                                             const SegmentInfo& info);
  /// Blocks that have no file yet: read_block works, there are no tables. To prove what was encoded.
  static std::shared_ptr<const Segment> of_blocks(FileSystem& files, const std::string& path, const SegmentInfo& info,
                                                  std::unique_ptr<RandomReader> blocks);

  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  /// The manifest no longer lists it, durably, and new readers do not see it: the file goes when the last one lets go
  /// of this. A file that stays behind all the same is removed at the next opening.
  void remove_when_released() const { is_unlisted_.store(true, std::memory_order_relaxed); }

  const SegmentInfo& info() const { return info_; }
  const std::string& path() const { return path_; }
  /// Retry keys of the requests that have records here.
  const std::vector<KeyedReply>& keys() const { return keys_; }
  /// When the last of the requests came that have records here; nothing: it cannot be read.
  std::optional<Timestamp> newest_receive_time() const { return newest_receive_time_; }
  /// Why nothing of it can be read.
  const std::optional<Error>& damage() const { return damage_; }

  /// Read where nobody holds them: who comes back soon keeps them (cached_tables). Errors: corruption (names file and
  /// section), io_error, unimplemented.
  Result<std::shared_ptr<const SegmentTables>> tables() const;
  /// Reads, checks and unpacks a block of a row group. Errors: corruption (names file and offset), io_error.
  Result<std::string> read_block(const BlockPlace& block) const;

  /// Sections, for `dendro admin inspect`.
  const std::vector<SectionEntry>& sections() const { return sections_; }

 private:
  Segment(FileSystem& files, std::string path, const SegmentInfo& info)
      : files_(files), path_(std::move(path)), info_(info) {}
  Status load(const Bytes16& store_id);
  Status read_footer(std::uint64_t size);
  Status load_tables(SegmentTables& tables) const;
  Result<std::string> read_section(SectionKind kind) const;
  Status read_exactly(std::uint64_t offset, std::span<char> out) const;

  FileSystem& files_;
  const std::string path_;
  const SegmentInfo info_;
  std::unique_ptr<RandomReader> reader_;
  std::vector<SectionEntry> sections_;
  std::vector<KeyedReply> keys_;
  std::optional<Timestamp> newest_receive_time_;
  std::optional<Error> damage_;
  mutable std::atomic<bool> is_unlisted_{false};

  mutable Mutex mutex_;
  mutable std::weak_ptr<const SegmentTables> tables_ DENDRO_GUARDED_BY(mutex_);
};

/// The tables by way of the cache, so that those of segments used last stay and their memory is bounded with that of
/// all else that was read. Errors: those of Segment::tables.
Result<std::shared_ptr<const SegmentTables>> cached_tables(PieceCache& cache, const Segment& segment);

}  // namespace dendro
