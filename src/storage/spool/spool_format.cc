#include "storage/spool/spool_format.h"

#include <algorithm>
#include <limits>

namespace dendro {
namespace {

// docs/formats/spool.md, "File header": offsets there and here are one.
constexpr std::size_t kSpoolVersionOffset = 8;
constexpr std::size_t kSpoolQueueIdOffset = 16;
constexpr std::size_t kSpoolNumberOffset = 32;
constexpr std::size_t kSpoolCreatedOffset = 40;
constexpr std::size_t kSpoolNextIdOffset = 48;
constexpr std::size_t kSpoolHashOffset = 56;
static_assert(kSpoolHashOffset + sizeof(std::uint64_t) == kWalHeaderBytes);

Error spool_damage(const std::string& what) {
  return Error(ErrorCode::corruption, what);
}

Result<SpoolStateRow> read_spool_state(ByteReader& reader) {
  SpoolStateRow row;
  row.id = QueueMessageId(reader.read_varint());
  row.state = static_cast<SpoolState>(reader.read_le<std::uint8_t>());
  const bool is_known =
      row.state == SpoolState::done || row.state == SpoolState::waiting || row.state == SpoolState::dead;
  const std::uint64_t count = row.state == SpoolState::done ? 0 : reader.read_varint();
  if (!reader.ok() || !is_known || count > std::numeric_limits<std::uint32_t>::max()) {
    return spool_damage("a state of a message cannot be read");
  }
  row.receive_count = static_cast<std::uint32_t>(count);
  return row;
}

void append_spool_state(std::string& out, const SpoolStateRow& row) {
  append_varint(out, row.id.number());
  out.push_back(static_cast<char>(row.state));
  if (row.state != SpoolState::done) append_varint(out, row.receive_count);
}

/// The time in front of a message.
Timestamp read_sent_time(ByteReader& reader, const SpoolHeader& header) {
  return header.version == 1 ? header.created : Timestamp(reader.read_le<std::int64_t>());
}

Result<SpoolFrame> parse_sent(const WalFrame& frame, const SpoolHeader& header) {
  SpoolFrame parsed;
  ByteReader reader(frame.payload);
  for (std::uint32_t i = 0; i < frame.header.record_count; ++i) {
    const std::string_view message = reader.read_sized();
    ByteReader start(message);
    SpoolMessagePlace place;
    place.sent = read_sent_time(start, header);
    if (!reader.ok() || !start.ok()) return spool_damage("a frame of messages is too short");
    place.row.id = QueueMessageId(frame.header.first_sequence.next(i).number());
    place.offset = static_cast<std::uint32_t>(message.data() - frame.payload.data());
    place.bytes = static_cast<std::uint32_t>(message.size());
    parsed.messages.push_back(place);
  }
  if (!reader.at_end()) return spool_damage("a frame of messages is too long");
  return parsed;
}

Result<SpoolFrame> parse_states(const WalFrame& frame) {
  SpoolFrame parsed;
  ByteReader reader(frame.payload);
  while (!reader.at_end()) {
    DENDRO_TRY_ASSIGN(const SpoolStateRow row, read_spool_state(reader));
    parsed.states.push_back(row);
  }
  return parsed;
}

Result<SpoolFrame> parse_kept(const WalFrame& frame, const SpoolHeader& header) {
  SpoolFrame parsed;
  ByteReader reader(frame.payload);
  SpoolMessagePlace place;
  DENDRO_TRY_ASSIGN(place.row, read_spool_state(reader));
  if (place.row.state == SpoolState::done) return spool_damage("a message that is done was kept");
  place.bytes = static_cast<std::uint32_t>(reader.remaining());
  place.offset = static_cast<std::uint32_t>(frame.payload.size()) - place.bytes;
  place.sent = read_sent_time(reader, header);
  if (!reader.ok()) return spool_damage("a kept message is too short");
  parsed.messages.push_back(place);
  return parsed;
}

}  // namespace

std::string encode_spool_header(const SpoolHeader& fields) {
  std::string header(kWalHeaderBytes, '\0');
  header.replace(0, kSpoolMagic.size(), kSpoolMagic);
  store_le(header.data() + kSpoolVersionOffset, fields.version);
  std::copy(fields.queue_id.begin(), fields.queue_id.end(), header.begin() + kSpoolQueueIdOffset);
  store_le(header.data() + kSpoolNumberOffset, fields.number.number());
  store_le(header.data() + kSpoolCreatedOffset, fields.created.number());
  store_le(header.data() + kSpoolNextIdOffset, fields.next_id.number());
  const std::string_view hashed = std::string_view(header).substr(0, kSpoolHashOffset);
  store_le(header.data() + kSpoolHashOffset, xxh3(hashed, HashSeed(fields.number.number())));
  return header;
}

Result<SpoolHeader> parse_spool_header(std::string_view bytes, WalNumber number) {
  if (bytes.size() < kWalHeaderBytes) {
    return spool_damage("spool header: need 64 bytes, have " + std::to_string(bytes.size()));
  }
  if (!bytes.starts_with(kSpoolMagic)) return spool_damage("spool header: not a dendro spool file");
  const auto version = load_le<std::uint16_t>(bytes.data() + kSpoolVersionOffset);
  if (version > kSpoolVersion) {
    return Error(ErrorCode::unimplemented, "spool version " + std::to_string(version) + " is newer than this program");
  }
  const std::uint64_t hash = xxh3(bytes.substr(0, kSpoolHashOffset), HashSeed(number.number()));
  if (hash != load_le<std::uint64_t>(bytes.data() + kSpoolHashOffset)) {
    return spool_damage("spool header: checksum mismatch");
  }
  if (version == 0) return spool_damage("spool header: version " + std::to_string(version));
  if (load_le<std::uint64_t>(bytes.data() + kSpoolNumberOffset) != number.number()) {
    return spool_damage("spool header: the file has another number");
  }
  SpoolHeader header;
  header.version = version;
  std::copy_n(bytes.begin() + kSpoolQueueIdOffset, header.queue_id.size(), header.queue_id.begin());
  header.number = number;
  header.created = Timestamp(load_le<std::int64_t>(bytes.data() + kSpoolCreatedOffset));
  header.next_id = QueueMessageId(load_le<std::uint64_t>(bytes.data() + kSpoolNextIdOffset));
  return header;
}

void append_spool_message(std::string& out, const SpoolMessage& sent) {
  const QueueMessage& message = sent.message;
  append_le(out, sent.sent.number());
  append_varint(out, message.attributes.size());
  for (const auto& [name, value] : message.attributes) {
    append_sized(out, name);
    append_sized(out, value);
  }
  append_sized(out, message.body);
}

Result<SpoolMessage> parse_spool_message(std::string_view bytes, const SpoolHeader& header) {
  ByteReader reader(bytes);
  SpoolMessage sent;
  sent.sent = read_sent_time(reader, header);
  QueueMessage& message = sent.message;
  const std::uint64_t count = reader.read_varint();
  if (count > kQueueAttributesMax) return spool_damage("a message has " + std::to_string(count) + " attributes");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = reader.read_sized();
    const std::string_view value = reader.read_sized();
    message.attributes.emplace_back(name, value);
  }
  message.body = reader.read_sized();
  if (!reader.ok() || !reader.at_end()) return spool_damage("a message cannot be read");
  return sent;
}

std::string encode_spool_states(std::span<const SpoolStateRow> rows) {
  std::string payload;
  for (const SpoolStateRow& row : rows) append_spool_state(payload, row);
  return payload;
}

std::string encode_spool_kept(const SpoolStateRow& row, const SpoolMessage& message) {
  std::string payload;
  append_spool_state(payload, row);
  append_spool_message(payload, message);
  return payload;
}

std::string seal_spool_frame(const SpoolFrameDraft& draft, std::string_view payload, WalNumber number, HashSeed seed) {
  FrameHeader header;
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header.wal_number = number;
  header.first_sequence = SequenceNumber(draft.next_id.number());
  header.record_count = draft.message_count;
  header.kind = static_cast<FrameKind>(draft.kind);
  header.synced_offset = draft.synced_offset;
  std::string frame(frame_bytes(payload.size()), '\0');
  frame.replace(kFrameHeaderBytes, payload.size(), payload);
  seal_frame(frame, header, seed);
  return frame;
}

Result<SpoolFrame> parse_spool_frame(const WalFrame& frame, const SpoolHeader& header) {
  switch (static_cast<SpoolFrameKind>(frame.header.kind)) {
    case SpoolFrameKind::messages:
      return parse_sent(frame, header);
    case SpoolFrameKind::states:
      return parse_states(frame);
    case SpoolFrameKind::kept:
      return parse_kept(frame, header);
  }
  return spool_damage("a frame of unknown kind " + std::to_string(static_cast<int>(frame.header.kind)));
}

}  // namespace dendro
