#include "storage/compaction/compactor.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/log.h"
#include "base/thread_priority.h"

namespace dendro {
namespace {

constexpr std::chrono::seconds kCompactorLookInterval{60};  // a day may have come to its end
constexpr std::chrono::minutes kCompactorBackOff{5};        // a full disk: the first to stop, not the first to go on
constexpr std::chrono::seconds kIntakeQuietAfter{1};
constexpr int kRestFactor = 3;  // a quarter of a core
constexpr std::chrono::milliseconds kWorkAtOnce{20};

/// Not SCHED_IDLE: the thread holds the manifest's lock now and then, and on a machine that is always busy a flush
/// would wait for it. With nice 19 it gets about 1.5 % of a core that another thread wants.
constexpr int kCompactorNice = 19;

std::chrono::nanoseconds thread_work_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::chrono::nanoseconds steady_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

/// Keeps the first failure of several pieces of work.
void keep_first(Status& first, Status status) {
  if (first && !status) first = std::move(status);
}

}  // namespace

Compactor::Compactor(const StorePaths& paths, FileSystem& files, Clock& clock, SharedManifest& manifest,
                     TenantTable& tenants, WalFiles& wal_files, WriteGate& gate, Options options)
    : paths_(paths),
      files_(files),
      clock_(clock),
      manifest_(manifest),
      tenants_(tenants),
      wal_files_(wal_files),
      gate_(gate),
      options_(std::move(options)),
      retention_clock_(clock, options_.newest_received, options_.retention.clock_jump_max),
      retention_(options_.retention) {}

void Compactor::start(Flusher& flusher, Committer& committer) {
  flusher_ = &flusher;
  committer_ = &committer;
  thread_ = std::jthread([this] { run(); });
}

void Compactor::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  closing_.cancel();
  wake_.notify_all();
  round_done_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Compactor::wake() {
  {
    MutexLock lock(mutex_);
    is_woken_ = true;
  }
  wake_.notify_all();
}

Status Compactor::compact(CompactionScope scope, WorkWatch watch) {
  MutexLock lock(mutex_);
  asked_watch_ = std::move(watch);
  const std::uint64_t round = ++rounds_asked_;
  if (scope == CompactionScope::all_final) asked_scope_ = scope;
  wake_.notify_all();
  while (rounds_done_ < round && !stopping_) round_done_.wait(mutex_);
  if (rounds_done_ < round) return Error(ErrorCode::unavailable, "the store is being closed");
  return last_round_;
}

Compactor::Figures Compactor::figures() const {
  Figures figures;
  figures.compactions = compactions_.load(std::memory_order_relaxed);
  figures.bytes_read = bytes_read_.load(std::memory_order_relaxed);
  figures.bytes_written = bytes_written_.load(std::memory_order_relaxed);
  figures.failures = failures_.load(std::memory_order_relaxed);
  figures.reencoded_row_groups = reencoded_row_groups_.load(std::memory_order_relaxed);
  figures.days_dropped = days_dropped_.load(std::memory_order_relaxed);
  figures.records_deleted = records_deleted_.load(std::memory_order_relaxed);
  return figures;
}

bool Compactor::is_stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

bool Compactor::is_asked() const {
  MutexLock lock(mutex_);
  return rounds_asked_ > rounds_done_;
}

void Compactor::run() {
  lower_thread_priority(kCompactorNice);
  std::chrono::nanoseconds next_try{};  // of the steady clock
  for (;;) {
    std::uint64_t round = 0;
    CompactionScope scope = CompactionScope::due;
    {
      MutexLock lock(mutex_);
      const std::chrono::nanoseconds back_off = next_try - steady_now();  // a flush does not end it
      const bool is_backing_off = back_off > std::chrono::nanoseconds(0);
      if (!stopping_ && rounds_asked_ == rounds_done_ && (is_backing_off || !is_woken_)) {
        wake_.wait_for(mutex_, is_backing_off ? back_off : kCompactorLookInterval);
      }
      if (stopping_) return;
      if (rounds_asked_ > rounds_done_) round = rounds_asked_;
      if (round == 0 && steady_now() < next_try) continue;
      is_woken_ = false;
      scope = std::exchange(asked_scope_, CompactionScope::due);
      watch_ = std::exchange(asked_watch_, {});
    }
    if (round == 0 && !options_.is_automatic) continue;
    Status done = work(scope);
    if (is_stopping()) return;
    next_try = {};
    const bool is_cancelled = !done && done.error().code() == ErrorCode::cancelled;
    if (!done && !is_cancelled && done.error().code() != ErrorCode::corruption) {
      next_try = steady_now() + kCompactorBackOff;
      ++failures_;
      log(LogLevel::error, "storage", "compaction failed", {{"error", done.error().message()}});
    }
    if (round == 0) continue;
    {
      MutexLock lock(mutex_);
      rounds_done_ = round;
      last_round_ = std::move(done);
    }
    round_done_.notify_all();
  }
}

Status Compactor::work(CompactionScope scope) {
  DENDRO_TRY(gate_.check_open());
  DENDRO_TRY(manifest_.check_usable());
  round_merges_ = 0;
  Status first_failure = apply_retention();
  keep_first(first_failure, merge_due(scope));
  if (!first_failure && first_failure.error().code() != ErrorCode::corruption) return first_failure;
  keep_first(first_failure, settle_tombstones());
  return first_failure;
}

Status Compactor::pause() {
  const SequenceNumber sequence = tenants_.last_sequence();
  const std::chrono::nanoseconds now = steady_now();
  if (std::exchange(last_sequence_, sequence) != sequence) last_intake_ = now;
  const std::chrono::nanoseconds worked = thread_work_time() - worked_before_;
  MutexLock lock(mutex_);
  const bool is_quiet = now - last_intake_ > kIntakeQuietAfter;
  const std::chrono::nanoseconds rest_end = now + worked * kRestFactor;
  while (!is_quiet && worked > kWorkAtOnce && !stopping_ && rounds_asked_ == rounds_done_) {
    const std::chrono::nanoseconds left = rest_end - steady_now();
    if (left <= std::chrono::nanoseconds(0)) break;
    wake_.wait_for(mutex_, left);
  }
  if (is_quiet || worked > kWorkAtOnce) worked_before_ = thread_work_time();
  if (stopping_) return Error(ErrorCode::cancelled, "the store is being closed");
  if (watch_.cancel.cancelled()) return Error(ErrorCode::cancelled, "the compaction was cancelled");
  return {};
}

std::vector<SegmentInfo> Compactor::listed_segments() const {
  std::vector<SegmentInfo> segments;
  manifest_.read([&segments](const ManifestState& state) {
    segments.reserve(state.segments.size());
    for (const auto& [id, info] : state.segments) segments.push_back(info);
  });
  return segments;
}

}  // namespace dendro
