#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/committer.h"
#include "storage/compaction/compaction_plan.h"
#include "storage/compaction/retention.h"
#include "storage/compaction/retention_clock.h"
#include "storage/compaction/segment_merge.h"
#include "storage/flusher.h"
#include "storage/removal_witness.h"
#include "storage/work_watch.h"

namespace dendro {

// The order of a compaction, on which recovery rests (engine.md 3.6):
//   K1 the output is written, synced, named, its folder synced;
//   K2 one edit group adds it and removes the inputs; synced;
//   K3 published: readers that come see the output, those that are there keep the inputs;
//   K4 an input's file goes when the last reader lets go of it.
// A power cut before K2 leaves an unlisted output, one behind K2 unlisted inputs: the next opening deletes either.
// Dropped days and tenants: K2 to K4 without an output.
//
// A tombstone is done when, in this order:
//   D1 no record it could take stands in memory only;
//   D2 every segment of the tenant was looked through since, and rewritten if it held a match;
//   D3 no WAL file is left that was written to before D1, recycled ones included;
//   D4 the edit is synced; the manifest, which holds the tombstone's text, is then written anew.

/// The one thread that merges segments, drops what is out of its time, and carries deletions out. It runs at the lowest
/// priority; while records come in, it rests three times as long as it worked (a quarter of a core on average; a row
/// group, up to a second of work at the last zstd level, is not cut short).
class Compactor {
 public:
  struct Options {
    CompactionRules rules;
    RetentionRules retention;
    std::optional<Timestamp> newest_received;  ///< of the store at opening (RetentionClock)
    std::chrono::nanoseconds batch_key_window{};
    bool is_automatic = true;  ///< false: only compact() makes it work
    bool keeps_deleted_for_test = false;
    RemovalWitness removal_witness = {};
  };
  /// All outlive this.
  Compactor(const StorePaths& paths, FileSystem& files, Clock& clock, SharedManifest& manifest, TenantTable& tenants,
            WalFiles& wal_files, WriteGate& gate, Options options);
  ~Compactor() { stop(); }
  Compactor(const Compactor&) = delete;
  Compactor& operator=(const Compactor&) = delete;

  /// Once. Both outlive the next stop().
  void start(Flusher& flusher, Committer& committer);
  /// Ends the thread at the next slice of a merge, which is given up. What is called later returns unavailable.
  void stop();

  /// Does all that is due now, without resting, and waits: retention, merges, deletions. Any thread but those of the
  /// store. Progress counts merges. A round that is cancelled ends for all who wait for it. Errors: storage_full,
  /// io_error; corruption (a segment could not be read; the rest was done); unavailable; cancelled.
  Status compact(CompactionScope scope, WorkWatch watch);
  /// Looks soon. Any thread; cheap.
  void wake();

  struct Figures {
    std::uint64_t compactions = 0, bytes_read = 0, bytes_written = 0, failures = 0;
    std::uint64_t days_dropped = 0, records_deleted = 0;
    std::uint64_t reencoded_row_groups = 0;  ///< as SegmentWriter counts them
  };
  Figures figures() const;
  /// From the next round on: a rule of the tenant's own, or none. Any thread.
  void set_tenant_retention(const TenantId& tenant, std::optional<RetentionRule> rule);
  const RetentionClock& retention_clock() const { return retention_clock_; }

 private:
  struct Job {
    TenantId tenant = TenantId::default_tenant();
    Timestamp day;
    CompactionPlan plan;
  };
  void run();
  Status work(CompactionScope scope);
  RetentionRules retention() const;
  Status apply_retention();
  void warn_of_wall_clock();
  Result<std::shared_ptr<void>> tell_witness(const Removal& removal) const;
  Status drop_day(const DropDay& drop);
  Status apply_stream_rules();
  Status apply_stream_rule(const TenantId& tenant, const StreamRetention& rule, Timestamp cut);
  /// Whether readers that come would see a record that it takes. What cannot be read does not count.
  Result<bool> is_any_left(const TenantView& view, const Tombstone& tombstone);
  Status forget_retry_keys();
  /// After a change of the manifest failed: what it holds may be unknown.
  Status stop_if_unknown(const Status& changed);
  Status merge_due(CompactionScope scope);
  void tell_progress(CompactionScope scope);
  std::optional<Job> next_job(CompactionScope scope) const;
  Status carry_out(const Job& job);
  /// K2 to K4.
  Status replace(const Job& job, const SegmentList& inputs, const MergedSegment& merged);
  void leave_out(SegmentId id, const Error& error);
  std::vector<SegmentInfo> listed_segments() const;

  Status settle_tombstones();
  Result<bool> is_flushed(const Tombstone& tombstone);
  /// D2. False: some segment could not be read, so that nobody knows. Errors: internal (a record is still there).
  Result<bool> rewrite_matches(const std::shared_ptr<const Tombstone>& tombstone);
  enum class SearchOutcome : std::uint8_t { absent, present, unreadable };
  /// Whether the segment holds a record that the tombstone takes. Errors: cancelled, io_error.
  Result<SearchOutcome> search(const std::shared_ptr<const Segment>& segment, const Tombstone& tombstone);
  Result<bool> clear_wal();

  /// Between slices: rests as the duty cycle asks. Errors: cancelled once stopping.
  Status pause();
  bool is_stopping() const;
  bool is_asked() const;

  // Fixed after construction; the last two after start().
  const StorePaths& paths_;
  FileSystem& files_;
  Clock& clock_;
  SharedManifest& manifest_;
  TenantTable& tenants_;
  WalFiles& wal_files_;
  WriteGate& gate_;
  const Options options_;
  const RetentionClock retention_clock_;
  Flusher* flusher_ = nullptr;
  Committer* committer_ = nullptr;

  CancelToken closing_;  ///< of scans

  mutable Mutex retention_mutex_;
  RetentionRules retention_ DENDRO_GUARDED_BY(retention_mutex_);  ///< begins as options_.retention

  // The compactor's thread only.
  std::set<SegmentId> left_out_;                              ///< unreadable: not tried again before the next opening
  std::map<TombstoneId, std::set<SegmentId>> without_match_;  ///< looked through, or written without it
  std::map<std::pair<TenantId, std::size_t>, Timestamp> rule_cuts_;  ///< by rule: what it was carried out up to
  bool has_warned_of_clock_ = false;
  WorkWatch watch_;  ///< of the round at hand
  std::uint64_t round_merges_ = 0;
  SequenceNumber last_sequence_;
  std::chrono::nanoseconds last_intake_{};  ///< of the steady clock
  std::chrono::nanoseconds worked_before_{};

  std::atomic<std::uint64_t> compactions_{0}, bytes_read_{0}, bytes_written_{0}, failures_{0}, reencoded_row_groups_{0};
  std::atomic<std::uint64_t> days_dropped_{0}, records_deleted_{0};

  mutable Mutex mutex_;
  CondVar wake_;
  CondVar round_done_;
  bool stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  bool is_woken_ DENDRO_GUARDED_BY(mutex_) = false;
  std::uint64_t rounds_asked_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t rounds_done_ DENDRO_GUARDED_BY(mutex_) = 0;
  CompactionScope asked_scope_ DENDRO_GUARDED_BY(mutex_) = CompactionScope::due;
  WorkWatch asked_watch_ DENDRO_GUARDED_BY(mutex_);
  Status last_round_ DENDRO_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace dendro
