#include "storage/flusher.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/thread_priority.h"
#include "storage/memtable_order.h"
#include "storage/segment/segment_writer.h"

namespace dendro {
namespace {

constexpr std::chrono::milliseconds kLookInterval{
    100};  // at full speed a memtable grows by a third of its bound meanwhile
/// Acknowledgements go first. When they leave no time for flushes the memtables fill, requests wait for room, and
/// flushes have the cores.
constexpr int kFlusherNice = 5;
constexpr std::chrono::seconds kBackOffAfterFailure{5};  // a full disk: each try writes much before it fails

}  // namespace

Flusher::Flusher(const StorePaths& paths, FileSystem& files, SharedManifest& manifest, TenantTable& tenants,
                 WalFiles& wal_files, WriteGate& gate, Limits limits, std::function<void()> on_flush)
    : paths_(paths),
      files_(files),
      tenants_(tenants),
      wal_files_(wal_files),
      gate_(gate),
      limits_(limits),
      manifest_(manifest),
      on_flush_(std::move(on_flush)) {
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

Status Flusher::flush_all() {
  MutexLock lock(mutex_);
  const std::uint64_t round = ++rounds_asked_;
  wake_.notify_all();
  while (rounds_done_ < round && !stopping_) round_done_.wait(mutex_);
  if (rounds_done_ < round) return Error(ErrorCode::unavailable, "the store is being closed");
  return last_round_;
}

void Flusher::run() {
  lower_thread_priority(kFlusherNice);
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
    Status flushed = flush_tenants(round > 0 ? Due{tenants_.unflushed_tenants()} : due());
    has_failed = !flushed.has_value();
    is_failing_.store(has_failed, std::memory_order_relaxed);
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

Flusher::Due Flusher::due() const {
  if (wal_files_.closed_bytes() > limits_.wal_bytes_max) return {tenants_.unflushed_tenants()};
  Due due{tenants_.due_tenants(limits_.memtable_age_max), TenantTable::SealWhat::active_if_none};
  const std::uint64_t held = tenants_.unflushed_bytes();
  if (!due.tenants.empty() || held <= limits_.memory_bytes_max) return due;
  return {tenants_.largest_tenants(held - limits_.memory_bytes_max / 2)};
}

Status Flusher::flush_tenants(const Due& due) {
  Status first_failure;
  for (const TenantId& tenant : due.tenants) {
    Status flushed = flush_tenant(tenant, due.what);
    if (!flushed && first_failure) first_failure = std::move(flushed);
  }
  return first_failure;
}

/// What is sealed now; what is sealed meanwhile is for the next look.
Status Flusher::flush_tenant(const TenantId& tenant, TenantTable::SealWhat what) {
  for (std::size_t left = tenants_.seal(tenant, what); left > 0; --left) DENDRO_TRY(flush_oldest(tenant));
  return {};
}

Status Flusher::flush_oldest(const TenantId& tenant) {
  const MemtableView sealed = tenants_.oldest_sealed(tenant);
  DENDRO_TRY(manifest_.check_usable());
  DENDRO_TRY_ASSIGN(const std::vector<SegmentInfo> segments, write_segments(tenant, sealed));
  DENDRO_TRY(list_and_publish(tenant, sealed, segments));
  ++flushes_;
  if (on_flush_) on_flush_();
  return {};
}

Result<std::vector<SegmentInfo>> Flusher::write_segments(const TenantId& tenant, const MemtableView& sealed) {
  std::vector<SegmentInfo> written;
  for (const DayOfRecords& day : order_by_day(sealed)) {
    SegmentWriter::Place place{manifest_.store_id(), manifest_.take_segment_id(), tenant, day.day};
    place.reencoded_row_groups = &reencoded_row_groups_;
    Result<SegmentInfo> segment = write_day_segment(paths_, files_, place, sealed, day);
    if (!segment) {
      remove_unlisted(written);
      return segment.error();
    }
    written.push_back(std::move(segment).value());
  }
  return written;
}

Status Flusher::list_and_publish(const TenantId& tenant, const MemtableView& sealed,
                                 const std::vector<SegmentInfo>& segments) {
  SegmentList opened;
  for (const SegmentInfo& info : segments) {
    opened.push_back(Segment::open(files_, paths_.segment(info.tenant, info.day, info.id), manifest_.store_id(), info));
  }
  WalNumber first_live;
  const auto prepare = [&](const ManifestState&, SharedManifest::Change& change) {
    first_live = change.first_live_wal = first_live_wal(tenant);
    change.last_sequence = tenants_.last_sequence();
    change.edits.assign(segments.begin(), segments.end());
    const MemtableEntry& last = sealed[sealed.count - 1];
    change.edits.emplace_back(FlushedThrough{tenant, last.first_sequence.next(last.batch.size() - 1)});
    return Status();
  };
  const Status listed = manifest_.change(prepare, [&] { tenants_.replace_sealed(tenant, opened); });
  if (listed) {
    wal_files_.release_below(first_live);
    return {};
  }
  if (listed.error().code() == ErrorCode::storage_full) {
    remove_unlisted(segments);  // they will be written again under other ids
  } else {
    gate_.stop(listed.error());  // they may be listed: nothing is removed, nothing released
  }
  return listed;
}

WalNumber Flusher::first_live_wal(const std::optional<TenantId>& flushing) const {
  // The closed files first: what is in them was published before they were closed, so the second look misses none of
  // it.
  const std::vector<ClosedWalFile> closed = wal_files_.closed();
  const std::optional<SequenceNumber> first_unflushed = tenants_.first_unflushed(flushing);
  WalNumber first_live;
  for (const ClosedWalFile& file : closed) {
    if (first_unflushed && file.last_sequence >= *first_unflushed) break;
    first_live = file.number.next();
  }
  return first_live;
}

Status Flusher::release_wal() {
  WalNumber first_live;
  const auto prepare = [&](const ManifestState& state, SharedManifest::Change& change) {
    first_live = std::max(first_live_wal(std::nullopt), state.counters.first_live_wal);
    change.first_live_wal = first_live;
    change.last_sequence = tenants_.last_sequence();
    return Status();
  };
  const Status changed = manifest_.change(prepare);
  if (changed) {
    wal_files_.release_below(first_live);
  } else if (changed.error().code() != ErrorCode::storage_full) {
    gate_.stop(changed.error());
  }
  return changed;
}

void Flusher::remove_unlisted(const std::vector<SegmentInfo>& segments) {
  for (const SegmentInfo& info : segments) {
    (void)files_.remove(paths_.segment(info.tenant, info.day, info.id));  // the next opening tries again
  }
}

}  // namespace dendro
