#include "storage/scan/directory_counts.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "record/limits.h"
#include "record/record_batch_builder.h"
#include "storage/scan/floor_multiple.h"

namespace dendro {

DirectoryCounts::DirectoryCounts(std::int64_t time_step_ns, const SegmentDictionary& dictionary)
    : time_step_ns_(time_step_ns), dictionary_(dictionary) {}

void DirectoryCounts::add_stream(Timestamp time, std::optional<std::uint32_t> stream, std::uint32_t count) {
  if (!stream) return add_severity(time, kSeverityUnset, count);
  come_to(time);
  if (of_stream_.empty()) of_stream_.resize(dictionary_.streams().size());
  of_stream_[*stream] += count;
}

void DirectoryCounts::add_severity(Timestamp time, SeverityNumber severity, std::uint32_t count) {
  come_to(time);
  of_severity_[severity] += count;
}

void DirectoryCounts::come_to(Timestamp time) {
  const std::int64_t step = time_step_ns_ == 0 ? 0 : floor_multiple(time.number(), time_step_ns_);
  if (time_ && step == step_) return;
  end_step();
  time_ = time;
  step_ = step;
}

void DirectoryCounts::end_step() {
  if (!time_) return;
  for (std::size_t severity = 0; severity < of_severity_.size(); ++severity) {
    const std::uint32_t weight = std::exchange(of_severity_[severity], 0);
    if (weight != 0) rows_.push_back({*time_, static_cast<SeverityNumber>(severity), std::nullopt, weight});
  }
  for (std::uint32_t stream = 0; stream < of_stream_.size(); ++stream) {
    const std::uint32_t weight = std::exchange(of_stream_[stream], 0);
    if (weight != 0) rows_.push_back({*time_, kSeverityUnset, stream, weight});
  }
}

std::vector<RecordBlock> DirectoryCounts::finish() {
  end_step();
  time_.reset();
  std::vector<RecordBlock> blocks;
  for (std::size_t first = 0; first < rows_.size(); first += kMaxBatchRecords) {
    blocks.push_back(block_of(std::span(rows_).subspan(first, std::min(rows_.size() - first, kMaxBatchRecords))));
  }
  rows_.clear();
  return blocks;
}

RecordBlock DirectoryCounts::block_of(std::span<const Row> rows) const {
  RecordBatchBuilder builder(rows.front().time);
  RecordBlock block;
  const std::uint32_t shape = builder.add_shape(Shape());
  const std::uint32_t no_stream = builder.add_stream(Stream());
  for (const Row& row : rows) {
    const std::uint32_t stream = row.stream ? builder.add_stream(dictionary_.streams()[*row.stream]) : no_stream;
    builder.begin_formed(row.time, row.severity, false);
    builder.end_formed(shape, stream);
    block.weights.push_back(row.weight);
  }
  block.batch = builder.finish();
  block.rows.resize(rows.size());
  std::iota(block.rows.begin(), block.rows.end(), 0u);
  return block;
}

}  // namespace dendro
