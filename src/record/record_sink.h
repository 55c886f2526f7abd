#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "record/record_batch.h"

namespace dendro {

/// A retry key: 16-byte hash of (tenant, dialect, the sender's key), and the hash of what was sent with it.
struct BatchKey {
  Bytes16 id{};
  Bytes16 content_hash{};
  friend bool operator==(const BatchKey&, const BatchKey&) = default;
};
/// The hash of (tenant, dialect, key) that makes equal retries meet.
Bytes16 batch_key_id(const TenantId& tenant, std::string_view dialect, std::string_view key);

/// One request's records: kept whole or not at all.
struct CommitRequest {
  TenantId tenant = TenantId::default_tenant();
  std::vector<std::shared_ptr<const RecordBatch>> batches;  ///< not empty; dead letters included
  std::optional<BatchKey> key;
  Timestamp receive_time;      ///< stamped once a request
  std::uint64_t accepted = 0;  ///< records that are what the sender meant
  std::uint64_t rejected = 0;  ///< records among the batches' dead letters
};

/// What the first commit of a request gave; a replay gives it again.
struct CommitReply {
  SequenceNumber first_sequence;  ///< of the first record of the first batch; the others follow without a gap
  Timestamp receive_time;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  bool replayed = false;
  friend bool operator==(const CommitReply&, const CommitReply&) = default;
};

/// Called exactly once, on a thread of the sink's: post to your own loop, do not block.
using CommitDone = std::function<void(Result<CommitReply>)>;

/// Where records are pushed: the engine, a remote server, memory. Thread-safe.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  /// Keeps the request's batches, all or nothing; `done` runs once they are durable and visible to new readers, both at
  /// once. Errors to `done`: storage_full (nothing kept), io_error (unknown; reopen), already_exists (same key, other
  /// content). Errors at once (`done` is not called): invalid_argument (no batch), too_large, resource_exhausted (queue
  /// full), unavailable (shutting down, or writing stopped after a failed sync).
  virtual Status append(CommitRequest request, CommitDone done) = 0;
};

/// `append` and wait. Not on a loop thread.
Result<CommitReply> append_and_wait(RecordSink& sink, CommitRequest request);

}  // namespace dendro
