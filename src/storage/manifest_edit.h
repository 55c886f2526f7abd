#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "storage/batch_key_window.h"
#include "storage/tombstone_info.h"

namespace dendro {

/// What the manifest knows of a segment.
struct SegmentInfo {
  SegmentId id;
  TenantId tenant = TenantId::default_tenant();
  Timestamp day;           ///< start of the UTC day of all its records
  std::uint8_t level = 0;  ///< 0: from a flush
  std::string location;    ///< "": the local file of engine.md 2.1
  std::uint64_t file_bytes = 0;
  std::uint64_t record_count = 0;
  std::uint64_t raw_bytes = 0;  ///< encoded batches, unpacked
  Timestamp min_timestamp;
  Timestamp max_timestamp;
  SequenceNumber first_sequence;
  SequenceNumber last_sequence;
  std::uint64_t footer_hash = 0;
  friend bool operator==(const SegmentInfo&, const SegmentInfo&) = default;
};

struct RemoveSegment {
  SegmentId id;
};
/// Every record of the tenant up to `sequence` is in a listed segment.
struct FlushedThrough {
  TenantId tenant = TenantId::default_tenant();
  SequenceNumber sequence;
};
struct DropDay {
  TenantId tenant = TenantId::default_tenant();
  Timestamp day;
};
struct DropTenant {
  TenantId tenant = TenantId::default_tenant();
};
struct Counters {
  SegmentId next_segment{1};
  SequenceNumber last_sequence;  ///< at least this many were given
  WalNumber first_live_wal{1};   ///< files below hold nothing that is needed; from here on none may be missing
  friend bool operator==(const Counters&, const Counters&) = default;
};
/// Nothing that the tombstone takes is in a file any more.
struct TombstoneDone {
  TombstoneId id;
};
/// Retry keys of requests of which no record is in a segment any more, in place of those the tenant had before. None:
/// they are out of their window.
struct RetryKeys {
  TenantId tenant = TenantId::default_tenant();
  std::vector<KeyedReply> keys;
};
using ManifestEdit = std::variant<SegmentInfo, RemoveSegment, FlushedThrough, TombstoneInfo, TombstoneDone, DropDay,
                                  DropTenant, Counters, RetryKeys>;

/// What all edits so far amount to. Values only.
struct ManifestState {
  std::map<SegmentId, SegmentInfo> segments;
  std::map<TenantId, SequenceNumber> flushed_through;
  std::map<TombstoneId, TombstoneInfo> tombstones;         ///< live ones
  std::map<TenantId, std::vector<KeyedReply>> retry_keys;  ///< never an empty list
  Counters counters;

  /// Errors: corruption (removes or adds what it cannot).
  Status apply(const ManifestEdit& edit);
  /// Edits that make this state from nothing.
  std::vector<ManifestEdit> snapshot() const;
  SequenceNumber flushed_of(const TenantId& tenant) const;
  friend bool operator==(const ManifestState&, const ManifestState&) = default;
};

void append_edit(std::string& out, const ManifestEdit& edit);
/// Takes one edit from the front. Errors: corruption; unimplemented (a kind of later versions).
class ManifestEditReader {
 public:
  explicit ManifestEditReader(std::string_view edits) : rest_(edits) {}
  bool at_end() const { return rest_.empty(); }
  Result<ManifestEdit> next();

 private:
  std::string_view rest_;
};

}  // namespace dendro
