#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/ids.h"
#include "base/mutex.h"

namespace dendro {

/// What stands in the blocks of a row group.
enum class ColumnKind : std::uint8_t {
  timestamps,
  sequences,
  severities,
  shapes,
  streams,
  token_filter,
  templates,  ///< which template each text has
  variables,  ///< of templates, and texts kept whole
  texts,      ///< columns of strings
  numbers,
  times,  ///< other than the records' own
};
inline constexpr std::size_t kColumnKinds = 11;
std::string_view column_kind_name(ColumnKind kind);

/// What reading row groups took. Not thread-safe: each reader has its own.
struct ReadTally {
  struct Kind {
    std::uint64_t pieces = 0;        ///< columns and parts of columns that were looked at
    std::uint64_t cached = 0;        ///< of them: already decoded, by this query or one before
    std::uint64_t stored_bytes = 0;  ///< of blocks read; one with several columns counts under the first
    std::uint64_t plain_bytes = 0;
  };
  std::array<Kind, kColumnKinds> kinds;
  // Templates of row groups that a condition on a text was put to.
  std::uint64_t templates_yes = 0;    ///< every text of it matches
  std::uint64_t templates_no = 0;     ///< none
  std::uint64_t templates_maybe = 0;  ///< its variables, or whole texts, decide
  std::uint64_t records_rebuilt = 0;

  Kind& of(ColumnKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
  const Kind& of(ColumnKind kind) const { return kinds[static_cast<std::size_t>(kind)]; }
  /// Columns of values, which statistics and filters are there to spare.
  bool has_read_values() const;
  void add(const ReadTally& other);
};

/// What became of a row group, or of a segment.
enum class ScanFate : std::uint8_t {
  outside_range,    ///< of times or sequence numbers
  by_labels,        ///< no stream of it has the labels that are asked for
  by_statistics,    ///< bounds, counts, names of fields and texts of templates rule it out: no value was read
  by_token_filter,  ///< a word that is asked for is surely not in it: no value was read
  by_directory,     ///< its counts were the answer
  read,
  unreached,  ///< the answer was whole before, or the query ended
  damaged,    ///< could not be read
};
inline constexpr std::size_t kScanFates = 8;
std::string_view scan_fate_name(ScanFate fate);

/// How many had each fate.
struct FateCounts {
  std::array<std::uint64_t, kScanFates> counts{};
  std::uint64_t& of(ScanFate fate) { return counts[static_cast<std::size_t>(fate)]; }
  std::uint64_t of(ScanFate fate) const { return counts[static_cast<std::size_t>(fate)]; }
  std::uint64_t total() const;
};

struct ScanCounts {
  std::uint64_t memtable_batches = 0;          ///< looked at
  std::uint64_t memtable_batches_outside = 0;  ///< of the range
  std::uint64_t memtable_records = 0;          ///< of those looked at
  FateCounts segments;                         ///< each under the costliest fate of its row groups
  FateCounts row_groups;                       ///< of the segments that were opened
  std::uint64_t records_tested = 0;            ///< of the row groups read
  ReadTally read;
};

/// Counts what one scan does, where somebody asked for it (ScanRequest::profile). Told once a row group or batch, never
/// once a record. Thread-safe: row groups are worked off by several threads.
class ScanProfile {
 public:
  /// A segment of the view, and whether the scan may come to it.
  void add_segment(SegmentId segment, bool is_in_range);
  /// A row group of a segment that was opened: outside_range, or unreached until its fate is known.
  void add_row_group(SegmentId segment, bool is_in_range);
  /// The fate of one that was unreached.
  void note_fate(SegmentId segment, ScanFate fate, std::uint64_t records);
  void note_damage(SegmentId segment);
  void note_read(const ReadTally& tally);
  void note_memtable_batch(std::uint64_t records);
  void note_memtable_batch_outside();
  ScanCounts counts() const;

 private:
  struct SegmentFates {
    bool is_in_range = false;
    bool is_damaged = false;
    FateCounts row_groups;
    ScanFate fate() const;
  };
  mutable Mutex mutex_;
  std::map<SegmentId, SegmentFates> segments_ DENDRO_GUARDED_BY(mutex_);
  ScanCounts counts_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
