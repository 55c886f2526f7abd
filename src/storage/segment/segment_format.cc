#include "storage/segment/segment_format.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "storage/limits.h"

namespace dendro {
namespace {

// docs/formats/segment.md, "Header", "Footer" and "Tail".
constexpr std::string_view kSegmentMagicV0 = "DNDRSEG0";
constexpr std::size_t kSegmentMajorOffset = 8;
constexpr std::size_t kSegmentMinorOffset = 10;
constexpr std::size_t kSegmentStoreIdOffset = 16;
constexpr std::size_t kSegmentIdOffset = 32;
constexpr std::size_t kSegmentDayOffset = 40;
constexpr std::size_t kSegmentHashOffset = 56;
static_assert(kSegmentHashOffset + sizeof(std::uint64_t) == kSegmentHeaderBytes);
constexpr std::size_t kTailMagicOffset = 24;
static_assert(kTailMagicOffset + kSegmentMagic.size() == kSegmentTailBytes);
constexpr std::size_t kSectionEntryBytes = 2 + 2 + 8 + 4 + 4 + 4 + 8;
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

void append_receive_times(std::string& out, const std::vector<ReceiveTime>& times) {
  append_varint(out, times.size());
  ReceiveTime before;
  for (const ReceiveTime& time : times) {
    append_varint(out, time.first_sequence.number() - before.first_sequence.number());
    append_varint(out, zigzag_encode(time.time.number() - before.time.number()));
    before = time;
  }
}

bool read_receive_times(ByteReader& reader, std::vector<ReceiveTime>& times) {
  const std::uint64_t count = reader.read_varint();
  if (count > reader.remaining()) return false;
  std::uint64_t sequence = 0;
  std::uint64_t time = 0;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    sequence += reader.read_varint();
    time += static_cast<std::uint64_t>(zigzag_decode(reader.read_varint()));
    times.push_back({SequenceNumber(sequence), Timestamp(static_cast<std::int64_t>(time))});
  }
  return reader.ok();
}

}  // namespace

std::string encode_segment_header(const Bytes16& store_id, SegmentId id, Timestamp day) {
  std::string header(kSegmentHeaderBytes, '\0');
  header.replace(0, kSegmentMagic.size(), kSegmentMagic);
  store_le(header.data() + kSegmentMajorOffset, kSegmentMajor);
  store_le(header.data() + kSegmentMinorOffset, kSegmentMinor);
  header.replace(kSegmentStoreIdOffset, store_id.size(), segment_id_text(store_id));
  store_le(header.data() + kSegmentIdOffset, id.number());
  store_le(header.data() + kSegmentDayOffset, day.number());
  store_le(header.data() + kSegmentHashOffset,
           xxh3(std::string_view(header).substr(0, kSegmentHashOffset), HashSeed(id.number())));
  return header;
}

Status check_segment_header(std::string_view bytes, const Bytes16& store_id, SegmentId id) {
  if (bytes.size() < kSegmentHeaderBytes) return segment_damage("header: the file is cut off");
  if (bytes.starts_with(kSegmentMagicV0)) {
    return Error(ErrorCode::unimplemented,
                 "header: segment format version 0, of a dendro before the storage engine; send its records anew");
  }
  if (!bytes.starts_with(kSegmentMagic)) {
    const char version = bytes[kSegmentMagic.size() - 1];
    if (!bytes.starts_with(kSegmentMagic.substr(0, kSegmentMagic.size() - 1)) || version < '2' || version > '9') {
      return segment_damage("header: not a segment");
    }
    return Error(ErrorCode::unimplemented, std::string("header: segment format version ") + version + " is not known");
  }
  if (xxh3(bytes.substr(0, kSegmentHashOffset), HashSeed(id.number())) !=
      load_le<std::uint64_t>(bytes.data() + kSegmentHashOffset)) {
    return segment_damage("header: checksum mismatch");
  }
  const auto major = load_le<std::uint16_t>(bytes.data() + kSegmentMajorOffset);
  if (major != kSegmentMajor) {
    return Error(ErrorCode::unimplemented, "header: segment format version " + std::to_string(major) + " is not known");
  }
  if (bytes.substr(kSegmentStoreIdOffset, store_id.size()) != segment_id_text(store_id)) {
    return segment_damage("header: the file belongs to another store");
  }
  return {};
}

std::string encode_footer(const std::vector<SectionEntry>& sections) {
  std::string out;
  append_le(out, static_cast<std::uint32_t>(sections.size()));
  for (const SectionEntry& section : sections) {
    append_le(out, static_cast<std::uint16_t>(section.kind));
    append_le(out, section.flags);
    append_le(out, section.offset);
    append_le(out, section.stored_bytes);
    append_le(out, section.plain_bytes);
    append_le(out, static_cast<std::uint32_t>(section.codec));
    append_le(out, section.hash);
  }
  return out;
}

Result<std::vector<SectionEntry>> parse_footer(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto count = reader.read_le<std::uint32_t>();
  if (!reader.ok() || reader.remaining() != count * kSectionEntryBytes) return segment_damage("footer: wrong size");
  std::vector<SectionEntry> sections;
  for (std::uint32_t i = 0; i < count; ++i) {
    SectionEntry section;
    const auto kind = reader.read_le<std::uint16_t>();
    section.kind = static_cast<SectionKind>(kind);
    section.flags = reader.read_le<std::uint16_t>();
    section.offset = reader.read_le<std::uint64_t>();
    section.stored_bytes = reader.read_le<std::uint32_t>();
    section.plain_bytes = reader.read_le<std::uint32_t>();
    section.codec = static_cast<BlockCodec>(reader.read_le<std::uint32_t>());
    section.hash = reader.read_le<std::uint64_t>();
    const bool is_known = section.kind >= SectionKind::dictionary && section.kind <= SectionKind::meta;
    if (!is_known && (section.flags & kSectionMustUnderstand) != 0) {
      return Error(ErrorCode::unimplemented, "footer: section of kind " + std::to_string(kind) + " is not known");
    }
    if (section.plain_bytes > kMaxSegmentSectionBytes) return segment_damage("footer: impossible size of a section");
    if (is_known) sections.push_back(section);
  }
  return sections;
}

std::string encode_segment_tail(const SegmentTail& tail) {
  std::string out;
  append_le(out, tail.footer_offset);
  append_le(out, tail.footer_bytes);
  append_le(out, std::uint32_t{0});
  append_le(out, tail.footer_hash);
  out += kSegmentMagic;
  return out;
}

Result<SegmentTail> parse_segment_tail(std::string_view bytes) {
  if (bytes.size() != kSegmentTailBytes || bytes.substr(kTailMagicOffset) != kSegmentMagic) {
    return segment_damage("tail: not the end of a segment");
  }
  ByteReader reader(bytes);
  SegmentTail tail;
  tail.footer_offset = reader.read_le<std::uint64_t>();
  tail.footer_bytes = reader.read_le<std::uint32_t>();
  const auto reserved = reader.read_le<std::uint32_t>();
  tail.footer_hash = reader.read_le<std::uint64_t>();
  if (reserved != 0) return segment_damage("tail: bytes that must be zero are not");
  return tail;
}

std::string encode_segment_meta(const SegmentMeta& meta) {
  const SegmentInfo& info = meta.info;
  std::string out;
  append_sized(out, info.tenant.text());
  append_le(out, info.day.number());
  out.push_back(static_cast<char>(info.level));
  append_le(out, info.record_count);
  append_le(out, info.raw_bytes);
  append_le(out, info.min_timestamp.number());
  append_le(out, info.max_timestamp.number());
  append_le(out, info.first_sequence.number());
  append_le(out, info.last_sequence.number());
  append_varint(out, meta.replaces.size());
  for (const SegmentId id : meta.replaces) append_varint(out, id.number());
  append_receive_times(out, meta.receive_times);
  append_varint(out, meta.keys.size());
  for (const KeyedReply& keyed : meta.keys) append_key(out, keyed);
  return out;
}

Result<SegmentMeta> parse_segment_meta(std::string_view bytes) {
  SegmentMeta meta;
  ByteReader reader(bytes);
  Result<TenantId> tenant = TenantId::parse(reader.read_sized());
  if (!tenant) return segment_damage("META: tenant: " + tenant.error().message());
  meta.info.tenant = std::move(tenant).value();
  meta.info.day = read_strong<Timestamp>(reader);
  meta.info.level = reader.read_le<std::uint8_t>();
  meta.info.record_count = reader.read_le<std::uint64_t>();
  meta.info.raw_bytes = reader.read_le<std::uint64_t>();
  meta.info.min_timestamp = read_strong<Timestamp>(reader);
  meta.info.max_timestamp = read_strong<Timestamp>(reader);
  meta.info.first_sequence = read_strong<SequenceNumber>(reader);
  meta.info.last_sequence = read_strong<SequenceNumber>(reader);
  const std::uint64_t replaced = reader.read_varint();
  for (std::uint64_t i = 0; i < replaced && reader.ok(); ++i) meta.replaces.emplace_back(reader.read_varint());
  if (!read_receive_times(reader, meta.receive_times)) return segment_damage("META: receive times cut off");
  const std::uint64_t key_count = reader.read_varint();
  if (key_count > reader.remaining() / kKeyEntryBytesMin) return segment_damage("META: more keys than bytes");
  for (std::uint64_t i = 0; i < key_count; ++i) meta.keys.push_back(read_key(reader));
  if (!reader.ok() || !reader.at_end()) return segment_damage("META: wrong size");
  return meta;
}

}  // namespace dendro
