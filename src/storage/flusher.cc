#include "storage/flusher.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "storage/memtable_order.h"
#include "storage/segment_writer.h"

namespace dendro {
namespace {

constexpr std::chrono::milliseconds kLookInterval{
    100};  // at full speed a memtable grows by a third of its bound meanwhile
constexpr std::chrono::seconds kBackOffAfterFailure{5};  // a full disk: each try writes much before it fails

}  // namespace

Flusher::Flusher(const StorePaths& paths, FileSystem& files, Manifest& manifest, TenantTable& tenants,
                 WalFiles& wal_files, WriteGate& gate, Limits limits)
    : paths_(paths),
      files_(files),
      tenants_(tenants),
      wal_files_(wal_files),
      gate_(gate),
      limits_(limits),
      manifest_(manifest) {
  for (const auto& [id, segment] : manifest_.state().segments) {
    ++segment_count_;
    segment_bytes_ += segment.file_bytes;
    segment_records_ += segment.record_count;
  }
  thread_ = std::jthread([this] { run(); });
}

Flusher::~Flusher() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  round_done_.notify_all();
}

Flusher::Figures Flusher::figures() const {
  return {flushes_.load(std::memory_order_relaxed), segment_count_.load(std::memory_order_relaxed),
          segment_bytes_.load(std::memory_order_relaxed), segment_records_.load(std::memory_order_relaxed)};
}

Status Flusher::flush_all() {
  MutexLock lock(mutex_);
  const std::uint64_t round = ++rounds_asked_;
  wake_.notify_all();
  while (rounds_done_ < round && !stopping_) round_done_.wait(mutex_);
  if (rounds_done_ < round) return Error(ErrorCode::unavailable, "the store is being closed");
  return last_round_;
}

void Flusher::run() {
  bool has_failed = false;
  for (;;) {
    std::uint64_t round = 0;
    {
      MutexLock lock(mutex_);
      if (!stopping_ && rounds_asked_ == rounds_done_) {
        wake_.wait_for(mutex_, has_failed ? std::chrono::nanoseconds(kBackOffAfterFailure) : kLookInterval);
      }
      if (stopping_) return;
      if (rounds_asked_ > rounds_done_) round = rounds_asked_;
    }
    const bool wal_is_full = wal_files_.closed_bytes() > limits_.wal_bytes_max;
    const std::vector<TenantId> tenants =
        round > 0 || wal_is_full ? tenants_.unflushed_tenants()
                                 : tenants_.due_tenants(limits_.memtable_bytes_max, limits_.memtable_age_max);
    Status flushed = flush_tenants(tenants);
    // A flush that failed earlier left its records sealed, and they went first: what came since is still to be flushed.
    if (flushed && has_failed && round > 0) flushed = flush_tenants(tenants_.unflushed_tenants());
    has_failed = !flushed.has_value();
    if (has_failed) log(LogLevel::error, "storage", "flush failed", {{"error", flushed.error().message()}});
    if (round == 0) continue;
    {
      MutexLock lock(mutex_);
      rounds_done_ = round;
      last_round_ = std::move(flushed);
    }
    round_done_.notify_all();
  }
}

Status Flusher::flush_tenants(const std::vector<TenantId>& tenants) {
  Status first_failure;
  for (const TenantId& tenant : tenants) {
    Status flushed = flush_tenant(tenant);
    if (!flushed && first_failure) first_failure = std::move(flushed);
  }
  return first_failure;
}

Status Flusher::flush_tenant(const TenantId& tenant) {
  const std::optional<MemtableView> sealed = tenants_.seal(tenant);
  if (!sealed) return {};
  DENDRO_TRY(manifest_.check_usable());
  SegmentId next_segment = manifest_.state().counters.next_segment;
  DENDRO_TRY_ASSIGN(const std::vector<SegmentInfo> segments, write_segments(tenant, *sealed, next_segment));
  DENDRO_TRY(write_edits(tenant, *sealed, segments, next_segment));
  publish(tenant, segments);
  wal_files_.release_below(manifest_.state().counters.first_live_wal);
  ++flushes_;
  return {};
}

Result<std::vector<SegmentInfo>> Flusher::write_segments(const TenantId& tenant, const MemtableView& sealed,
                                                         SegmentId& next_segment) {
  std::vector<SegmentInfo> written;
  for (const DayOfRecords& day : order_by_day(sealed)) {
    const SegmentWriter::Place place{manifest_.store_id(), next_segment, tenant, day.day};
    next_segment = next_segment.next();
    Result<SegmentInfo> segment = write_day_segment(paths_, files_, place, sealed, day);
    if (!segment) {
      remove_unlisted(written);
      return segment.error();
    }
    written.push_back(std::move(segment).value());
  }
  return written;
}

Status Flusher::write_edits(const TenantId& tenant, const MemtableView& sealed,
                            const std::vector<SegmentInfo>& segments, SegmentId next_segment) {
  // The closed files first: what is in them was published before they were closed, so the second look misses none of
  // it.
  const std::vector<ClosedWalFile> closed = wal_files_.closed();
  const std::optional<SequenceNumber> first_unflushed = tenants_.first_unflushed(tenant);
  Counters counters = manifest_.state().counters;
  counters.next_segment = next_segment;
  counters.last_sequence = std::max(counters.last_sequence, tenants_.last_sequence());
  for (const ClosedWalFile& file : closed) {
    if (first_unflushed && file.last_sequence >= *first_unflushed) break;
    counters.first_live_wal = std::max(counters.first_live_wal, file.number.next());
  }
  const MemtableEntry& last = sealed[sealed.count - 1];
  std::vector<ManifestEdit> edits(segments.begin(), segments.end());
  edits.emplace_back(FlushedThrough{tenant, last.first_sequence.next(last.batch->size() - 1)});
  edits.emplace_back(counters);
  const Status appended = manifest_.append(edits);
  if (appended) return {};
  if (appended.error().code() == ErrorCode::storage_full) {
    remove_unlisted(segments);  // they will be written again under other ids
  } else {
    gate_.stop(appended.error());  // they may be listed: nothing is removed, nothing released
  }
  return appended;
}

void Flusher::publish(const TenantId& tenant, const std::vector<SegmentInfo>& segments) {
  SegmentList opened;
  for (const SegmentInfo& info : segments) {
    opened.push_back(Segment::open(files_, paths_.segment(info.tenant, info.day, info.id), manifest_.store_id(), info));
    ++segment_count_;
    segment_bytes_ += info.file_bytes;
    segment_records_ += info.record_count;
  }
  tenants_.replace_sealed(tenant, opened);
}

void Flusher::remove_unlisted(const std::vector<SegmentInfo>& segments) {
  for (const SegmentInfo& info : segments) {
    (void)files_.remove(paths_.segment(info.tenant, info.day, info.id));  // the next opening tries again
  }
}

}  // namespace dendro
