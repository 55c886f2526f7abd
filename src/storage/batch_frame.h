#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/record_sink.h"
#include "storage/memtable_batch.h"
#include "storage/wal_format.h"

namespace dendro {

/// A frame before the committer gives it its place: room for the header, payload, padding. Made by the thread that
/// appends, so that compression does not hold up the committer.
struct FrameDraft {
  std::string image;  ///< frame_bytes(payload_bytes) bytes, the header still zero
  std::uint32_t payload_bytes = 0;
  std::uint32_t record_count = 0;
  FrameCodec codec = FrameCodec::plain;
  std::size_t batch_offset = 0;  ///< in the image, where the batch begins
  std::string_view batch_bytes() const {
    return std::string_view(image).substr(batch_offset, kFrameHeaderBytes + payload_bytes - batch_offset);
  }
};

/// One frame a batch, in order. Batches are within kMaxBatchBytes (the store has checked).
std::vector<FrameDraft> draft_frames(const CommitRequest& request);

/// What the payload of a batch frame says, its batch still packed; borrows the payload.
struct BatchPayload {
  TenantId tenant = TenantId::default_tenant();
  Timestamp receive_time;
  std::optional<BatchKey> key;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  Timestamp min_timestamp;
  Timestamp max_timestamp;
  std::uint32_t plain_bytes = 0;
  std::string_view packed_batch;
};

/// Errors: corruption.
Result<BatchPayload> parse_batch_payload(std::string_view payload);
/// The batch for a memtable: as it is, or packed as in its frame if that is wanted and worth it.
MemtableBatch memtable_batch(std::shared_ptr<const RecordBatch> batch, FrameCodec codec, std::string_view frame_bytes,
                             bool wants_packed);

/// Unpacks and checks the batch. Errors: corruption; unimplemented (a codec of later times).
Result<std::shared_ptr<const RecordBatch>> unpack_batch(const BatchPayload& payload, const FrameHeader& header);

}  // namespace dendro
