#include "storage/shared_manifest.h"

#include <algorithm>

namespace dendro {

SharedManifest::SharedManifest(Manifest& manifest)
    : store_id_(manifest.store_id()),
      manifest_(manifest),
      next_segment_(manifest.state().counters.next_segment.number()) {
  MutexLock lock(mutex_);
  count_segments();
}

SegmentId SharedManifest::take_segment_id() {
  return SegmentId(next_segment_.fetch_add(1));
}

Status SharedManifest::change(const std::function<Status(const ManifestState&, Change&)>& prepare,
                              const std::function<void()>& publish) {
  MutexLock lock(mutex_);
  Change change;
  DENDRO_TRY(prepare(manifest_.state(), change));
  Counters counters = manifest_.state().counters;
  counters.next_segment = SegmentId(next_segment_.load());
  counters.last_sequence = std::max(counters.last_sequence, change.last_sequence);
  counters.first_live_wal = std::max(counters.first_live_wal, change.first_live_wal);
  const bool counts_on = counters != manifest_.state().counters;
  if (counts_on && (!change.edits.empty() || change.first_live_wal != WalNumber())) {
    change.edits.emplace_back(counters);
  }
  if (!change.edits.empty()) {
    DENDRO_TRY(manifest_.append(change.edits));
    count_segments();
  }
  if (publish) publish();
  if (!change.rewrites) return {};
  return manifest_.rewrite_now();
}

void SharedManifest::read(const std::function<void(const ManifestState&)>& look) const {
  MutexLock lock(mutex_);
  look(manifest_.state());
}

Status SharedManifest::check_usable() const {
  MutexLock lock(mutex_);
  return manifest_.check_usable();
}

SharedManifest::Figures SharedManifest::figures() const {
  return {segment_count_.load(std::memory_order_relaxed), segment_bytes_.load(std::memory_order_relaxed),
          segment_records_.load(std::memory_order_relaxed), live_tombstones_.load(std::memory_order_relaxed)};
}

void SharedManifest::count_segments() {
  Figures figures;
  for (const auto& [id, segment] : manifest_.state().segments) {
    ++figures.segment_count;
    figures.segment_bytes += segment.file_bytes;
    figures.segment_records += segment.record_count;
  }
  segment_count_ = figures.segment_count;
  segment_bytes_ = figures.segment_bytes;
  segment_records_ = figures.segment_records;
  live_tombstones_ = manifest_.state().tombstones.size();
}

}  // namespace dendro
