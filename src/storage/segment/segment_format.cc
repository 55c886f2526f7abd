#include "storage/segment_format.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "storage/limits.h"

namespace dendro {
namespace {

// docs/formats/segment-v0.md, "Header" and "Tail".
constexpr std::uint16_t kSegmentVersion = 0;
constexpr std::size_t kSegmentVersionOffset = 8;
constexpr std::size_t kSegmentStoreIdOffset = 16;
constexpr std::size_t kSegmentIdOffset = 32;
constexpr std::size_t kSegmentDayOffset = 40;
constexpr std::size_t kSegmentHashOffset = 56;
static_assert(kSegmentHashOffset + sizeof(std::uint64_t) == kSegmentHeaderBytes);
constexpr std::size_t kTailMagicOffset = 24;
static_assert(kTailMagicOffset + kSegmentMagic.size() == kSegmentTailBytes);
constexpr std::size_t kBlockEntryBytes = 8 + 4 + 4 + 4 + 8 + 8 + 8 + 8 + 8;
constexpr std::size_t kKeyEntryBytesMin = 16 + 16 + 8 + 8 + 1 + 1;

Error segment_damage(const std::string& what) {
  return Error(ErrorCode::corruption, what);
}

std::string_view segment_id_text(const Bytes16& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

Bytes16 read_bytes16(ByteReader& reader) {
  Bytes16 id{};
  const std::string_view bytes = reader.read_bytes(id.size());
  if (!bytes.empty()) bytes.copy(reinterpret_cast<char*>(id.data()), id.size());
  return id;
}

template <typename Strong>
Strong read_strong(ByteReader& reader) {
  return Strong(reader.read_le<decltype(Strong().number())>());
}

/// Zigzag differences: sequences mostly rise by one, receive times mostly stay.
template <typename Strong>
void append_deltas(std::string& out, const std::vector<Strong>& column) {
  std::uint64_t before = 0;
  for (const Strong value : column) {
    const auto number = static_cast<std::uint64_t>(value.number());
    append_varint(out, zigzag_encode(static_cast<std::int64_t>(number - before)));
    before = number;
  }
}

template <typename Strong>
std::shared_ptr<const std::vector<Strong>> read_deltas(ByteReader& reader, std::size_t count) {
  auto column = std::make_shared<std::vector<Strong>>();
  column->reserve(count);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number += static_cast<std::uint64_t>(zigzag_decode(reader.read_varint()));
    column->push_back(Strong(static_cast<decltype(Strong().number())>(number)));
  }
  return column;
}

void append_key(std::string& out, const KeyedReply& keyed) {
  out.append(segment_id_text(keyed.key.id));
  out.append(segment_id_text(keyed.key.content_hash));
  append_le(out, keyed.reply.first_sequence.number());
  append_le(out, keyed.reply.receive_time.number());
  append_varint(out, keyed.reply.accepted);
  append_varint(out, keyed.reply.rejected);
}

KeyedReply read_key(ByteReader& reader) {
  KeyedReply keyed;
  keyed.key.id = read_bytes16(reader);
  keyed.key.content_hash = read_bytes16(reader);
  keyed.reply.first_sequence = read_strong<SequenceNumber>(reader);
  keyed.reply.receive_time = read_strong<Timestamp>(reader);
  keyed.reply.accepted = reader.read_varint();
  keyed.reply.rejected = reader.read_varint();
  return keyed;
}

void append_block_info(std::string& out, const SegmentBlockInfo& block) {
  append_le(out, block.offset);
  append_le(out, block.stored_bytes);
  append_le(out, block.plain_bytes);
  append_le(out, block.record_count);
  append_le(out, block.min_timestamp.number());
  append_le(out, block.max_timestamp.number());
  append_le(out, block.first_sequence.number());
  append_le(out, block.last_sequence.number());
  append_le(out, block.hash);
}

SegmentBlockInfo read_block_info(ByteReader& reader) {
  SegmentBlockInfo block;
  block.offset = reader.read_le<std::uint64_t>();
  block.stored_bytes = reader.read_le<std::uint32_t>();
  block.plain_bytes = reader.read_le<std::uint32_t>();
  block.record_count = reader.read_le<std::uint32_t>();
  block.min_timestamp = read_strong<Timestamp>(reader);
  block.max_timestamp = read_strong<Timestamp>(reader);
  block.first_sequence = read_strong<SequenceNumber>(reader);
  block.last_sequence = read_strong<SequenceNumber>(reader);
  block.hash = reader.read_le<std::uint64_t>();
  return block;
}

}  // namespace

std::string encode_segment_header(const Bytes16& store_id, SegmentId id, Timestamp day) {
  std::string header(kSegmentHeaderBytes, '\0');
  header.replace(0, kSegmentMagic.size(), kSegmentMagic);
  store_le(header.data() + kSegmentVersionOffset, kSegmentVersion);
  header.replace(kSegmentStoreIdOffset, store_id.size(), segment_id_text(store_id));
  store_le(header.data() + kSegmentIdOffset, id.number());
  store_le(header.data() + kSegmentDayOffset, day.number());
  store_le(header.data() + kSegmentHashOffset,
           xxh3(std::string_view(header).substr(0, kSegmentHashOffset), HashSeed(id.number())));
  return header;
}

Status check_segment_header(std::string_view bytes, const Bytes16& store_id, SegmentId id) {
  if (bytes.size() < kSegmentHeaderBytes) return segment_damage("header: the file is cut off");
  if (!bytes.starts_with(kSegmentMagic)) return segment_damage("header: not a segment of version 0");
  if (xxh3(bytes.substr(0, kSegmentHashOffset), HashSeed(id.number())) !=
      load_le<std::uint64_t>(bytes.data() + kSegmentHashOffset)) {
    return segment_damage("header: checksum mismatch");
  }
  if (load_le<std::uint16_t>(bytes.data() + kSegmentVersionOffset) != kSegmentVersion) {
    return Error(ErrorCode::unimplemented, "header: a segment of another version");
  }
  if (bytes.substr(kSegmentStoreIdOffset, store_id.size()) != segment_id_text(store_id)) {
    return segment_damage("header: the file belongs to another store");
  }
  return {};
}

std::string encode_segment_meta(const SegmentMeta& meta) {
  const SegmentInfo& info = meta.info;
  std::string out;
  append_sized(out, info.tenant.text());
  append_le(out, info.day.number());
  append_le(out, info.record_count);
  append_le(out, info.raw_bytes);
  append_le(out, info.min_timestamp.number());
  append_le(out, info.max_timestamp.number());
  append_le(out, info.first_sequence.number());
  append_le(out, info.last_sequence.number());
  append_varint(out, meta.keys.size());
  for (const KeyedReply& keyed : meta.keys) append_key(out, keyed);
  append_varint(out, meta.blocks.size());
  for (const SegmentBlockInfo& block : meta.blocks) append_block_info(out, block);
  return out;
}

Result<SegmentMeta> parse_segment_meta(std::string_view bytes) {
  SegmentMeta meta;
  ByteReader reader(bytes);
  Result<TenantId> tenant = TenantId::parse(reader.read_sized());
  if (!tenant) return segment_damage("META: tenant: " + tenant.error().message());
  meta.info.tenant = std::move(tenant).value();
  meta.info.day = read_strong<Timestamp>(reader);
  meta.info.record_count = reader.read_le<std::uint64_t>();
  meta.info.raw_bytes = reader.read_le<std::uint64_t>();
  meta.info.min_timestamp = read_strong<Timestamp>(reader);
  meta.info.max_timestamp = read_strong<Timestamp>(reader);
  meta.info.first_sequence = read_strong<SequenceNumber>(reader);
  meta.info.last_sequence = read_strong<SequenceNumber>(reader);
  const std::uint64_t key_count = reader.read_varint();
  if (key_count > reader.remaining() / kKeyEntryBytesMin) return segment_damage("META: more keys than bytes");
  for (std::uint64_t i = 0; i < key_count; ++i) meta.keys.push_back(read_key(reader));
  const std::uint64_t block_count = reader.read_varint();
  if (block_count > reader.remaining() / kBlockEntryBytes) return segment_damage("META: more blocks than bytes");
  for (std::uint64_t i = 0; i < block_count; ++i) meta.blocks.push_back(read_block_info(reader));
  if (!reader.ok() || !reader.at_end()) return segment_damage("META: wrong size");
  return meta;
}

std::string encode_segment_tail(const SegmentTail& tail) {
  std::string out;
  append_le(out, tail.meta_offset);
  append_le(out, tail.meta_bytes);
  append_le(out, std::uint32_t{0});
  append_le(out, tail.meta_hash);
  out += kSegmentMagic;
  return out;
}

Result<SegmentTail> parse_segment_tail(std::string_view bytes) {
  if (bytes.size() != kSegmentTailBytes || bytes.substr(kTailMagicOffset) != kSegmentMagic) {
    return segment_damage("tail: not the end of a segment of version 0");
  }
  ByteReader reader(bytes);
  SegmentTail tail;
  tail.meta_offset = reader.read_le<std::uint64_t>();
  tail.meta_bytes = reader.read_le<std::uint32_t>();
  const auto reserved = reader.read_le<std::uint32_t>();
  tail.meta_hash = reader.read_le<std::uint64_t>();
  if (tail.meta_bytes > kMaxSegmentMetaBytes || reserved != 0) return segment_damage("tail: impossible size of META");
  return tail;
}

std::string encode_segment_block(const RecordBatch& batch, const std::vector<SequenceNumber>& sequences,
                                 const std::vector<Timestamp>& receive_times) {
  std::string plain;
  plain.reserve(batch.encoded().size() + batch.size() * 4 + 16);
  append_le(plain, static_cast<std::uint32_t>(batch.encoded().size()));
  plain.append(batch.encoded());
  append_deltas(plain, sequences);
  append_deltas(plain, receive_times);
  return plain;
}

Result<SegmentBlock> parse_segment_block(std::string_view plain) {
  ByteReader reader(plain);
  const std::string_view encoded = reader.read_bytes(reader.read_le<std::uint32_t>());
  if (!reader.ok()) return segment_damage("block ends early");
  SegmentBlock block;
  DENDRO_TRY_ASSIGN(block.batch, RecordBatch::decode(std::string(encoded)));
  block.sequences = read_deltas<SequenceNumber>(reader, block.batch->size());
  block.receive_times = read_deltas<Timestamp>(reader, block.batch->size());
  if (!reader.ok() || !reader.at_end()) return segment_damage("columns of a block have a wrong size");
  return block;
}

}  // namespace dendro
