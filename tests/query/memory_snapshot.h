#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "io/byte_source.h"
#include "parse/file_record_source.h"
#include "query/plan/query_input.h"
#include "record/record_batch_builder.h"
#include "storage/snapshot.h"

namespace dendro {

/// What a tenant had stored, in memory: batches with their first sequence numbers. For tests.
class MemorySnapshot final : public Snapshot {
 public:
  struct Part {
    std::shared_ptr<const RecordBatch> batch;
    SequenceNumber first_sequence;
    bool is_damaged = false;
  };
  explicit MemorySnapshot(std::vector<Part> parts) : parts_(std::move(parts)) {}

  const TenantId& tenant() const override { return TenantId::default_tenant(); }
  SequenceNumber last_sequence() const override {
    SequenceNumber last;
    for (const Part& part : parts_) last = std::max(last, part.first_sequence.next(part.batch->size() - 1));
    return last;
  }
  std::unique_ptr<BlockSource> scan(ScanRequest request) const override;
  Result<std::optional<RecordBlock>> find(RecordPosition position) const override {
    for (const Part& part : parts_) {
      for (std::uint32_t row = 0; row < part.batch->size(); ++row) {
        RecordBlock block{part.batch, nullptr, part.first_sequence, {row}};
        if (block.position(row) == position) return std::optional<RecordBlock>(std::move(block));
      }
    }
    return std::optional<RecordBlock>();
  }
  const std::vector<Part>& parts() const { return parts_; }
  /// Called before each block is handed out: a test cancels or moves a clock there.
  std::function<void()> before_block;

 private:
  std::vector<Part> parts_;
};

class MemoryBlocks final : public BlockSource {
 public:
  MemoryBlocks(std::vector<MemorySnapshot::Part> parts, ScanRequest request, std::function<void()> before_block)
      : parts_(std::move(parts)), request_(std::move(request)), before_block_(std::move(before_block)) {
    const bool newest_first = request_.order == ScanOrder::newest_first;
    std::sort(parts_.begin(), parts_.end(), [&](const auto& a, const auto& b) {
      return newest_first ? b.batch->max_timestamp() < a.batch->max_timestamp()
                          : a.batch->min_timestamp() < b.batch->min_timestamp();
    });
  }
  Result<std::optional<RecordBlock>> next() override {
    while (next_ < parts_.size()) {
      if (before_block_) before_block_();
      if (request_.cancel.cancelled()) return Error(ErrorCode::cancelled, "scan: cancelled");
      const MemorySnapshot::Part& part = parts_[next_++];
      if (part.is_damaged) return Error(ErrorCode::corruption, "segment 17: block checksum mismatch");
      scanned_records_ += part.batch->size();
      scanned_bytes_ += part.batch->encoded().size();
      RecordBlock block{part.batch, nullptr, part.first_sequence, {}};
      for (std::uint32_t row = 0; row < part.batch->size(); ++row) {
        if (request_.range.contains(part.batch->timestamp(row))) block.rows.push_back(row);
      }
      if (request_.filter != nullptr && !block.rows.empty()) request_.filter->select(*part.batch, block.rows);
      if (!block.rows.empty()) return std::optional<RecordBlock>(std::move(block));
    }
    return std::optional<RecordBlock>();
  }
  Timestamp bound() const override {
    const bool newest_first = request_.order == ScanOrder::newest_first;
    if (next_ >= parts_.size()) return newest_first ? kTimestampMin : kTimestampMax;
    return newest_first ? parts_[next_].batch->max_timestamp() : parts_[next_].batch->min_timestamp();
  }
  std::uint64_t scanned_records() const override { return scanned_records_; }
  std::uint64_t scanned_bytes() const override { return scanned_bytes_; }

 private:
  std::vector<MemorySnapshot::Part> parts_;
  ScanRequest request_;
  std::function<void()> before_block_;
  std::size_t next_ = 0;
  std::uint64_t scanned_records_ = 0;
  std::uint64_t scanned_bytes_ = 0;
};

inline std::unique_ptr<BlockSource> MemorySnapshot::scan(ScanRequest request) const {
  return std::make_unique<MemoryBlocks>(parts_, std::move(request), before_block);
}

/// Batches handed out as a RecordSource.
class BatchesSource final : public RecordSource {
 public:
  explicit BatchesSource(std::vector<std::shared_ptr<const RecordBatch>> batches) : batches_(std::move(batches)) {}
  Result<std::shared_ptr<const RecordBatch>> next() override {
    if (next_ >= batches_.size()) return std::shared_ptr<const RecordBatch>();
    return batches_[next_++];
  }

 private:
  std::vector<std::shared_ptr<const RecordBatch>> batches_;
  std::size_t next_ = 0;
};

/// NDJSON through the product's own mapper; `source` becomes the label dendro.source.
inline std::vector<std::shared_ptr<const RecordBatch>> load_json(const std::string& ndjson, Timestamp receive_time,
                                                                 const std::string& source = "ingest") {
  FileSourceOptions options;
  options.receive_time = receive_time;
  options.mapping.labels = {{"dendro.source", source}};
  options.mapping.lead_max = std::chrono::hours(24 * 365 * 100);
  auto records = make_ndjson_source(std::make_unique<MemoryByteSource>(ndjson), options);
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  for (;;) {
    auto batch = records->next();
    if (!batch.has_value() || *batch == nullptr) return batches;
    batches.push_back(*batch);
  }
}

/// The same records in the same order, cut into batches of 1 to `records_max` at random places.
inline std::vector<std::shared_ptr<const RecordBatch>> split_batches(
    const std::vector<std::shared_ptr<const RecordBatch>>& batches, std::mt19937_64& random, std::size_t records_max) {
  std::vector<std::shared_ptr<const RecordBatch>> pieces;
  for (const auto& batch : batches) {
    RecordBatchBuilder builder(batch->receive_time());
    std::size_t wanted = 1 + random() % records_max;
    for (std::size_t row = 0; row < batch->size(); ++row) {
      builder.append_copy(batch->record(row));
      if (builder.records() < wanted && row + 1 < batch->size()) continue;
      pieces.push_back(builder.finish());
      wanted = 1 + random() % records_max;
    }
  }
  return pieces;
}

inline std::shared_ptr<MemorySnapshot> make_memory_snapshot(
    const std::vector<std::shared_ptr<const RecordBatch>>& batches) {
  std::vector<MemorySnapshot::Part> parts;
  SequenceNumber sequence(1);
  for (const auto& batch : batches) {
    parts.push_back({batch, sequence});
    sequence = sequence.next(batch->size());
  }
  return std::make_shared<MemorySnapshot>(std::move(parts));
}

}  // namespace dendro
