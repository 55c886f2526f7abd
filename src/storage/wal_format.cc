#include "storage/wal_format.h"

#include "base/check.h"
#include "storage/limits.h"

namespace dendro {
namespace {

// docs/formats/wal.md, "File header" and "Frame header": offsets there and here are one.
constexpr std::size_t kWalVersionOffset = 8;
constexpr std::size_t kWalStoreIdOffset = 16;
constexpr std::size_t kWalNumberOffset = 32;
constexpr std::size_t kWalCreatedOffset = 40;
constexpr std::size_t kWalHashOffset = 56;
static_assert(kWalHashOffset + sizeof(std::uint64_t) == kWalHeaderBytes);

constexpr std::size_t kFramePayloadBytesOffset = 4;
constexpr std::size_t kFrameWalNumberOffset = 8;
constexpr std::size_t kFrameSequenceOffset = 16;
constexpr std::size_t kFrameCountOffset = 24;
constexpr std::size_t kFrameKindOffset = 28;
constexpr std::size_t kFrameCodecOffset = 29;
constexpr std::size_t kFrameFollowingOffset = 30;
constexpr std::size_t kFrameSyncedOffset = 32;
constexpr std::size_t kFrameHashOffset = 40;
static_assert(kFrameHashOffset + sizeof(std::uint64_t) == kFrameHeaderBytes);
static_assert(kWalHeaderBytes % kFrameAlignment == 0 && kFrameHeaderBytes % kFrameAlignment == 0);

Error wal_damage(const std::string& what) {
  return Error(ErrorCode::corruption, what);
}

std::string_view id_text(const Bytes16& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

}  // namespace

HashSeed wal_seed(const Bytes16& store_id, WalNumber number) {
  return HashSeed(xxh3(id_text(store_id), HashSeed(number.number())));
}

std::string encode_wal_header(const Bytes16& store_id, WalNumber number, Timestamp created) {
  std::string header(kWalHeaderBytes, '\0');
  header.replace(0, kWalMagic.size(), kWalMagic);
  store_le(header.data() + kWalVersionOffset, kWalVersion);
  header.replace(kWalStoreIdOffset, store_id.size(), id_text(store_id));
  store_le(header.data() + kWalNumberOffset, number.number());
  store_le(header.data() + kWalCreatedOffset, created.number());
  const std::string_view hashed = std::string_view(header).substr(0, kWalHashOffset);
  store_le(header.data() + kWalHashOffset, xxh3(hashed, HashSeed(number.number())));
  return header;
}

Status check_wal_header(std::string_view bytes, const Bytes16& store_id, WalNumber number) {
  if (bytes.size() < kWalHeaderBytes) {
    return wal_damage("WAL header: need 64 bytes, have " + std::to_string(bytes.size()));
  }
  if (!bytes.starts_with(kWalMagic)) return wal_damage("WAL header: not a dendro WAL file");
  const auto version = load_le<std::uint16_t>(bytes.data() + kWalVersionOffset);
  if (version > kWalVersion) {
    return Error(ErrorCode::unimplemented, "WAL version " + std::to_string(version) + " is newer than this program");
  }
  const std::uint64_t hash = xxh3(bytes.substr(0, kWalHashOffset), HashSeed(number.number()));
  if (hash != load_le<std::uint64_t>(bytes.data() + kWalHashOffset)) return wal_damage("WAL header: checksum mismatch");
  if (version != kWalVersion) return wal_damage("WAL header: version " + std::to_string(version));
  if (bytes.substr(kWalStoreIdOffset, store_id.size()) != id_text(store_id)) {
    return wal_damage("WAL header: the file belongs to another store");
  }
  if (load_le<std::uint64_t>(bytes.data() + kWalNumberOffset) != number.number()) {
    return wal_damage("WAL header: the file has another number");
  }
  return {};
}

void seal_frame(std::span<char> frame, const FrameHeader& header, HashSeed seed) {
  DENDRO_CHECK(frame.size() == frame_bytes(header.payload_bytes));
  char* at = frame.data();
  store_le(at, kFrameMagic);
  store_le(at + kFramePayloadBytesOffset, header.payload_bytes);
  store_le(at + kFrameWalNumberOffset, header.wal_number.number());
  store_le(at + kFrameSequenceOffset, header.first_sequence.number());
  store_le(at + kFrameCountOffset, header.record_count);
  store_le(at + kFrameKindOffset, static_cast<std::uint8_t>(header.kind));
  store_le(at + kFrameCodecOffset, static_cast<std::uint8_t>(header.codec));
  store_le(at + kFrameFollowingOffset, header.frames_following);
  store_le(at + kFrameSyncedOffset, header.synced_offset);
  const std::string_view head(at, kFrameHashOffset);
  const std::string_view payload(at + kFrameHeaderBytes, header.payload_bytes);
  store_le(at + kFrameHashOffset, xxh3(head, payload, seed));
}

Result<WalFrame> parse_frame(std::string_view bytes, WalNumber number, HashSeed seed) {
  if (bytes.size() < kFrameHeaderBytes) return wal_damage("no room for a frame");
  const char* at = bytes.data();
  if (load_le<std::uint32_t>(at) != kFrameMagic) return wal_damage("no frame");
  WalFrame frame;
  FrameHeader& header = frame.header;
  header.payload_bytes = load_le<std::uint32_t>(at + kFramePayloadBytesOffset);
  header.wal_number = WalNumber(load_le<std::uint64_t>(at + kFrameWalNumberOffset));
  if (header.wal_number != number) return wal_damage("a frame of another file");
  const std::uint64_t room = bytes.size() - kFrameHeaderBytes;
  if (header.payload_bytes > kMaxFramePayloadBytes || header.payload_bytes > room) {
    return wal_damage("frame of " + std::to_string(header.payload_bytes) + " bytes exceeds the file");
  }
  frame.payload = bytes.substr(kFrameHeaderBytes, header.payload_bytes);
  if (xxh3(bytes.substr(0, kFrameHashOffset), frame.payload, seed) != load_le<std::uint64_t>(at + kFrameHashOffset)) {
    return wal_damage("frame checksum mismatch");
  }
  header.first_sequence = SequenceNumber(load_le<std::uint64_t>(at + kFrameSequenceOffset));
  header.record_count = load_le<std::uint32_t>(at + kFrameCountOffset);
  header.kind = static_cast<FrameKind>(load_le<std::uint8_t>(at + kFrameKindOffset));
  header.codec = static_cast<FrameCodec>(load_le<std::uint8_t>(at + kFrameCodecOffset));
  header.frames_following = load_le<std::uint16_t>(at + kFrameFollowingOffset);
  header.synced_offset = load_le<std::uint64_t>(at + kFrameSyncedOffset);
  return frame;
}

}  // namespace dendro
