#include "record/memory_record_sink.h"

#include <optional>

namespace dendro {

Status MemoryRecordSink::append(CommitRequest request, CommitDone done) {
  if (request.batches.empty()) return Error(ErrorCode::invalid_argument, "a request without a batch");
  std::optional<Result<CommitReply>> reply;
  {
    MutexLock lock(mutex_);
    if (!failure_) return failure_.error();
    reply = keep_locked(request);
  }
  done(std::move(*reply));
  return {};
}

Result<CommitReply> MemoryRecordSink::keep_locked(const CommitRequest& request) {
  if (request.key) {
    const auto known = replies_.find({request.tenant, request.key->id});
    if (known != replies_.end()) {
      if (known->second.content_hash != request.key->content_hash) {
        return Error(ErrorCode::already_exists, "a request with this key but other content was stored before");
      }
      CommitReply replayed = known->second.reply;
      replayed.replayed = true;
      return replayed;
    }
  }
  const CommitReply reply{next_sequence_, request.receive_time, request.accepted, request.rejected, false};
  for (const auto& batch : request.batches) {
    kept_.push_back({request.tenant, batch, next_sequence_});
    next_sequence_ = next_sequence_.next(batch->size());
  }
  if (request.key) replies_[{request.tenant, request.key->id}] = {request.key->content_hash, reply};
  return reply;
}

std::vector<MemoryRecordSink::Kept> MemoryRecordSink::kept() const {
  MutexLock lock(mutex_);
  return kept_;
}

void MemoryRecordSink::fail_with(Status failure) {
  MutexLock lock(mutex_);
  failure_ = std::move(failure);
}

}  // namespace dendro
