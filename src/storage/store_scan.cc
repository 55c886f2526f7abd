#include "storage/store_scan.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace dendro {
namespace {

/// One batch of a memtable, one block of a segment, or a whole damaged segment.
struct ScanUnit {
  Timestamp min;
  Timestamp max;
  const MemtableEntry* entry = nullptr;
  const Segment* segment = nullptr;
  std::size_t block_index = 0;
};

class StoreScan final : public BlockSource {
 public:
  StoreScan(TenantView view, std::shared_ptr<BlockCache> cache, ScanRequest request)
      : view_(std::move(view)), cache_(std::move(cache)), request_(std::move(request)) {
    collect(view_.sealed);
    collect(view_.active);
    for (const auto& segment : *view_.segments) collect(*segment);
    const bool is_newest_first = request_.order == ScanOrder::newest_first;
    std::sort(units_.begin(), units_.end(), [is_newest_first](const ScanUnit& a, const ScanUnit& b) {
      return is_newest_first ? a.max > b.max : a.min < b.min;
    });
  }

  Result<std::optional<RecordBlock>> next() override {
    if (final_error_) return *final_error_;
    while (next_unit_ < units_.size()) {
      if (request_.cancel.cancelled()) {
        final_error_ = Error(ErrorCode::cancelled, "the scan was cancelled");
        return *final_error_;
      }
      Result<RecordBlock> block = load(units_[next_unit_++]);
      if (!block) {
        if (block.error().code() != ErrorCode::corruption) final_error_ = block.error();
        return block.error();
      }
      select_rows(*block);
      if (!block->rows.empty()) return std::optional<RecordBlock>(std::move(*block));
    }
    return std::optional<RecordBlock>();
  }

  Timestamp bound() const override {
    const bool is_newest_first = request_.order == ScanOrder::newest_first;
    if (next_unit_ == units_.size()) return is_newest_first ? kTimestampMin : kTimestampMax;
    return is_newest_first ? units_[next_unit_].max : units_[next_unit_].min;
  }

  std::uint64_t scanned_records() const override { return scanned_records_; }
  std::uint64_t scanned_bytes() const override { return scanned_bytes_; }

 private:
  void collect(const MemtableView& memtable) {
    for (std::size_t i = 0; i < memtable.count; ++i) {
      const MemtableEntry& entry = memtable[i];
      add({entry.batch->min_timestamp(), entry.batch->max_timestamp(), &entry, nullptr, 0});
    }
  }

  void collect(const Segment& segment) {
    if (segment.damage()) {
      add({segment.info().min_timestamp, segment.info().max_timestamp, nullptr, &segment, 0});
      return;
    }
    for (std::size_t i = 0; i < segment.blocks().size(); ++i) {
      add({segment.blocks()[i].min_timestamp, segment.blocks()[i].max_timestamp, nullptr, &segment, i});
    }
  }

  void add(ScanUnit unit) {
    if (request_.range.first >= request_.range.last || !request_.range.overlaps(unit.min, unit.max)) return;
    unit.min = std::max(unit.min, request_.range.first);
    unit.max = std::min(unit.max, Timestamp(request_.range.last.number() - 1));
    units_.push_back(unit);
  }

  Result<RecordBlock> load(const ScanUnit& unit) {
    RecordBlock block;
    if (unit.entry != nullptr) {
      block.batch = unit.entry->batch;
      block.first_sequence = unit.entry->first_sequence;
    } else {
      if (unit.segment->damage()) return *unit.segment->damage();
      DENDRO_TRY_ASSIGN(const std::shared_ptr<const SegmentBlock> stored, cache_->get(*unit.segment, unit.block_index));
      block.batch = stored->batch;
      block.sequences = stored->sequences;
      block.receive_times = stored->receive_times;
    }
    scanned_records_ += block.batch->size();
    scanned_bytes_ += block.batch->encoded().size();
    return block;
  }

  void select_rows(RecordBlock& block) const {
    const RecordBatch& batch = *block.batch;
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
  }

  void order_rows(RecordBlock& block) const {
    const auto is_before = [&block](std::uint32_t a, std::uint32_t b) { return block.position(a) < block.position(b); };
    // Segment blocks are in order already, and most batches.
    if (!std::is_sorted(block.rows.begin(), block.rows.end(), is_before)) {
      std::sort(block.rows.begin(), block.rows.end(), is_before);
    }
    if (request_.order == ScanOrder::newest_first) std::reverse(block.rows.begin(), block.rows.end());
  }

  const TenantView view_;
  const std::shared_ptr<BlockCache> cache_;
  const ScanRequest request_;
  std::vector<ScanUnit> units_;  ///< in the order of the scan, their times cut to the range
  std::size_t next_unit_ = 0;
  std::optional<Error> final_error_;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

class StoreSnapshot final : public Snapshot {
 public:
  StoreSnapshot(const TenantId& tenant, TenantView view, std::shared_ptr<BlockCache> cache)
      : tenant_(tenant), view_(std::move(view)), cache_(std::move(cache)) {}

  const TenantId& tenant() const override { return tenant_; }
  SequenceNumber last_sequence() const override { return view_.last_sequence; }

  std::unique_ptr<BlockSource> scan(ScanRequest request) const override {
    return make_store_scan(view_, cache_, std::move(request));
  }

  Result<std::optional<RecordBlock>> find(RecordPosition position) const override {
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

 private:
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
    if (segment.damage()) return *segment.damage();
    for (std::size_t i = 0; i < segment.blocks().size(); ++i) {
      if (!may_hold(segment.blocks()[i])) continue;
      DENDRO_TRY_ASSIGN(const std::shared_ptr<const SegmentBlock> stored, cache_->get(segment, i));
      if (auto found = find_in_block(*stored, position)) return found;
    }
    return std::optional<RecordBlock>();
  }

  static std::optional<RecordBlock> find_in_block(const SegmentBlock& stored, RecordPosition position) {
    const auto times = stored.batch->timestamps();
    const auto [first, last] = std::equal_range(times.begin(), times.end(), position.timestamp.number());
    for (auto time = first; time != last; ++time) {
      const auto row = static_cast<std::uint32_t>(time - times.begin());
      if ((*stored.sequences)[row] != position.sequence) continue;
      RecordBlock block;
      block.batch = stored.batch;
      block.sequences = stored.sequences;
      block.receive_times = stored.receive_times;
      block.rows = {row};
      return block;
    }
    return std::nullopt;
  }

  const TenantId tenant_;
  const TenantView view_;
  const std::shared_ptr<BlockCache> cache_;
};

}  // namespace

std::unique_ptr<BlockSource> make_store_scan(TenantView view, std::shared_ptr<BlockCache> cache, ScanRequest request) {
  return std::make_unique<StoreScan>(std::move(view), std::move(cache), std::move(request));
}

std::shared_ptr<const Snapshot> make_store_snapshot(const TenantId& tenant, TenantView view,
                                                    std::shared_ptr<BlockCache> cache) {
  return std::make_shared<const StoreSnapshot>(tenant, std::move(view), std::move(cache));
}

}  // namespace dendro
