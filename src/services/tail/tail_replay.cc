#include "services/tail/tail_replay.h"

#include <algorithm>
#include <utility>

#include "record/record_batch_builder.h"
#include "services/tail/limits.h"

namespace dendro {
namespace {

constexpr std::size_t kReplayBatchBytes = std::size_t{2} << 20;
/// Batches of which a few rows are kept, beside what is kept: then the rows are copied out.
constexpr std::size_t kReplayPinnedBytes = std::size_t{16} << 20;

/// The newest records seen so far, as many as the limits allow. In memory are what is kept, as much again, and
/// kReplayPinnedBytes, whatever is looked at.
class NewestRecords {
 public:
  explicit NewestRecords(ReplayLimits limits) : limits_(limits) {}

  void take(const RecordBlock& block) {
    pinned_bytes_ += block.batch->encoded().size();
    for (const std::uint32_t row : block.rows) {
      kept_.push_back({block.sequence(row), block.batch, row, block.receive_time(row)});
      bytes_ += bytes_of(kept_.back());
      std::push_heap(kept_.begin(), kept_.end(), ComesLater());
      while (kept_.size() > limits_.rows_max || bytes_ > limits_.bytes_max) leave_out_oldest();
    }
    if (pinned_bytes_ > 2 * bytes_ + kReplayPinnedBytes) copy_kept();
  }

  /// Time ran out: what was not looked at may lie anywhere, so no row may be sent.
  void leave_out_all(SequenceNumber last) {
    left_out_ += kept_.size();
    left_out_last_ = last;
    kept_.clear();
  }

  TailReplay finish() {
    std::sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.sequence < b.sequence; });
    TailReplay replay;
    replay.left_out = left_out_;
    replay.left_out_last = left_out_last_;
    copy_kept();
    for (std::size_t first = 0; first < kept_.size();) {
      RecordBlock block;
      std::vector<SequenceNumber> sequences;
      std::vector<Timestamp> receive_times;
      block.batch = kept_[first].batch;
      for (; first < kept_.size() && kept_[first].batch == block.batch; ++first) {
        block.rows.push_back(kept_[first].row);
        sequences.push_back(kept_[first].sequence);
        receive_times.push_back(kept_[first].receive_time);
      }
      block.sequences = std::make_shared<const std::vector<SequenceNumber>>(std::move(sequences));
      block.receive_times = std::make_shared<const std::vector<Timestamp>>(std::move(receive_times));
      replay.blocks.push_back(std::move(block));
    }
    return replay;
  }

 private:
  struct Kept {
    SequenceNumber sequence;
    std::shared_ptr<const RecordBatch> batch;
    std::uint32_t row = 0;
    Timestamp receive_time;
  };
  /// The oldest is on top of the heap.
  struct ComesLater {
    bool operator()(const Kept& a, const Kept& b) const { return a.sequence > b.sequence; }
  };
  static std::size_t bytes_of(const Kept& kept) { return kept.batch->record(kept.row).value_bytes().size() + 64; }

  void leave_out_oldest() {
    std::pop_heap(kept_.begin(), kept_.end(), ComesLater());
    bytes_ -= bytes_of(kept_.back());
    left_out_last_ = std::max(left_out_last_, kept_.back().sequence);
    ++left_out_;
    kept_.pop_back();
  }

  /// In their order, into batches that hold nothing else: rows 0, 1, .. of each.
  void copy_kept() {
    pinned_bytes_ = 0;
    RecordBatchBuilder builder{Timestamp()};
    for (std::size_t first = 0, i = 0; i < kept_.size(); ++i) {
      builder.append_copy(kept_[i].batch->record(kept_[i].row));
      if (builder.encoded_bytes() < kReplayBatchBytes && i + 1 < kept_.size()) continue;
      const std::shared_ptr<const RecordBatch> batch = builder.finish();
      pinned_bytes_ += batch->encoded().size();
      for (std::uint32_t row = 0; first <= i; ++first, ++row) {
        kept_[first].batch = batch;
        kept_[first].row = row;
      }
    }
  }

  const ReplayLimits limits_;
  std::vector<Kept> kept_;
  std::size_t bytes_ = 0;
  std::size_t pinned_bytes_ = 0;  ///< of batches that something is kept of, or may be
  std::uint64_t left_out_ = 0;
  SequenceNumber left_out_last_;
};

}  // namespace

Result<TailReplay> replay_records(const Snapshot& snapshot, const TailQuery& query, SequenceRange range,
                                  ReplayLimits limits, const CancelToken& cancel, const Clock& clock) {
  const auto deadline = clock.monotonic() + kTailReplayTime;
  ScanRequest request;
  request.range = query.plan()->range;
  request.sequences = range;
  request.order = ScanOrder::oldest_first;
  request.filter = query.plan()->scan_filter;
  request.cancel = cancel;
  NewestRecords newest(limits);
  const auto source = snapshot.scan(std::move(request));
  for (;;) {
    if (clock.monotonic() >= deadline) {
      newest.leave_out_all(SequenceNumber(range.last.number() - 1));
      break;
    }
    const auto block = source->next();
    if (!block && block.error().code() == ErrorCode::corruption) continue;  // a damaged part is named by every query
    if (!block) return block.error();
    if (!block->has_value()) break;
    newest.take(**block);
  }
  return newest.finish();
}

}  // namespace dendro
