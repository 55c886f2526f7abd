#include "storage/scan/row_group_scan.h"

#include <algorithm>
#include <span>
#include <utility>

namespace dendro {
namespace {

/// The first slice is small, since mostly the newest few are wanted; each next one is twice as large.
constexpr std::size_t kFirstSliceRows = 256;
constexpr std::size_t kSliceRowsMax = 8'192;

}  // namespace

RowGroupScan::RowGroupScan(const Segment& segment, const SegmentTables& tables, std::uint32_t row_group,
                           PieceCache& cache, const ScanRequest& request, RowGroupScanTools tools)
    : reader_(segment, tables, row_group, cache),
      decoder_(reader_),
      request_(request),
      tools_(tools),
      slice_rows_(kFirstSliceRows) {}

Result<std::unique_ptr<RowGroupScan>> RowGroupScan::open(const Segment& segment, const SegmentTables& tables,
                                                         std::uint32_t row_group, PieceCache& cache,
                                                         const ScanRequest& request, RowGroupScanTools tools) {
  std::unique_ptr<RowGroupScan> scan(new RowGroupScan(segment, tables, row_group, cache, request, tools));
  DENDRO_TRY(scan->select());
  return scan;
}

Status RowGroupScan::select() {
  DENDRO_TRY(choose_rows());
  if (request_.profile == nullptr) return {};
  request_.profile->note_fate(reader_.segment().info().id, fate_, reader_.entry().record_count);
  note_read();
  return {};
}

void RowGroupScan::note_read() {
  request_.profile->note_read(std::exchange(reader_.tally(), ReadTally()));
}

Status RowGroupScan::choose_rows() {
  RowVerdict verdict = tools_.filter == nullptr && request_.filter != nullptr
                           ? RowVerdict::unknown(reader_.entry().record_count)
                           : RowVerdict::all_of(reader_.entry().record_count, true);
  if (tools_.filter != nullptr) {
    DENDRO_TRY_ASSIGN(verdict, tools_.filter->select(reader_));
  }
  is_exact_ = verdict.is_exact();
  const bool is_ruled_out = verdict.possible.none();
  DENDRO_TRY(cut_to_range(verdict.possible));
  DENDRO_TRY(cut_to_sequences(verdict.possible));
  if (request_.profile != nullptr && verdict.possible.none()) {
    fate_ = is_ruled_out ? fate_of_ruled_out(reader_, tools_.filter) : ScanFate::outside_range;
  }
  if (tools_.reducer != nullptr && is_exact_) {
    DENDRO_TRY_ASSIGN(const bool is_reduced, reduce(verdict.possible));
    if (is_reduced) return {};
  }
  if (!verdict.possible.none() && timestamps_ == nullptr) {
    DENDRO_TRY_ASSIGN(timestamps_, reader_.timestamps());
  }
  verdict.possible.for_each([this](std::uint32_t row) { rows_.push_back(row); });
  return {};
}

/// Reads the times only where the range cuts through the row group.
Status RowGroupScan::cut_to_range(RowBitmap& rows) {
  const TimeRange& range = request_.range;
  const RowGroupEntry& entry = reader_.entry();
  if (range.first <= entry.min_timestamp && entry.max_timestamp < range.last) return {};
  DENDRO_TRY_ASSIGN(timestamps_, reader_.timestamps());
  const auto begin = timestamps_->values.begin();
  const auto first = std::lower_bound(begin, timestamps_->values.end(), range.first.number());
  const auto last = std::lower_bound(first, timestamps_->values.end(), range.last.number());
  RowBitmap inside(entry.record_count);
  inside.set_range(static_cast<std::size_t>(first - begin), static_cast<std::size_t>(last - begin));
  rows &= inside;
  return {};
}

Status RowGroupScan::cut_to_sequences(RowBitmap& rows) {
  const RowGroupEntry& entry = reader_.entry();
  if (request_.sequences.covers(entry.first_sequence, entry.last_sequence) || rows.none()) return {};
  DENDRO_TRY_ASSIGN(const auto sequences, reader_.sequences());
  rows.for_each([&](std::uint32_t row) {
    const auto sequence = SequenceNumber(static_cast<std::uint64_t>(sequences->values[row]));
    if (!request_.sequences.contains(sequence)) rows.clear(row);
  });
  return {};
}

Result<bool> RowGroupScan::reduce(const RowBitmap& rows) {
  if (rows.none()) return true;
  DENDRO_TRY_ASSIGN(reduced_, tools_.reducer->reduce(reader_, decoder_, rows));
  return reduced_.has_value();
}

std::optional<Timestamp> RowGroupScan::next_time() const {
  const bool is_newest_first = request_.order == ScanOrder::newest_first;
  if (reduced_) return is_newest_first ? reader_.entry().max_timestamp : reader_.entry().min_timestamp;
  if (done_ == rows_.size()) return std::nullopt;
  const std::uint32_t row = is_newest_first ? rows_[rows_.size() - 1 - done_] : rows_[done_];
  return Timestamp(timestamps_->values[row]);
}

Result<std::optional<RecordBlock>> RowGroupScan::next() {
  if (reduced_) return std::exchange(reduced_, std::nullopt);
  if (done_ == rows_.size()) return std::optional<RecordBlock>();
  const std::size_t count = std::min(slice_rows_, rows_.size() - done_);
  const bool is_newest_first = request_.order == ScanOrder::newest_first;
  const std::size_t first = is_newest_first ? rows_.size() - done_ - count : done_;
  done_ += count;
  slice_rows_ = std::min(slice_rows_ * 2, kSliceRowsMax);
  DENDRO_TRY_ASSIGN(RecordBlock block, decoder_.decode(std::span(rows_).subspan(first, count)));
  if (request_.profile != nullptr) {
    reader_.tally().records_rebuilt += count;
    note_read();
  }
  if (!is_exact_) request_.filter->select(*block.batch, block.rows);
  if (is_newest_first) std::reverse(block.rows.begin(), block.rows.end());
  return std::optional<RecordBlock>(std::move(block));
}

}  // namespace dendro
