#include "parse/batch_filler.h"

#include <utility>

namespace dendro {

RecordBatchBuilder& BatchFiller::builder_for(std::size_t record_bytes_max) {
  const bool is_full =
      builder_.records() == kMaxBatchRecords || builder_.encoded_bytes() + record_bytes_max > kMaxBatchBytes;
  if (is_full) flush();
  return builder_;
}

void BatchFiller::flush() {
  if (builder_.empty()) return;
  closed_.push_back(builder_.finish());
  ++batch_number_;
}

std::shared_ptr<const RecordBatch> BatchFiller::take_batch() {
  if (!has_batch()) return nullptr;
  std::shared_ptr<const RecordBatch> batch = std::move(closed_[next_++]);
  if (!has_batch()) {
    closed_.clear();
    next_ = 0;
  }
  return batch;
}

std::vector<std::shared_ptr<const RecordBatch>> BatchFiller::take_batches() {
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  while (has_batch()) batches.push_back(take_batch());
  return batches;
}

}  // namespace dendro
