#include "storage/scan_profile.h"

#include <algorithm>
#include <numeric>

namespace dendro {

std::string_view column_kind_name(ColumnKind kind) {
  constexpr std::array<std::string_view, kColumnKinds> kNames = {
      "timestamps", "sequences", "severities", "shapes",  "streams", "token_filter",
      "templates",  "variables", "texts",      "numbers", "times"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view scan_fate_name(ScanFate fate) {
  constexpr std::array<std::string_view, kScanFates> kNames = {
      "outside_range", "by_labels", "by_statistics", "by_token_filter", "by_directory", "read", "unreached", "damaged"};
  return kNames[static_cast<std::size_t>(fate)];
}

bool ReadTally::has_read_values() const {
  constexpr std::array<ColumnKind, 5> kValues = {ColumnKind::severities, ColumnKind::variables, ColumnKind::texts,
                                                 ColumnKind::numbers, ColumnKind::times};
  return std::any_of(kValues.begin(), kValues.end(), [this](ColumnKind kind) { return of(kind).pieces != 0; });
}

void ReadTally::add(const ReadTally& other) {
  for (std::size_t i = 0; i < kColumnKinds; ++i) {
    kinds[i].pieces += other.kinds[i].pieces;
    kinds[i].cached += other.kinds[i].cached;
    kinds[i].stored_bytes += other.kinds[i].stored_bytes;
    kinds[i].plain_bytes += other.kinds[i].plain_bytes;
  }
  templates_yes += other.templates_yes;
  templates_no += other.templates_no;
  templates_maybe += other.templates_maybe;
  records_rebuilt += other.records_rebuilt;
}

std::uint64_t FateCounts::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void ScanProfile::add_segment(SegmentId segment, bool is_in_range) {
  MutexLock lock(mutex_);
  segments_[segment].is_in_range = is_in_range;
}

void ScanProfile::add_row_group(SegmentId segment, bool is_in_range) {
  MutexLock lock(mutex_);
  ++segments_[segment].row_groups.of(is_in_range ? ScanFate::unreached : ScanFate::outside_range);
}

void ScanProfile::note_fate(SegmentId segment, ScanFate fate, std::uint64_t records) {
  MutexLock lock(mutex_);
  FateCounts& row_groups = segments_[segment].row_groups;
  --row_groups.of(ScanFate::unreached);
  ++row_groups.of(fate);
  if (fate == ScanFate::read) counts_.records_tested += records;
}

void ScanProfile::note_damage(SegmentId segment) {
  MutexLock lock(mutex_);
  segments_[segment].is_damaged = true;
}

void ScanProfile::note_read(const ReadTally& tally) {
  MutexLock lock(mutex_);
  counts_.read.add(tally);
}

void ScanProfile::note_memtable_batch(std::uint64_t records) {
  MutexLock lock(mutex_);
  ++counts_.memtable_batches;
  counts_.memtable_records += records;
}

void ScanProfile::note_memtable_batch_outside() {
  MutexLock lock(mutex_);
  ++counts_.memtable_batches_outside;
}

/// The costliest of its row groups.
ScanFate ScanProfile::SegmentFates::fate() const {
  if (is_damaged) return ScanFate::damaged;
  if (!is_in_range) return ScanFate::outside_range;
  for (const ScanFate fate : {ScanFate::damaged, ScanFate::read, ScanFate::by_directory, ScanFate::by_token_filter,
                              ScanFate::by_statistics, ScanFate::by_labels}) {
    if (row_groups.of(fate) > 0) return fate;
  }
  const bool is_all_outside = row_groups.total() > 0 && row_groups.of(ScanFate::unreached) == 0;
  return is_all_outside ? ScanFate::outside_range : ScanFate::unreached;
}

ScanCounts ScanProfile::counts() const {
  MutexLock lock(mutex_);
  ScanCounts counts = counts_;
  for (const auto& [segment, fates] : segments_) {
    ++counts.segments.of(fates.fate());
    for (std::size_t i = 0; i < kScanFates; ++i) counts.row_groups.counts[i] += fates.row_groups.counts[i];
  }
  return counts;
}

}  // namespace dendro
