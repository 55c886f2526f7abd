#include "storage/store_scan.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <numeric>
#include <optional>
#include <set>

#include "storage/scan/row_group_turn.h"
#include "storage/segment/record_decoder.h"
#include "storage/store_block_stats.h"

namespace dendro {
namespace {

constexpr std::size_t kRowGroupsBeforeHelp = 2;
constexpr std::size_t kStepsBeforeMean = 8;
/// Handing a task to another thread and sleeping until it is done takes 10 to 50 us.
constexpr std::chrono::microseconds kStepWorthHelp(25);

/// What a scan comes to next, and when: one batch of a memtable, a segment not looked into yet, or a row group.
struct ScanUnit {
  enum class Kind : std::uint8_t { memtable_batch, segment, row_group };
  Timestamp time;  ///< the first that it may have left, in the order of the scan
  Kind kind = Kind::memtable_batch;
  const MemtableEntry* entry = nullptr;
  const JoinedBatch* joined = nullptr;  ///< or this
  std::size_t index = 0;                ///< of the segment in the view, or of the row group among turns
};

class StoreScan final : public BlockSource {
 public:
  StoreScan(TenantView view, ScanResources resources, ScanRequest request)
      : view_(std::move(view)),
        request_(request),
        // What a tombstone takes away must be seen record by record.
        work_(std::move(request), std::move(resources.cache), view_.tombstones == nullptr || view_.tombstones->empty()),
        helpers_(std::move(resources.helpers)) {
    for (const MemtableView& memtable : view_.memtables) collect(memtable);
    for (std::size_t i = 0; i < view_.segments->size(); ++i) {
      const SegmentInfo& info = (*view_.segments)[i]->info();
      const bool is_in_range =
          request_.sequences.overlaps(info.first_sequence, info.last_sequence) &&
          add({{}, ScanUnit::Kind::segment, nullptr, nullptr, i}, info.min_timestamp, info.max_timestamp);
      if (is_in_range) unopened_.push_back(units_.back());
      if (request_.profile != nullptr) request_.profile->add_segment(info.id, is_in_range);
    }
    std::sort(unopened_.begin(), unopened_.end(), Later{request_.order});
    std::make_heap(units_.begin(), units_.end(), Later{request_.order});
  }
  ~StoreScan() override {
    for (const auto& turn : turns_) {
      if (turn != nullptr) turn->close();
    }
  }

  Result<std::optional<RecordBlock>> next() override {
    if (final_error_) return *final_error_;
    while (!units_.empty() || !counted_.empty()) {
      if (request_.filter != nullptr && !request_.filter->wants_more()) request_.cancel.cancel();
      if (request_.cancel.cancelled()) return fail(Error(ErrorCode::cancelled, "the scan was cancelled"));
      if (!counted_.empty()) {
        RecordBlock block = std::move(counted_.back());
        counted_.pop_back();
        return std::optional<RecordBlock>(std::move(block));
      }
      std::pop_heap(units_.begin(), units_.end(), Later{request_.order});
      const ScanUnit unit = units_.back();
      units_.pop_back();
      Result<std::optional<RecordBlock>> block = take(unit);
      if (!block) return block.error().code() == ErrorCode::corruption ? block.error() : fail(block.error());
      if (block->has_value()) subtract_deleted(view_.tombstones.get(), **block);
      if (block->has_value() && !(*block)->rows.empty()) return block;
    }
    return std::optional<RecordBlock>();
  }

  Timestamp bound() const override {
    if (units_.empty()) return is_newest_first() ? kTimestampMin : kTimestampMax;
    return units_.front().time;
  }

  std::uint64_t scanned_records() const override { return scanned_records_; }
  std::uint64_t scanned_bytes() const override { return scanned_bytes_; }

 private:
  /// The heap's order: on top is what the scan comes to first.
  struct Later {
    ScanOrder order;
    bool operator()(const ScanUnit& a, const ScanUnit& b) const {
      return order == ScanOrder::newest_first ? a.time < b.time : a.time > b.time;
    }
  };
  bool is_newest_first() const { return request_.order == ScanOrder::newest_first; }

  Error fail(const Error& error) {
    final_error_ = error;
    return error;
  }

  void collect(const MemtableView& memtable) {
    constexpr std::size_t kGroup = Memtable::kGroupEntries;
    for (std::size_t i = 0; i < memtable.count; ++i) {
      const bool begins_group = i % kGroup == 0 && i + kGroup <= memtable.count;
      const JoinedBatch* const joined = begins_group ? memtable.memtable->joined(i / kGroup) : nullptr;
      if (joined != nullptr) {
        add_batch({{}, ScanUnit::Kind::memtable_batch, nullptr, joined, 0}, *joined->batch, joined->sequences->front(),
                  joined->sequences->back());
        i += kGroup - 1;
        continue;
      }
      const MemtableEntry& entry = memtable[i];
      add_batch({{}, ScanUnit::Kind::memtable_batch, &entry, nullptr, 0}, entry.batch, entry.first_sequence,
                entry.first_sequence.next(entry.batch.size() - 1));
    }
  }
  template <typename Batch>
  void add_batch(const ScanUnit& unit, const Batch& batch, SequenceNumber first, SequenceNumber last) {
    const bool is_in_range =
        request_.sequences.overlaps(first, last) && add(unit, batch.min_timestamp(), batch.max_timestamp());
    if (!is_in_range && request_.profile != nullptr) request_.profile->note_memtable_batch_outside();
  }

  /// To the end of the heap's array, if it lies in the range.
  bool add(ScanUnit unit, Timestamp min, Timestamp max) {
    const TimeRange& range = request_.range;
    if (range.first >= range.last || !range.overlaps(min, max)) return false;
    unit.time = is_newest_first() ? std::min(max, Timestamp(range.last.number() - 1)) : std::max(min, range.first);
    units_.push_back(unit);
    return true;
  }
  void push(const ScanUnit& unit) {
    units_.push_back(unit);
    std::push_heap(units_.begin(), units_.end(), Later{request_.order});
  }

  Result<std::optional<RecordBlock>> take(const ScanUnit& unit) {
    switch (unit.kind) {
      case ScanUnit::Kind::memtable_batch:
        return std::optional<RecordBlock>(select_rows(block_of(unit)));
      case ScanUnit::Kind::segment:
        if (opened_.insert(unit.index).second) DENDRO_TRY(open_segment((*view_.segments)[unit.index]));
        return std::optional<RecordBlock>();
      case ScanUnit::Kind::row_group:
        break;
    }
    return take_step(unit);
  }

  /// Those of its row groups that must be read take its place.
  Status open_segment(const std::shared_ptr<const Segment>& segment) {
    const SegmentId id = segment->info().id;
    Result<std::shared_ptr<const SegmentTables>> loaded = cached_tables(work_.cache(), *segment);
    if (!loaded && request_.profile != nullptr) request_.profile->note_damage(id);
    DENDRO_TRY_ASSIGN(const std::shared_ptr<const SegmentTables> tables, std::move(loaded));
    RowGroupWork::Told told = work_.ask_directory(*segment, *tables);
    scanned_records_ += told.records;
    scanned_bytes_ += told.raw_bytes;
    for (RecordBlock& block : told.blocks) counted_.push_back(std::move(block));
    const std::size_t first = turns_.size();
    for (const std::uint32_t row_group : told.left) {
      const RowGroupEntry& entry = tables->row_groups[row_group];
      add({{}, ScanUnit::Kind::row_group, nullptr, nullptr, turns_.size()}, entry.min_timestamp, entry.max_timestamp);
      std::push_heap(units_.begin(), units_.end(), Later{request_.order});
      turns_.push_back(std::make_shared<RowGroupTurn>(work_, segment, tables, row_group));
    }
    // Row groups of a segment lie by time.
    for (std::size_t i = first; i < turns_.size(); ++i) {
      ahead_.push_back(is_newest_first() ? first + turns_.size() - 1 - i : i);
    }
    return {};
  }

  Result<std::optional<RecordBlock>> take_step(ScanUnit unit) {
    const std::shared_ptr<RowGroupTurn> turn = turns_[unit.index];
    if (!turn->is_opened()) {
      ++row_groups_opened_;
      scanned_records_ += turn->entry().record_count;
      scanned_bytes_ += turn->entry().raw_bytes;
    }
    work_ahead();
    const auto began = std::chrono::steady_clock::now();
    RowGroupTurn::Outcome outcome = turn->take();
    time_in_steps_ += std::chrono::steady_clock::now() - began;
    ++steps_;
    if (!outcome.next_time) {
      turn->close();
      turns_[unit.index].reset();
    } else {
      unit.time = *outcome.next_time;
      push(unit);
      if (is_worth_working_ahead()) ask_for_help(turn);
    }
    return std::move(outcome.block);
  }

  /// Who wants the newest few is often done with the first row group; who counts needs them all. A step that takes no
  /// longer than it takes to wake another thread is made here.
  bool is_worth_working_ahead() const {
    if (helpers_ == nullptr) return false;
    if (!request_.reduction.has_value() && row_groups_opened_ <= kRowGroupsBeforeHelp) return false;
    return steps_ < kStepsBeforeMean || time_in_steps_ >= steps_ * kStepWorthHelp;
  }

  /// The row groups that come next are begun by other threads, as many at once as there are of those, twice.
  void work_ahead() {
    if (!is_worth_working_ahead()) return;
    const std::size_t wanted = row_groups_opened_ + 2 * helpers_->threads();
    while (helped_ < wanted) {
      if (ahead_.empty() && !open_next_segment()) return;
      if (ahead_.empty()) continue;
      const std::shared_ptr<RowGroupTurn> turn = turns_[ahead_.front()];
      ahead_.pop_front();
      ++helped_;
      if (turn != nullptr && !turn->is_opened()) ask_for_help(turn);
    }
  }

  /// Before its turn. False: there is none.
  bool open_next_segment() {
    while (!unopened_.empty()) {
      const std::size_t index = unopened_.back().index;
      unopened_.pop_back();
      if (opened_.contains(index)) continue;
      // A damaged one says so when its turn comes.
      if (open_segment((*view_.segments)[index])) opened_.insert(index);
      return true;
    }
    return false;
  }

  /// A pool that is busy takes nothing: then this thread makes the step when its time has come.
  void ask_for_help(const std::shared_ptr<RowGroupTurn>& turn) {
    (void)helpers_->submit([turn] { turn->run_ahead(); });
  }

  static RecordBlock block_of(const ScanUnit& unit) {
    RecordBlock block;
    if (unit.joined != nullptr) {
      block.batch = unit.joined->batch;
      block.sequences = unit.joined->sequences;
      block.receive_times = unit.joined->receive_times;
    } else {
      block.batch = unit.entry->batch.open();
      block.first_sequence = unit.entry->first_sequence;
    }
    return block;
  }

  RecordBlock select_rows(RecordBlock block) {
    const RecordBatch& batch = *block.batch;
    scanned_records_ += batch.size();
    scanned_bytes_ += batch.encoded().size();
    if (request_.profile != nullptr) request_.profile->note_memtable_batch(batch.size());
    std::vector<std::uint32_t>& rows = block.rows;
    if (request_.range.first <= batch.min_timestamp() && batch.max_timestamp() < request_.range.last) {
      rows.resize(batch.size());
      std::iota(rows.begin(), rows.end(), 0u);
    } else {
      for (std::uint32_t row = 0; row < batch.size(); ++row) {
        if (request_.range.contains(batch.timestamp(row))) rows.push_back(row);
      }
    }
    const auto last_row = static_cast<std::uint32_t>(batch.size() - 1);
    if (!request_.sequences.covers(block.sequence(0), block.sequence(last_row))) {
      std::erase_if(rows, [&](std::uint32_t row) { return !request_.sequences.contains(block.sequence(row)); });
    }
    if (request_.filter != nullptr) request_.filter->select(batch, rows);
    order_rows(block);
    return block;
  }

  void order_rows(RecordBlock& block) const {
    const auto is_before = [&block](std::uint32_t a, std::uint32_t b) { return block.position(a) < block.position(b); };
    if (!std::is_sorted(block.rows.begin(), block.rows.end(), is_before)) {  // most batches are
      std::sort(block.rows.begin(), block.rows.end(), is_before);
    }
    if (is_newest_first()) std::reverse(block.rows.begin(), block.rows.end());
  }

  const TenantView view_;
  ScanRequest request_;
  RowGroupWork work_;
  const std::shared_ptr<WorkerPool> helpers_;         ///< null: this thread does all
  std::vector<ScanUnit> units_;                       ///< a heap
  std::vector<ScanUnit> unopened_;                    ///< segments in range, what comes first at the end
  std::set<std::size_t> opened_;                      ///< segments whose row groups are among the turns
  std::vector<std::shared_ptr<RowGroupTurn>> turns_;  ///< null: done
  std::deque<std::size_t> ahead_;                     ///< turns not begun, in the order in which they will be needed
  std::vector<RecordBlock> counted_;                  ///< by directories, to be handed on next
  std::size_t row_groups_opened_ = 0;
  std::chrono::steady_clock::duration time_in_steps_{};  ///< of this thread
  std::size_t steps_ = 0;
  std::size_t helped_ = 0;
  std::optional<Error> final_error_;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

class StoreSnapshot final : public Snapshot {
 public:
  StoreSnapshot(const TenantId& tenant, TenantView view, ScanResources resources)
      : tenant_(tenant), view_(std::move(view)), resources_(std::move(resources)) {}

  const TenantId& tenant() const override { return tenant_; }
  SequenceNumber last_sequence() const override { return view_.last_sequence; }

  std::unique_ptr<BlockSource> scan(ScanRequest request) const override {
    return make_store_scan(view_, resources_, std::move(request));
  }
  Result<std::unique_ptr<BlockStatsSource>> block_stats(ScanRequest request) const override {
    return make_store_block_stats(view_, resources_.cache, std::move(request));
  }

  Result<std::optional<RecordBlock>> find(RecordPosition position) const override {
    DENDRO_TRY_ASSIGN(std::optional<RecordBlock> found, find_stored(position));
    if (found) subtract_deleted(view_.tombstones.get(), *found);
    if (found && found->rows.empty()) found.reset();
    return found;
  }

 private:
  Result<std::optional<RecordBlock>> find_stored(RecordPosition position) const {
    for (const MemtableView& memtable : view_.memtables) {
      if (auto found = find_in_memtable(memtable, position)) return found;
    }
    std::optional<Error> damage;
    for (const auto& segment : *view_.segments) {
      Result<std::optional<RecordBlock>> found = find_in_segment(*segment, position);
      if (!found) {
        damage = found.error();  // it may be in another one all the same
      } else if (found->has_value()) {
        return found;
      }
    }
    if (damage) return *damage;
    return std::optional<RecordBlock>();
  }

  /// The last entry that begins at or before the sequence is the only one that can hold it.
  static std::optional<RecordBlock> find_in_memtable(const MemtableView& memtable, RecordPosition position) {
    std::size_t first = 0;
    std::size_t last = memtable.count;
    while (first < last) {
      const std::size_t middle = first + (last - first) / 2;
      if (memtable[middle].first_sequence <= position.sequence) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    if (first == 0) return std::nullopt;
    const MemtableEntry& entry = memtable[first - 1];
    const std::uint64_t row = position.sequence.number() - entry.first_sequence.number();
    const std::span<const std::int64_t> timestamps = entry.batch.timestamps();
    if (row >= timestamps.size() || timestamps[row] != position.timestamp.number()) return std::nullopt;
    RecordBlock block;
    block.batch = entry.batch.open();
    block.first_sequence = entry.first_sequence;
    block.rows = {static_cast<std::uint32_t>(row)};
    return block;
  }

  Result<std::optional<RecordBlock>> find_in_segment(const Segment& segment, RecordPosition position) const {
    const auto may_hold = [&position](const auto& part) {
      return part.min_timestamp <= position.timestamp && position.timestamp <= part.max_timestamp &&
             part.first_sequence <= position.sequence && position.sequence <= part.last_sequence;
    };
    if (!may_hold(segment.info())) return std::optional<RecordBlock>();
    DENDRO_TRY_ASSIGN(const std::shared_ptr<const SegmentTables> tables, cached_tables(*resources_.cache, segment));
    for (std::uint32_t i = 0; i < tables->row_groups.size(); ++i) {
      if (!may_hold(tables->row_groups[i])) continue;
      RowGroupReader reader(segment, *tables, i, *resources_.cache);
      DENDRO_TRY_ASSIGN(const std::optional<std::uint32_t> row, find_row(reader, position));
      if (!row) continue;
      RecordDecoder decoder(reader);
      DENDRO_TRY_ASSIGN(RecordBlock block, decoder.decode({&*row, 1}));
      return std::optional<RecordBlock>(std::move(block));
    }
    return std::optional<RecordBlock>();
  }

  static Result<std::optional<std::uint32_t>> find_row(RowGroupReader& reader, RecordPosition position) {
    DENDRO_TRY_ASSIGN(const auto timestamps, reader.timestamps());
    DENDRO_TRY_ASSIGN(const auto sequences, reader.sequences());
    const std::vector<std::int64_t>& times = timestamps->values;
    const auto [first, last] = std::equal_range(times.begin(), times.end(), position.timestamp.number());
    for (auto time = first; time != last; ++time) {
      const auto row = static_cast<std::uint32_t>(time - times.begin());
      if (static_cast<std::uint64_t>(sequences->values[row]) == position.sequence.number()) return std::optional(row);
    }
    return std::optional<std::uint32_t>();
  }

  const TenantId tenant_;
  const TenantView view_;
  const ScanResources resources_;
};

}  // namespace

std::unique_ptr<BlockSource> make_store_scan(TenantView view, ScanResources resources, ScanRequest request) {
  return std::make_unique<StoreScan>(std::move(view), std::move(resources), std::move(request));
}

std::shared_ptr<const Snapshot> make_store_snapshot(const TenantId& tenant, TenantView view, ScanResources resources) {
  return std::make_shared<const StoreSnapshot>(tenant, std::move(view), std::move(resources));
}

}  // namespace dendro
