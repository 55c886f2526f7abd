#include "storage/store_scan.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "storage/scan/row_group_scan.h"
#include "storage/segment/record_decoder.h"

namespace dendro {
namespace {

/// One batch of a memtable, one row group of a segment, or a whole damaged segment.
struct ScanUnit {
  Timestamp min;  ///< of what it has left
  Timestamp max;
  const MemtableEntry* entry = nullptr;
  std::shared_ptr<const Segment> segment;
  std::uint32_t row_group = 0;
  std::optional<Error> damage;
  std::unique_ptr<RowGroupScan> scan;  ///< once its turn has come
};

class StoreScan final : public BlockSource {
 public:
  StoreScan(TenantView view, std::shared_ptr<PieceCache> cache, ScanRequest request)
      : view_(std::move(view)), cache_(std::move(cache)), request_(std::move(request)) {
    collect(view_.sealed);
    collect(view_.active);
    for (const auto& segment : *view_.segments) collect(segment);
    std::make_heap(units_.begin(), units_.end(), Later{request_.order});
    if (request_.filter != nullptr) segment_filter_ = make_segment_filter(*request_.filter);
    // What a tombstone takes away must be seen record by record.
    const bool has_tombstones = view_.tombstones != nullptr && !view_.tombstones->empty();
    if (request_.reduction && !has_tombstones) reducer_.emplace(*request_.reduction);
  }

  Result<std::optional<RecordBlock>> next() override {
    if (final_error_) return *final_error_;
    while (!units_.empty()) {
      if (request_.filter != nullptr && !request_.filter->wants_more()) request_.cancel.cancel();
      if (request_.cancel.cancelled()) {
        final_error_ = Error(ErrorCode::cancelled, "the scan was cancelled");
        return *final_error_;
      }
      std::pop_heap(units_.begin(), units_.end(), Later{request_.order});
      Result<std::optional<RecordBlock>> block = take_next(units_.back());
      if (!block) {
        units_.pop_back();
        if (block.error().code() != ErrorCode::corruption) final_error_ = block.error();
        return block.error();
      }
      put_back();
      if (block->has_value()) subtract_deleted(view_.tombstones.get(), **block);
      if (block->has_value() && !(*block)->rows.empty()) return block;
    }
    return std::optional<RecordBlock>();
  }

  Timestamp bound() const override {
    const bool is_newest_first = request_.order == ScanOrder::newest_first;
    if (units_.empty()) return is_newest_first ? kTimestampMin : kTimestampMax;
    return is_newest_first ? units_.front().max : units_.front().min;
  }

  std::uint64_t scanned_records() const override { return scanned_records_; }
  std::uint64_t scanned_bytes() const override { return scanned_bytes_; }

 private:
  /// The heap's order: on top is what the scan comes to first.
  struct Later {
    ScanOrder order;
    bool operator()(const ScanUnit& a, const ScanUnit& b) const {
      return order == ScanOrder::newest_first ? a.max < b.max : a.min > b.min;
    }
  };

  void collect(const MemtableView& memtable) {
    for (std::size_t i = 0; i < memtable.count; ++i) {
      ScanUnit unit;
      unit.entry = &memtable[i];
      add(std::move(unit), memtable[i].batch->min_timestamp(), memtable[i].batch->max_timestamp());
    }
  }

  void collect(const std::shared_ptr<const Segment>& segment) {
    const SegmentInfo& info = segment->info();
    if (!is_wanted(info.min_timestamp, info.max_timestamp)) return;
    const Result<const SegmentTables*> tables = segment->tables();
    if (!tables) {
      ScanUnit unit;
      unit.damage = tables.error();
      add(std::move(unit), info.min_timestamp, info.max_timestamp);
      return;
    }
    for (std::uint32_t i = 0; i < (*tables)->row_groups.size(); ++i) {
      ScanUnit unit;
      unit.segment = segment;
      unit.row_group = i;
      add(std::move(unit), (*tables)->row_groups[i].min_timestamp, (*tables)->row_groups[i].max_timestamp);
    }
  }

  bool is_wanted(Timestamp min, Timestamp max) const {
    return request_.range.first < request_.range.last && request_.range.overlaps(min, max);
  }

  void add(ScanUnit unit, Timestamp min, Timestamp max) {
    if (!is_wanted(min, max)) return;
    unit.min = std::max(min, request_.range.first);
    unit.max = std::min(max, Timestamp(request_.range.last.number() - 1));
    units_.push_back(std::move(unit));
  }

  /// What was taken has more to give, or goes.
  void put_back() {
    ScanUnit& unit = units_.back();
    const std::optional<Timestamp> next_time = unit.scan == nullptr ? std::nullopt : unit.scan->next_time();
    if (!next_time) {
      units_.pop_back();
      return;
    }
    (request_.order == ScanOrder::newest_first ? unit.max : unit.min) = *next_time;
    std::push_heap(units_.begin(), units_.end(), Later{request_.order});
  }

  Result<std::optional<RecordBlock>> take_next(ScanUnit& unit) {
    if (unit.damage) return *unit.damage;
    if (unit.entry != nullptr) return std::optional<RecordBlock>(select_rows(*unit.entry));
    if (unit.scan == nullptr) {
      DENDRO_TRY_ASSIGN(const SegmentTables* const tables, unit.segment->tables());
      const RowGroupEntry& entry = tables->row_groups[unit.row_group];
      scanned_records_ += entry.record_count;
      scanned_bytes_ += entry.raw_bytes;
      DENDRO_TRY_ASSIGN(unit.scan,
                        RowGroupScan::open(*unit.segment, *tables, unit.row_group, *cache_, request_,
                                           RowGroupScanTools{segment_filter_.get(), reducer_ ? &*reducer_ : nullptr}));
      // Its first record may be further on than the row group's bounds promised: others may come before it.
      return std::optional<RecordBlock>();
    }
    return unit.scan->next();
  }

  RecordBlock select_rows(const MemtableEntry& entry) {
    RecordBlock block;
    block.batch = entry.batch;
    block.first_sequence = entry.first_sequence;
    const RecordBatch& batch = *block.batch;
    scanned_records_ += batch.size();
    scanned_bytes_ += batch.encoded().size();
    std::vector<std::uint32_t>& rows = block.rows;
    if (request_.range.first <= batch.min_timestamp() && batch.max_timestamp() < request_.range.last) {
      rows.resize(batch.size());
      std::iota(rows.begin(), rows.end(), 0u);
    } else {
      for (std::uint32_t row = 0; row < batch.size(); ++row) {
        if (request_.range.contains(batch.timestamp(row))) rows.push_back(row);
      }
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
    if (request_.order == ScanOrder::newest_first) std::reverse(block.rows.begin(), block.rows.end());
  }

  const TenantView view_;
  const std::shared_ptr<PieceCache> cache_;
  ScanRequest request_;
  std::unique_ptr<SegmentFilter> segment_filter_;
  std::optional<RowReducer> reducer_;
  std::vector<ScanUnit> units_;  ///< a heap, their times cut to the range
  std::optional<Error> final_error_;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

class StoreSnapshot final : public Snapshot {
 public:
  StoreSnapshot(const TenantId& tenant, TenantView view, std::shared_ptr<PieceCache> cache)
      : tenant_(tenant), view_(std::move(view)), cache_(std::move(cache)) {}

  const TenantId& tenant() const override { return tenant_; }
  SequenceNumber last_sequence() const override { return view_.last_sequence; }

  std::unique_ptr<BlockSource> scan(ScanRequest request) const override {
    return make_store_scan(view_, cache_, std::move(request));
  }

  Result<std::optional<RecordBlock>> find(RecordPosition position) const override {
    DENDRO_TRY_ASSIGN(std::optional<RecordBlock> found, find_stored(position));
    if (found) subtract_deleted(view_.tombstones.get(), *found);
    if (found && found->rows.empty()) found.reset();
    return found;
  }

 private:
  Result<std::optional<RecordBlock>> find_stored(RecordPosition position) const {
    for (const MemtableView* memtable : {&view_.sealed, &view_.active}) {
      if (auto found = find_in_memtable(*memtable, position)) return found;
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
    if (row >= entry.batch->size() || entry.batch->timestamp(row) != position.timestamp) return std::nullopt;
    RecordBlock block;
    block.batch = entry.batch;
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
    DENDRO_TRY_ASSIGN(const SegmentTables* const tables, segment.tables());
    for (std::uint32_t i = 0; i < tables->row_groups.size(); ++i) {
      if (!may_hold(tables->row_groups[i])) continue;
      RowGroupReader reader(segment, *tables, i, *cache_);
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
  const std::shared_ptr<PieceCache> cache_;
};

}  // namespace

std::unique_ptr<BlockSource> make_store_scan(TenantView view, std::shared_ptr<PieceCache> cache, ScanRequest request) {
  return std::make_unique<StoreScan>(std::move(view), std::move(cache), std::move(request));
}

std::shared_ptr<const Snapshot> make_store_snapshot(const TenantId& tenant, TenantView view,
                                                    std::shared_ptr<PieceCache> cache) {
  return std::make_shared<const StoreSnapshot>(tenant, std::move(view), std::move(cache));
}

}  // namespace dendro
