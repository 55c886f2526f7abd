#include "storage/batch_frame.h"

#include <lz4.h>

#include "base/bytes.h"
#include "base/check.h"
#include "storage/limits.h"

namespace dendro {
namespace {

constexpr std::uint8_t kPayloadHasKey = 0x01;
/// LZ4 must save over 10 % (engine.md 2.2): reading packed bytes back costs more than the disk saves below that.
constexpr std::size_t kWorthPackingPercent = 90;

Error payload_damage(const std::string& what) {
  return Error(ErrorCode::corruption, "frame payload: " + what);
}

void append_id(std::string& out, const Bytes16& id) {
  out.append(reinterpret_cast<const char*>(id.data()), id.size());
}

Bytes16 read_id(ByteReader& reader) {
  Bytes16 id{};
  const std::string_view bytes = reader.read_bytes(id.size());
  if (!bytes.empty()) bytes.copy(reinterpret_cast<char*>(id.data()), id.size());
  return id;
}

void append_payload_front(std::string& out, const CommitRequest& request, const RecordBatch& batch) {
  out.push_back(static_cast<char>(request.key ? kPayloadHasKey : 0));
  append_sized(out, request.tenant.text());
  append_le(out, request.receive_time.number());
  if (request.key) {
    append_id(out, request.key->id);
    append_id(out, request.key->content_hash);
  }
  append_varint(out, request.accepted);
  append_varint(out, request.rejected);
  append_varint(out, 0);  // keys of single records: none in this version
  append_le(out, batch.min_timestamp().number());
  append_le(out, batch.max_timestamp().number());
  append_le(out, static_cast<std::uint32_t>(batch.encoded().size()));
}

/// Appends the packed batch if that is worth it.
bool append_packed(std::string& out, std::string_view batch) {
  const std::size_t front = out.size();
  const std::size_t worth_bytes = batch.size() * kWorthPackingPercent / 100;
  out.resize(front + worth_bytes);
  const int packed_bytes = LZ4_compress_default(batch.data(), out.data() + front, static_cast<int>(batch.size()),
                                                static_cast<int>(worth_bytes));
  out.resize(front + static_cast<std::size_t>(packed_bytes));
  return packed_bytes > 0;
}

FrameDraft draft_frame(const CommitRequest& request, const RecordBatch& batch) {
  FrameDraft draft;
  std::string& image = draft.image;
  image.reserve(kFrameHeaderBytes + kMaxFrameMetaBytes + batch.encoded().size() + kFrameAlignment);
  image.assign(kFrameHeaderBytes, '\0');
  append_payload_front(image, request, batch);
  draft.batch_offset = image.size();
  if (append_packed(image, batch.encoded())) {
    draft.codec = FrameCodec::lz4;
  } else {
    image.append(batch.encoded());
  }
  draft.payload_bytes = static_cast<std::uint32_t>(image.size() - kFrameHeaderBytes);
  draft.record_count = static_cast<std::uint32_t>(batch.size());
  image.resize(frame_bytes(draft.payload_bytes), '\0');
  image.shrink_to_fit();  // it waits in the queue
  DENDRO_CHECK(draft.payload_bytes <= kMaxFramePayloadBytes);
  return draft;
}

}  // namespace

std::vector<FrameDraft> draft_frames(const CommitRequest& request) {
  std::vector<FrameDraft> drafts;
  drafts.reserve(request.batches.size());
  for (const auto& batch : request.batches) drafts.push_back(draft_frame(request, *batch));
  return drafts;
}

MemtableBatch memtable_batch(std::shared_ptr<const RecordBatch> batch, FrameCodec codec, std::string_view frame_bytes,
                             bool wants_packed) {
  const bool is_worth_it = codec == FrameCodec::lz4 && batch->encoded().size() >= MemtableBatch::kPackedFromBytes;
  return wants_packed && is_worth_it ? MemtableBatch::packed(*batch, frame_bytes) : MemtableBatch(std::move(batch));
}

Result<BatchPayload> parse_batch_payload(std::string_view bytes) {
  BatchPayload payload;
  ByteReader reader(bytes);
  const auto flags = reader.read_le<std::uint8_t>();
  if ((flags & ~kPayloadHasKey) != 0) return payload_damage("unknown flags");
  const std::string_view tenant = reader.read_sized();
  payload.receive_time = Timestamp(reader.read_le<std::int64_t>());
  if ((flags & kPayloadHasKey) != 0) {
    payload.key.emplace();
    payload.key->id = read_id(reader);
    payload.key->content_hash = read_id(reader);
  }
  payload.accepted = reader.read_varint();
  payload.rejected = reader.read_varint();
  const std::uint64_t record_keys = reader.read_varint();
  payload.min_timestamp = Timestamp(reader.read_le<std::int64_t>());
  payload.max_timestamp = Timestamp(reader.read_le<std::int64_t>());
  payload.plain_bytes = reader.read_le<std::uint32_t>();
  if (!reader.ok()) return payload_damage("ends early");
  if (record_keys != 0) return Error(ErrorCode::unimplemented, "frame payload: keys of single records");
  if (payload.plain_bytes > kMaxBatchBytes) {
    return payload_damage("batch of " + std::to_string(payload.plain_bytes) + " bytes is over the limit");
  }
  Result<TenantId> parsed = TenantId::parse(tenant);
  if (!parsed) return payload_damage("tenant: " + parsed.error().message());
  payload.tenant = std::move(parsed).value();
  payload.packed_batch = reader.read_bytes(reader.remaining());
  return payload;
}

Result<std::shared_ptr<const RecordBatch>> unpack_batch(const BatchPayload& payload, const FrameHeader& header) {
  std::string plain;
  if (header.codec == FrameCodec::plain) {
    plain = payload.packed_batch;
  } else if (header.codec == FrameCodec::lz4) {
    plain.resize(payload.plain_bytes);
    const int unpacked =
        LZ4_decompress_safe(payload.packed_batch.data(), plain.data(), static_cast<int>(payload.packed_batch.size()),
                            static_cast<int>(plain.size()));
    if (unpacked != static_cast<int>(plain.size())) return payload_damage("LZ4 does not unpack");
  } else {
    return Error(ErrorCode::unimplemented, "frame codec " + std::to_string(static_cast<int>(header.codec)));
  }
  if (plain.size() != payload.plain_bytes) return payload_damage("batch has another size than it says");
  DENDRO_TRY_ASSIGN(std::shared_ptr<const RecordBatch> batch, RecordBatch::decode(std::move(plain)));
  if (batch->size() != header.record_count) return payload_damage("batch has another count than its frame");
  return batch;
}

}  // namespace dendro
