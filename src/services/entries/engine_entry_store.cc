#include "services/entries/engine_entry_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "record/record_batch_builder.h"
#include "record/record_id.h"

namespace dendro {
namespace {

constexpr std::string_view kSourcePath = "dendro.source";
constexpr std::string_view kEntriesSource = "entries";
constexpr std::string_view kLogIdPath = "logId";

std::int64_t floor_to_ms(Timestamp t) {
  const std::int64_t remainder = t.number() % kNanosPerMilli;
  return (t.number() - (remainder < 0 ? remainder + kNanosPerMilli : remainder)) / kNanosPerMilli;
}

std::shared_ptr<const RecordBatch> batch_of(const NewEntry& entry) {
  RecordBatchBuilder builder(entry.receive_time);
  builder.begin_record();
  builder.set_timestamp(Timestamp(floor_to_ms(entry.receive_time) * kNanosPerMilli));
  builder.set_severity(entry_severity_number(entry.severity));
  builder.add_leaf(LeafRole::attribute, kLogIdPath, kLogIdPath, Value::of_text(entry.log_id));
  builder.add_leaf(LeafRole::severity, "severity", "severity", Value::of_text(entry_severity_name(entry.severity)));
  builder.add_leaf(LeafRole::body, "body", "message", value_of_string(entry.message));
  builder.add_label(kSourcePath, Value::of_text(kEntriesSource));
  builder.end_record();
  return builder.finish();
}

/// Records of S1, by their stream: an attribute of that name in somebody else's record is no proof. Of one severity if
/// given.
class EntryFilter final : public RecordFilter {
 public:
  explicit EntryFilter(std::optional<EntrySeverity> severity) : severity_(severity) {}

  void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const override {
    std::vector<char> is_entries;
    for (const Stream& stream : batch.streams()) {
      const StreamLabel* source = stream.find(kSourcePath);
      is_entries.push_back(source != nullptr && source->value.type == ValueType::text &&
                           source->value.text == kEntriesSource);
    }
    std::erase_if(rows, [&](std::uint32_t row) {
      if (!is_entries[batch.stream_index(row)]) return true;
      return severity_ && batch.severity(row) != entry_severity_number(*severity_);
    });
  }

 private:
  const std::optional<EntrySeverity> severity_;
};

struct Candidate {
  RecordPosition position;
  Entry entry;
};

bool is_newer_candidate(const Candidate& a, const Candidate& b) {
  return a.position > b.position;
}

Entry entry_of(const RecordView& record) {
  Entry entry;
  entry.timestamp_ms = floor_to_ms(record.timestamp());
  record.for_each_leaf([&entry](const Leaf& leaf, const Value& value) {
    if (leaf.role == LeafRole::body) entry.message = value.text;
    if (leaf.role == LeafRole::severity)
      entry.severity = parse_entry_severity(value.text).value_or(EntrySeverity::info);
    if (leaf.role == LeafRole::attribute && leaf.path == kLogIdPath) entry.log_id = value.text;
    return true;
  });
  return entry;
}

/// The newest `count` of what is offered: a heap whose front is the oldest kept.
class NewestEntries {
 public:
  explicit NewestEntries(std::size_t count) : count_(count) {}
  bool is_full() const { return heap_.size() == count_; }
  RecordPosition oldest() const { return heap_.front().position; }
  void offer(RecordPosition position, const RecordView& record) {
    if (is_full()) {
      if (position < oldest()) return;
      std::pop_heap(heap_.begin(), heap_.end(), is_newer_candidate);
      heap_.pop_back();
    }
    heap_.push_back({position, entry_of(record)});
    std::push_heap(heap_.begin(), heap_.end(), is_newer_candidate);
  }
  std::vector<Candidate> take_newest_first() {
    std::sort(heap_.begin(), heap_.end(), is_newer_candidate);
    return std::move(heap_);
  }

 private:
  std::size_t count_;
  std::vector<Candidate> heap_;
};

class EngineEntryStore final : public EntryStore {
 public:
  EngineEntryStore(RecordSink& sink, SnapshotFunction snapshot) : sink_(sink), snapshot_(std::move(snapshot)) {}

  void put(NewEntry entry, std::function<void(Result<KeptEntry>)> done) override {
    CommitRequest request;
    request.tenant = entry.tenant;
    request.batches = {batch_of(entry)};
    request.key = entry.key;
    request.receive_time = entry.receive_time;
    request.accepted = 1;
    const auto on_commit = [done](Result<CommitReply> reply) {
      if (!reply) return done(std::move(reply).error());
      done(KeptEntry{floor_to_ms(reply->receive_time), reply->replayed});
    };
    if (Status queued = sink_.append(std::move(request), on_commit); !queued) done(std::move(queued).error());
  }

  Result<EntryPage> read_recent(const EntryQuery& query) override {
    std::optional<RecordPosition> before;
    if (!query.cursor.empty()) {
      before = parse_record_id(query.cursor);
      if (!before) return Error(ErrorCode::invalid_argument, "Invalid cursor");
    }
    DENDRO_TRY_ASSIGN(std::shared_ptr<const Snapshot> snapshot, snapshot_(query.tenant));
    if (query.restriction != nullptr) snapshot = restrict_snapshot(std::move(snapshot), *query.restriction);
    ScanRequest scan;
    scan.filter = std::make_shared<EntryFilter>(query.severity);
    scan.cancel = query.cancel;
    if (before && before->timestamp < kTimestampMax) scan.range.last = before->timestamp.next();
    const std::unique_ptr<BlockSource> blocks = snapshot->scan(std::move(scan));
    // One more than asked tells whether a next page exists.
    NewestEntries newest(query.limit + 1);
    while (!newest.is_full() || newest.oldest().timestamp <= blocks->bound()) {
      Result<std::optional<RecordBlock>> block_or = blocks->next();
      if (!block_or && block_or.error().code() == ErrorCode::corruption) {
        // The rest can still be answered, and the reply has no place for it.
        log(LogLevel::error, "entries", "stored entries left out", {{"error", block_or.error().message()}});
        continue;
      }
      DENDRO_TRY_ASSIGN(const std::optional<RecordBlock> block, std::move(block_or));
      if (!block) break;
      for (const std::uint32_t row : block->rows) {
        const RecordPosition position = block->position(row);
        if (!before || position < *before) newest.offer(position, block->record(row));
      }
    }
    return to_page(newest.take_newest_first(), query.limit);
  }

 private:
  static EntryPage to_page(std::vector<Candidate> candidates, std::size_t limit) {
    EntryPage page;
    if (candidates.size() > limit) {
      candidates.resize(limit);
      page.next = to_record_id(candidates.back().position);
    }
    for (Candidate& candidate : candidates) page.entries.push_back(std::move(candidate.entry));
    return page;
  }

  RecordSink& sink_;
  const SnapshotFunction snapshot_;
};

}  // namespace

std::unique_ptr<EntryStore> make_engine_entry_store(RecordSink& sink, SnapshotFunction snapshot) {
  return std::make_unique<EngineEntryStore>(sink, std::move(snapshot));
}

}  // namespace dendro
