#include <algorithm>

#include "query/pipes/operator.h"
#include "query/rows/row_field.h"

namespace dendro {
namespace {

/// True if the record stands behind the cursor's place.
bool is_behind(RecordPosition position, RecordPosition place, ScanOrder order) {
  return order == ScanOrder::newest_first ? position < place : place < position;
}

/// Rows handed on at once: whoever pulls looks at the caller in between.
constexpr std::size_t kScannedRowsAtOnce = 2'048;

class BlockScanOperator final : public ScanOperator {
 public:
  BlockScanOperator(const QueryPlan& plan, std::unique_ptr<BlockSource> source, QueryContext& context)
      : plan_(plan), source_(std::move(source)), context_(context), bound_(source_->bound()), next_bound_(bound_) {}

  Result<std::optional<RowBatch>> next() override {
    if (is_exhausted_ || context_.should_stop()) return std::optional<RowBatch>();
    if (!waiting_.empty()) return std::optional<RowBatch>(next_slice());
    bound_ = next_bound_;
    auto block = source_->next();
    // A filter that saw time run out, or the caller leave, lets nothing pass any more: what this call went over does
    // not count as looked at, so the bound stays.
    const bool is_cut_short = context_.scan_cancel().cancelled();
    if (is_cut_short) context_.should_stop();
    if (!is_cut_short) next_bound_ = source_->bound();
    if (!block.has_value() || !block->has_value()) bound_ = next_bound_;
    if (!block) return after_error(block.error());
    if (!block->has_value()) {
      is_exhausted_ = !is_cut_short;
      return std::optional<RowBatch>();
    }
    if ((*block)->rows.empty()) {
      bound_ = next_bound_;
      return std::optional<RowBatch>(RowBatch());
    }
    waiting_ = rows_of(**block);
    return std::optional<RowBatch>(next_slice());
  }
  Timestamp bound() const override { return bound_; }
  bool is_exhausted() const override { return is_exhausted_; }
  std::uint64_t scanned_records() const override { return source_->scanned_records(); }
  std::uint64_t scanned_bytes() const override { return source_->scanned_bytes(); }

 private:
  /// The next rows of the block; with the last ones its bound holds.
  RowBatch next_slice() {
    RowBatch slice;
    if (next_waiting_ == 0 && waiting_.records.size() <= kScannedRowsAtOnce) {
      slice = std::move(waiting_);
    } else {
      const std::size_t last = std::min(next_waiting_ + kScannedRowsAtOnce, waiting_.records.size());
      slice.records.assign(waiting_.records.begin() + static_cast<std::ptrdiff_t>(next_waiting_),
                           waiting_.records.begin() + static_cast<std::ptrdiff_t>(last));
      slice.held = waiting_.held;
      next_waiting_ = last;
      if (last < waiting_.records.size()) return slice;
    }
    waiting_ = RowBatch();
    next_waiting_ = 0;
    bound_ = next_bound_;
    return slice;
  }
  RowBatch rows_of(const RecordBlock& block) {
    RowBatch rows;
    rows.hold(block.batch);
    rows.records.reserve(block.rows.size());
    for (std::size_t i = 0; i < block.rows.size(); ++i) {
      const std::uint32_t row = block.rows[i];
      RecordRow record{block.batch.get(), row, block.sequence(row), block.receive_time(row)};
      if (!block.weights.empty()) record.weight = block.weights[i];
      if (plan_.cursor && !is_behind(record.position(), plan_.cursor->position, plan_.request.order)) continue;
      rows.records.push_back(record);
    }
    if (plan_.context_filter != nullptr) mark_matches(rows);
    if (plan_.late_filter != nullptr) keep_late(rows);
    for (const RecordRow& record : rows.records) context_.matched += record.is_match ? record.weight : 0;
    return rows;
  }
  void mark_matches(RowBatch& rows) const {
    std::vector<std::uint32_t> matching;
    for (RecordRow& record : rows.records) {
      record.is_match = false;
      matching.push_back(record.row);
    }
    if (matching.empty()) return;
    plan_.context_filter->select(*rows.records.front().batch, matching);
    auto next = matching.begin();
    for (RecordRow& record : rows.records) {
      if (next == matching.end() || *next != record.row) continue;
      record.is_match = true;
      ++next;
    }
  }
  void keep_late(RowBatch& rows) const {
    static const RowShape kWholeRecords;
    std::vector<RecordRow> kept;
    for (std::size_t i = 0; i < rows.records.size(); ++i) {
      RecordRow& record = rows.records[i];
      record.is_match = record.is_match && plan_.late_filter->matches(RowSource(kWholeRecords, rows, i));
      if (record.is_match || plan_.context_filter != nullptr) kept.push_back(record);
    }
    rows.records = std::move(kept);
  }
  Result<std::optional<RowBatch>> after_error(const Error& failure) {
    if (failure.code() == ErrorCode::corruption) {
      // That part is left out and named; the rest goes on.
      context_.note_error(failure);
      return std::optional<RowBatch>(RowBatch());
    }
    if (!context_.should_stop()) {
      if (failure.code() == ErrorCode::cancelled) {
        context_.stop(StopReason::cancelled);
      } else if (failure.code() == ErrorCode::deadline_exceeded) {
        context_.stop(StopReason::timeout);
      } else {
        context_.note_error(failure);
        context_.stop(StopReason::error);
      }
    }
    return std::optional<RowBatch>();
  }

  const QueryPlan& plan_;
  std::unique_ptr<BlockSource> source_;
  QueryContext& context_;
  Timestamp bound_;       ///< of what was handed on
  Timestamp next_bound_;  ///< behind the rows that wait
  RowBatch waiting_;
  std::size_t next_waiting_ = 0;
  bool is_exhausted_ = false;
};

}  // namespace

std::unique_ptr<ScanOperator> make_scan_operator(const QueryPlan& plan, std::unique_ptr<BlockSource> source,
                                                 QueryContext& context) {
  return std::make_unique<BlockScanOperator>(plan, std::move(source), context);
}

}  // namespace dendro
