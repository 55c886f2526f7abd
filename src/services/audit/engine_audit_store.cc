#include "services/audit/engine_audit_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "filter/compiled_filter.h"
#include "ingest/dead_letter.h"
#include "services/audit/audit_predicate.h"
#include "services/audit/audit_record.h"
#include "services/audit/limits.h"
#include "services/audit/page_fill.h"
#include "services/audit/record_rows.h"

namespace dendro {
namespace {

constexpr std::string_view kAuditDialect = "audit";
/// Sequence numbers looked through at once for the stream: what is found in them waits in memory.
constexpr std::uint64_t kSequenceWindowMin = 4'096;
constexpr std::uint64_t kSequenceWindowMax = std::uint64_t{1} << 24;
/// Then a reader of the stream has its say.
constexpr std::chrono::milliseconds kStoredReadTime{500};

AuditLog log_of(const RecordRow& row, const TenantId& tenant) {
  AuditLog log = read_audit_record(row.record());
  log.tenant = tenant;
  return log;
}

/// The logs of a filter, newest first, checked against it where the engine's own check lets others pass.
class AuditRows {
 public:
  AuditRows(std::unique_ptr<RecordRows> rows, TenantId tenant, AuditFilter filter)
      : rows_(std::move(rows)), tenant_(std::move(tenant)), filter_(std::move(filter)) {}

  /// Nothing at the end.
  Result<std::optional<AuditLog>> next() {
    for (;;) {
      DENDRO_TRY_ASSIGN(const RecordRow* row, rows_->next());
      if (row == nullptr) return std::optional<AuditLog>();
      AuditLog log = log_of(*row, tenant_);
      if (!filter_.search.match(log)) continue;
      position_ = row->position();
      return std::optional<AuditLog>(std::move(log));
    }
  }
  /// What resumes behind the log that next() gave last.
  std::string cursor() const { return rows_->cursor_behind(position_); }
  bool left_out_damage() const { return rows_->left_out_damage(); }

 private:
  std::unique_ptr<RecordRows> rows_;
  TenantId tenant_;
  AuditFilter filter_;
  RecordPosition position_;
};

class EngineAuditLogSource final : public AuditLogSource {
 public:
  explicit EngineAuditLogSource(AuditRows rows) : rows_(std::move(rows)) {}
  Result<std::optional<AuditLog>> next() override {
    DENDRO_TRY_ASSIGN(std::optional<AuditLog> log, rows_.next());
    if (!log && rows_.left_out_damage()) return Error(ErrorCode::corruption, "damaged logs were left out");
    return log;
  }

 private:
  AuditRows rows_;
};

/// Counts logs one by one, for filters that the engine's statistics cannot answer.
void count_log(AuditStats& stats, const AuditLog& log) {
  ++stats.total;
  ++stats.by_severity[static_cast<std::size_t>(log.severity)];
  ++stats.by_action[static_cast<std::size_t>(log.action)];
  ++stats.by_resource_type[log.resource_type];
  ++stats.by_day[day_start(log.timestamp)];
}

Error too_many_types(std::size_t types_max) {
  return Error(ErrorCode::too_large,
               "over " + std::to_string(types_max) + " resource types: narrow the statistics by filters");
}

GroupKey group_by(std::string name) {
  GroupKey key;
  key.column = name;
  key.name = std::move(name);
  return key;
}
GroupKey group_by_day() {
  GroupKey key = group_by("_time");
  key.bucket.kind = BucketKind::duration;
  key.bucket.width_ns = kNanosPerDay;
  key.bucket.text = "1d";
  return key;
}

/// Hands on what the engine says of its commits.
class CommitRelay final : public CommitListener {
 public:
  explicit CommitRelay(std::function<void()> on_stored) : on_stored_(std::move(on_stored)) {}
  void on_commit(const std::vector<CommittedBatch>&) override { on_stored_(); }

 private:
  const std::function<void()> on_stored_;
};

/// The records of a range of sequence numbers that come first, at most so many.
class FirstRecords {
 public:
  explicit FirstRecords(std::size_t count) : count_(count) {}

  void take(const RecordBlock& block) {
    for (const std::uint32_t row : block.rows) {
      kept_.push_back({block.sequence(row), block.batch, row});
      std::push_heap(kept_.begin(), kept_.end(), IsBefore());
      if (kept_.size() <= count_) continue;
      std::pop_heap(kept_.begin(), kept_.end(), IsBefore());
      kept_.pop_back();
      left_some_out_ = true;
    }
  }
  /// As logs, until `bytes` are at `bytes_max`. False: some were left out behind the last one.
  bool append_to(std::vector<StoredAuditLog>& logs, const TenantId& tenant, std::size_t& bytes, std::size_t bytes_max) {
    std::sort(kept_.begin(), kept_.end(), IsBefore());
    for (const Kept& kept : kept_) {
      if (bytes >= bytes_max) return false;
      logs.push_back({StoredPlace(kept.sequence.number()), read_audit_record(kept.batch->record(kept.row))});
      logs.back().log.tenant = tenant;
      bytes += audit_log_bytes(logs.back().log);
    }
    return !left_some_out_;
  }

 private:
  struct Kept {
    SequenceNumber sequence;
    std::shared_ptr<const RecordBatch> batch;
    std::uint32_t row = 0;
  };
  struct IsBefore {
    bool operator()(const Kept& a, const Kept& b) const { return a.sequence < b.sequence; }
  };
  const std::size_t count_;
  std::vector<Kept> kept_;  // a heap, the last one on top
  bool left_some_out_ = false;
};

class EngineAuditStore final : public AuditStore {
 public:
  EngineAuditStore(Store& store, const Clock& clock, EngineAuditOptions options)
      : store_(store), clock_(clock), options_(std::move(options)) {}

  void put(AuditPut request, std::function<void(Result<AuditPutReply>)> done) override {
    BatchFiller filler(request.receive_time);
    for (const AuditLog& log : request.logs) add_audit_record(filler, log);
    for (const AuditDeadLetter& letter : request.dead_letters) {
      const RejectedRecord rejected{0, {RejectReason::parse_error, letter.reason}, letter.raw};
      add_dead_letter(filler, rejected, {kAuditDialect, request.request_id});
    }
    filler.flush();
    CommitRequest commit;
    commit.tenant = std::move(request.tenant);
    commit.batches = filler.take_batches();
    commit.key = request.key;
    commit.receive_time = request.receive_time;
    commit.accepted = request.logs.size();
    commit.rejected = request.dead_letters.size();
    const auto on_commit = [done](Result<CommitReply> reply) {
      if (!reply) return done(std::move(reply).error());
      done(AuditPutReply{reply->replayed});
    };
    if (Status queued = store_.append(std::move(commit), on_commit); !queued) done(std::move(queued).error());
  }

  Result<AuditPage<AuditLog>> list(const AuditPageRequest& request, const AuditFilter& filter) override {
    const bool is_exact = filter.search.empty();
    const AuditReader reader(request.tenant, request.restriction);
    DENDRO_TRY_ASSIGN(const RecordScope scope, scope_of(reader, filter, request.cancel, kAuditReadTime));
    DENDRO_TRY_ASSIGN(AuditRows rows,
                      rows_of(scope, request.tenant, filter, is_exact ? request.skip + request.limit : 0,
                              request.cursor, request.now));
    AuditPage<AuditLog> page;
    // What the engine cannot count is counted by going on to the end.
    const bool goes_on = !is_exact && request.cursor.empty();
    DENDRO_TRY_ASSIGN(const PageEnd end, fill_page(page, request, rows, goes_on));
    page.is_complete = !rows.left_out_damage();
    if (end.at_end && request.cursor.empty()) {
      page.total = end.seen;
    } else {
      DENDRO_TRY_ASSIGN(page.total, count(scope, request.tenant, filter, request.now, page.is_complete));
    }
    return page;
  }

  Result<std::optional<AuditLog>> get(const AuditReader& reader, const std::string& id,
                                      const CancelToken& cancel) override {
    DENDRO_TRY_ASSIGN(const std::unique_ptr<RecordRows> rows, rows_with_id(reader, id, cancel));
    DENDRO_TRY_ASSIGN(const RecordRow* row, rows->next());
    if (row == nullptr) return std::optional<AuditLog>();
    return std::optional(log_of(*row, reader.tenant));
  }

  Result<AuditStats> stats(const AuditReader& reader, const AuditFilter& filter, AuditStatsParts parts,
                           const CancelToken& cancel) override {
    const TenantId& tenant = reader.tenant;
    DENDRO_TRY_ASSIGN(const RecordScope scope, scope_of(reader, filter, cancel, kAuditReadTime));
    if (!filter.search.empty()) return count_one_by_one(scope, tenant, filter);
    AuditStats stats;
    if (parts.severity) DENDRO_TRY(count_severities(scope, stats));
    if (parts.action) DENDRO_TRY(count_actions(scope, stats));
    if (parts.resource_type) DENDRO_TRY(count_resource_types(scope, stats));
    if (parts.day) DENDRO_TRY(count_days(scope, stats));
    if (parts.severity) {
      for (const std::uint64_t n : stats.by_severity) stats.total += n;  // each log has one
    } else {
      DENDRO_TRY_ASSIGN(stats.total, count(scope, tenant, filter, clock_.now(), stats.is_complete));
    }
    return stats;
  }

  Result<std::unique_ptr<AuditLogSource>> read_all(const AuditReader& reader, const AuditFilter& filter,
                                                   const CancelToken& cancel) override {
    DENDRO_TRY_ASSIGN(const RecordScope scope, scope_of(reader, filter, cancel, kAuditExportTime));
    DENDRO_TRY_ASSIGN(AuditRows rows, rows_of(scope, reader.tenant, filter, 0, {}, clock_.now()));
    return std::unique_ptr<AuditLogSource>(std::make_unique<EngineAuditLogSource>(std::move(rows)));
  }

  Result<std::uint64_t> count_older(const TenantId& tenant, Timestamp cutoff, const CancelToken& cancel) override {
    DENDRO_TRY_ASSIGN(RecordScope scope, scope_of(tenant, AuditFilter(), cancel, kAuditReadTime));
    scope.range.last = cutoff;
    bool is_complete = true;
    return count(scope, tenant, AuditFilter(), clock_.now(), is_complete);
  }

  Result<std::uint64_t> delete_older(const TenantId& tenant, Timestamp cutoff) override {
    DENDRO_TRY_ASSIGN(const std::uint64_t older, count_older(tenant, cutoff, CancelToken()));
    if (older == 0) return older;
    DENDRO_TRY(store_.delete_records(tenant, {kTimestampMin, cutoff}, source_predicate(kAuditSource)));
    return older;
  }

  Result<StoredPlace> newest_place(const TenantId& tenant) override {
    DENDRO_TRY_ASSIGN(const auto snapshot, store_.snapshot(tenant));
    return StoredPlace(snapshot->last_sequence().number());
  }

  Result<std::optional<StoredPlace>> place_of(const AuditReader& reader, const std::string& id) override {
    DENDRO_TRY_ASSIGN(const std::unique_ptr<RecordRows> rows, rows_with_id(reader, id, CancelToken()));
    DENDRO_TRY_ASSIGN(const RecordRow* row, rows->next());
    if (row == nullptr) return std::optional<StoredPlace>();
    return std::optional(StoredPlace(row->sequence.number()));
  }

  Result<StoredAuditLogs> read_stored(const AuditReader& reader, StoredPlace after, StoredPage page,
                                      const CancelToken& cancel) override {
    DENDRO_TRY_ASSIGN(const auto snapshot, view_of(reader));
    const std::uint64_t last = snapshot->last_sequence().number();
    const auto deadline = clock_.monotonic() + kStoredReadTime;
    StoredAuditLogs stored;
    stored.through = after;
    std::size_t bytes = 0;
    std::uint64_t window = kSequenceWindowMin;
    while (stored.through.number() < last && clock_.monotonic() < deadline) {
      const std::uint64_t first = stored.through.number() + 1;
      const std::uint64_t end = first + std::min(window, last - stored.through.number());
      const std::size_t found_before = stored.logs.size();
      FirstRecords found(page.logs_max - found_before);
      DENDRO_TRY(scan_sequences(*snapshot, {SequenceNumber(first), SequenceNumber(end)}, cancel, found));
      const bool is_all = found.append_to(stored.logs, reader.tenant, bytes, page.bytes_max);
      stored.through = is_all ? StoredPlace(end - 1) : stored.logs.back().place;
      if (!is_all || stored.logs.size() == page.logs_max || bytes >= page.bytes_max) break;
      window = stored.logs.size() > found_before ? kSequenceWindowMin : std::min(2 * window, kSequenceWindowMax);
    }
    stored.at_end = stored.through.number() >= last;
    return stored;
  }

  std::shared_ptr<void> listen(const TenantId& tenant, std::function<void()> on_stored) override {
    auto relay = std::make_shared<CommitRelay>(std::move(on_stored));
    store_.listeners().add(tenant, relay);
    return relay;
  }

 private:
  /// The tenant's records as this reader sees them.
  Result<std::shared_ptr<const Snapshot>> view_of(const AuditReader& reader) {
    DENDRO_TRY_ASSIGN(auto snapshot, store_.snapshot(reader.tenant));
    if (reader.restriction == nullptr) return snapshot;
    return restrict_snapshot(std::move(snapshot), *reader.restriction);
  }

  /// Where fields are kept from the reader, what searches find in a log's own texts is not there as a field either.
  static Predicate asked_predicate(const AuditReader& reader, const AuditFilter& filter) {
    if (reader.restriction == nullptr || reader.restriction->fields.changes_nothing()) return audit_predicate(filter);
    AuditFilter without_search = filter;
    without_search.search = {};
    return audit_predicate(without_search);
  }

  Result<RecordScope> scope_of(const AuditReader& reader, const AuditFilter& filter, const CancelToken& cancel,
                               std::chrono::milliseconds timeout) {
    DENDRO_TRY_ASSIGN(auto snapshot, view_of(reader));
    return RecordScope{std::move(snapshot),
                       asked_predicate(reader, filter),
                       inclusive_range(filter.start, filter.end),
                       options_.limits,
                       cancel,
                       timeout};
  }

  Result<AuditRows> rows_of(const RecordScope& scope, const TenantId& tenant, const AuditFilter& filter,
                            std::uint64_t rows_max, const std::string& cursor, Timestamp now) {
    DENDRO_TRY_ASSIGN(auto rows, RecordRows::open(scope, rows_max, cursor, now, clock_));
    return AuditRows(std::move(rows), tenant, filter);
  }

  Result<std::unique_ptr<RecordRows>> rows_with_id(const AuditReader& reader, const std::string& id,
                                                   const CancelToken& cancel) {
    DENDRO_TRY_ASSIGN(RecordScope scope, scope_of(reader, AuditFilter(), cancel, kAuditReadTime));
    scope.filter = all_of({std::move(scope.filter), equals_predicate("id", id)});
    return RecordRows::open(scope, 1, {}, clock_.now(), clock_);
  }

  /// @param is_complete  becomes false if something was left out.
  Result<std::uint64_t> count(const RecordScope& scope, const TenantId& tenant, const AuditFilter& filter,
                              Timestamp now, bool& is_complete) {
    if (!filter.search.empty()) {
      DENDRO_TRY_ASSIGN(const AuditStats stats, count_one_by_one(scope, tenant, filter));
      is_complete = is_complete && stats.is_complete;
      return stats.total;
    }
    DENDRO_TRY_ASSIGN(const RecordCounts counts, count_records(scope, {}, now, clock_));
    is_complete = is_complete && !counts.left_out_damage;
    return counts.rows.empty() ? 0 : count_of_row(counts.rows.front());
  }

  Result<AuditStats> count_one_by_one(const RecordScope& scope, const TenantId& tenant, const AuditFilter& filter) {
    DENDRO_TRY_ASSIGN(AuditRows rows, rows_of(scope, tenant, filter, 0, {}, clock_.now()));
    AuditStats stats;
    for (;;) {
      DENDRO_TRY_ASSIGN(const std::optional<AuditLog> log, rows.next());
      if (!log) break;
      count_log(stats, *log);
      if (stats.by_resource_type.size() > options_.resource_types_max)
        return too_many_types(options_.resource_types_max);
    }
    stats.is_complete = !rows.left_out_damage();
    return stats;
  }

  /// Calls `take(key, n)` for each group of records.
  template <typename Take>
  Status count_groups(const RecordScope& scope, GroupKey key, AuditStats& stats, Take&& take) {
    DENDRO_TRY_ASSIGN(const RecordCounts counts, count_records(scope, {std::move(key)}, clock_.now(), clock_));
    stats.is_complete = stats.is_complete && !counts.left_out_damage;
    for (const std::vector<Cell>& row : counts.rows) take(row.front().value(), count_of_row(row));
    return {};
  }
  Status count_severities(const RecordScope& scope, AuditStats& stats) {
    return count_groups(scope, group_by("severity"), stats, [&stats](const Value& key, std::uint64_t n) {
      const auto number = severity_of_word(key.text);
      const auto severity = number ? audit_severity_of(*number) : std::nullopt;
      if (severity) stats.by_severity[static_cast<std::size_t>(*severity)] += n;
    });
  }
  Status count_actions(const RecordScope& scope, AuditStats& stats) {
    return count_groups(scope, group_by("action"), stats, [&stats](const Value& key, std::uint64_t n) {
      if (const auto action = parse_audit_action(key.text)) stats.by_action[static_cast<std::size_t>(*action)] += n;
    });
  }
  Status count_resource_types(const RecordScope& scope, AuditStats& stats) {
    DENDRO_TRY(count_groups(scope, group_by("resource_type"), stats, [&stats](const Value& key, std::uint64_t n) {
      stats.by_resource_type[std::string(key.text)] += n;
    }));
    if (stats.by_resource_type.size() > options_.resource_types_max) return too_many_types(options_.resource_types_max);
    return {};
  }
  Status count_days(const RecordScope& scope, AuditStats& stats) {
    return count_groups(scope, group_by_day(), stats, [&stats](const Value& key, std::uint64_t n) {
      stats.by_day[day_start(Timestamp(key.integer))] += n;
    });
  }

  Status scan_sequences(const Snapshot& snapshot, SequenceRange range, const CancelToken& cancel,
                        FirstRecords& found) const {
    ScanRequest request;
    request.sequences = range;
    request.order = ScanOrder::oldest_first;
    request.filter = stream_filter_;
    request.cancel = cancel;
    const auto source = snapshot.scan(std::move(request));
    for (;;) {
      const auto block = source->next();
      if (!block && block.error().code() == ErrorCode::corruption) continue;  // every list says so
      if (!block) return block.error();
      if (!block->has_value()) return {};
      found.take(**block);
    }
  }

  Store& store_;
  const Clock& clock_;
  const EngineAuditOptions options_;
  const std::shared_ptr<const CompiledFilter> stream_filter_ = compile_filter(source_predicate(kAuditSource));
};

}  // namespace

std::unique_ptr<AuditStore> make_engine_audit_store(Store& store, const Clock& clock, EngineAuditOptions options) {
  return std::make_unique<EngineAuditStore>(store, clock, std::move(options));
}

}  // namespace dendro
