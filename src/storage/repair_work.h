#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/manifest_salvage.h"
#include "storage/memtable.h"
#include "storage/repair.h"
#include "storage/segment/segment_file.h"
#include "storage/store_files.h"
#include "storage/wal_survey.h"

namespace dendro {

/// The repair of one store (repair.h): first it looks, then it does. Its parts lie in a file each.
class StoreRepairWork final : public StoreRepair {
 public:
  StoreRepairWork(const std::string& directory, FileSystem& files, Clock& clock)
      : paths_(directory), files_(files), clock_(clock) {}
  /// Fills the plan. Errors: as StoreRepair::open.
  Status look();
  const RepairPlan& plan() const override { return plan_; }
  Status carry_out() override;

 private:
  // Any of them.
  void note_finding(const std::string& text);

  // repair.cc: looking.
  /// The manifest is good: what does recovery say?
  Status look_at_wal();
  Status salvage_records();
  void note_lost_records();
  /// What of the range no segment holds. Records that were deleted look the same.
  void note_lost_range(const SequenceSpan& range);
  /// Appends those sequence numbers of a segment that lie in the range.
  Status read_sequences(const SegmentInfo& info, const SequenceSpan& range, std::vector<SequenceNumber>& out);
  bool is_wanted(const TenantId& tenant, SequenceNumber sequence) const;
  WalNumber next_wal() const;
  Result<bool> holds_nothing();

  // repair_manifest.cc: looking, where the manifest is damaged.
  Status rebuild_manifest();
  Status salvage_manifests(SalvagedManifest& salvaged);
  void save(const std::string& path);
  Status describe_segments(const SalvagedManifest& salvaged, std::vector<SegmentDescription>& segments);
  /// A damaged file that the manifest still lists: it stays listed, so that queries say that they are incomplete.
  bool keep_as_listed(const SalvagedManifest& salvaged, const std::string& path);
  /// A segment that cannot be listed: opening would remove it.
  void leave_out(const std::string& path, const StorageFault& fault);
  /// The id that most files name: one that was copied in from elsewhere does not count.
  Status find_store_id(const SalvagedManifest& salvaged, const std::vector<SegmentDescription>& segments);
  Result<std::vector<WalNumber>> wal_numbers();
  /// Live is what no other one replaces and no readable edit took away.
  void choose_segments(const SalvagedManifest& salvaged, std::vector<SegmentDescription> segments);
  /// The counter may be of an older edit than the last one; a file that was let go of meanwhile holds nothing that is
  /// not in segments.
  Status find_first_live_wal();
  /// Up to where the records of a tenant are surely in segments: an edit said so; or they were merged, which happens to
  /// listed segments only.
  void set_floors(const SalvagedManifest& salvaged);
  /// Which records above the floor the other segments hold: one of a flush that was not listed may be among them, so
  /// the WAL may have them again.
  Status note_held_records();

  // repair_write.cc: doing.
  Status save_aside();
  Status write_salvaged_records();
  Status write_tenant(const TenantId& tenant, const MemtableView& memtable);
  Status make_next_wal_file();
  /// R4. As a new manifest also where the old one is good: its number makes it one step, and nothing is appended to a
  /// file that somebody else wrote.
  Status list_everything();
  void let_go_of_wal();

  const StorePaths paths_;
  FileSystem& files_;
  Clock& clock_;
  std::unique_ptr<FileLock> lock_;
  RepairPlan plan_;
  bool salvages_wal_ = false;
  std::optional<LiveManifest> good_manifest_;
  Bytes16 store_id_{};
  std::uint64_t number_ = 0;  ///< of the live or the newest manifest
  ManifestState state_;
  SegmentId highest_id_;
  std::set<SegmentId> merged_;
  std::map<TenantId, SequenceNumber> floors_;             ///< up to there everything is in segments
  std::map<TenantId, std::vector<SequenceNumber>> held_;  ///< above it, sorted
  WalSalvage salvage_;
  std::set<std::string> aside_;
  std::vector<SegmentInfo> written_;
  std::vector<FlushedThrough> flushed_;
};

}  // namespace dendro
