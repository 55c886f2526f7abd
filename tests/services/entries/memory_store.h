#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "record/record_sink.h"
#include "storage/snapshot.h"

namespace dendro {

/// What a memory store holds of one tenant. A block a batch, in the order of the interface.
class MemoryStoreSnapshot final : public Snapshot {
 public:
  struct Kept {
    std::shared_ptr<const RecordBatch> batch;
    SequenceNumber first_sequence;
  };
  MemoryStoreSnapshot(TenantId tenant, std::vector<Kept> kept) : tenant_(std::move(tenant)), kept_(std::move(kept)) {
    std::sort(kept_.begin(), kept_.end(),
              [](const Kept& a, const Kept& b) { return a.batch->max_timestamp() > b.batch->max_timestamp(); });
  }
  const TenantId& tenant() const override { return tenant_; }
  SequenceNumber last_sequence() const override { return SequenceNumber(UINT64_MAX); }
  std::unique_ptr<BlockSource> scan(ScanRequest request) const override {
    return std::make_unique<Source>(kept_, std::move(request));
  }
  Result<std::optional<RecordBlock>> find(RecordPosition) const override { return std::optional<RecordBlock>(); }

 private:
  class Source final : public BlockSource {
   public:
    Source(std::vector<Kept> kept, ScanRequest request) : kept_(std::move(kept)), request_(std::move(request)) {}
    Result<std::optional<RecordBlock>> next() override {
      while (next_ < kept_.size()) {
        const Kept& kept = kept_[next_++];
        RecordBlock block;
        block.batch = kept.batch;
        block.first_sequence = kept.first_sequence;
        for (std::uint32_t row = 0; row < kept.batch->size(); ++row) {
          if (request_.range.contains(kept.batch->timestamp(row))) block.rows.push_back(row);
        }
        if (request_.filter != nullptr) request_.filter->select(*block.batch, block.rows);
        if (!block.rows.empty()) return std::optional<RecordBlock>(std::move(block));
      }
      return std::optional<RecordBlock>();
    }
    Timestamp bound() const override {
      return next_ < kept_.size() ? kept_[next_].batch->max_timestamp() : kTimestampMin;
    }
    std::uint64_t scanned_records() const override { return 0; }
    std::uint64_t scanned_bytes() const override { return 0; }

   private:
    std::vector<Kept> kept_;
    ScanRequest request_;
    std::size_t next_ = 0;
  };
  TenantId tenant_;
  std::vector<Kept> kept_;
};

/// A RecordSink that keeps everything in memory and knows retry keys. Thread-safe; `done` runs before append returns.
class MemoryStore final : public RecordSink {
 public:
  Status append(CommitRequest request, CommitDone done) override {
    Result<CommitReply> reply = CommitReply{};
    {
      const MutexLock lock(mutex_);
      if (refusal_) return *refusal_;
      reply = commit_locked(std::move(request));
    }
    done(std::move(reply));
    return {};
  }
  /// Answers every append with it at once, or, as a failure of the commit, through `done`.
  void refuse_with(std::optional<Error> error) {
    const MutexLock lock(mutex_);
    refusal_ = std::move(error);
  }
  void fail_commits_with(std::optional<Error> error) {
    const MutexLock lock(mutex_);
    failure_ = std::move(error);
  }
  Result<std::shared_ptr<const Snapshot>> snapshot(const TenantId& tenant) {
    const MutexLock lock(mutex_);
    std::vector<MemoryStoreSnapshot::Kept> kept;
    for (const Row& row : rows_) {
      if (row.tenant == tenant) kept.push_back(row.kept);
    }
    return std::shared_ptr<const Snapshot>(std::make_shared<MemoryStoreSnapshot>(tenant, std::move(kept)));
  }
  std::vector<std::shared_ptr<const RecordBatch>> batches() {
    const MutexLock lock(mutex_);
    std::vector<std::shared_ptr<const RecordBatch>> all;
    for (const Row& row : rows_) all.push_back(row.kept.batch);
    return all;
  }

 private:
  struct Row {
    TenantId tenant = TenantId::default_tenant();
    MemoryStoreSnapshot::Kept kept;
  };
  Result<CommitReply> commit_locked(CommitRequest request) DENDRO_REQUIRES(mutex_) {
    if (failure_) return *failure_;
    for (const auto& [key, reply] : known_) {
      if (!request.key || key.id != request.key->id) continue;
      if (key.content_hash != request.key->content_hash)
        return Error(ErrorCode::already_exists, "key is known with other content");
      CommitReply again = reply;
      again.replayed = true;
      return again;
    }
    CommitReply reply{next_sequence_, request.receive_time, request.accepted, request.rejected, false};
    for (auto& batch : request.batches) {
      const std::size_t records = batch->size();
      rows_.push_back({request.tenant, {std::move(batch), next_sequence_}});
      next_sequence_ = next_sequence_.next(records);
    }
    if (request.key) known_.emplace_back(*request.key, reply);
    return reply;
  }

  Mutex mutex_;
  SequenceNumber next_sequence_ DENDRO_GUARDED_BY(mutex_){1};
  std::vector<Row> rows_ DENDRO_GUARDED_BY(mutex_);
  std::vector<std::pair<BatchKey, CommitReply>> known_ DENDRO_GUARDED_BY(mutex_);
  std::optional<Error> refusal_ DENDRO_GUARDED_BY(mutex_);
  std::optional<Error> failure_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
