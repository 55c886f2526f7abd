#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace dendro {

// The bytes of a WAL file, as docs/formats/wal.md specifies them. No state, no files: see wal_reader.h and
// wal_writer.h.

inline constexpr std::string_view kWalMagic = "DNDRWAL1";
inline constexpr std::uint16_t kWalVersion = 1;
inline constexpr std::size_t kWalHeaderBytes = 64;
inline constexpr std::uint32_t kFrameMagic = 0x4D52'4644;  // "DFRM"
inline constexpr std::size_t kFrameHeaderBytes = 48;
inline constexpr std::size_t kFrameAlignment = 8;

enum class FrameKind : std::uint8_t { batch = 1 };
enum class FrameCodec : std::uint8_t { plain = 0, lz4 = 1 };

/// Fields of a frame's header but magic and hash.
struct FrameHeader {
  std::uint32_t payload_bytes = 0;
  WalNumber wal_number;
  SequenceNumber first_sequence;
  std::uint32_t record_count = 0;
  FrameKind kind = FrameKind::batch;
  FrameCodec codec = FrameCodec::plain;
  std::uint16_t frames_following = 0;  ///< of the same request
  std::uint64_t synced_offset = 0;     ///< bytes of this file known durable when the frame was composed
};

/// A frame that passed every check; borrows the file's bytes.
struct WalFrame {
  FrameHeader header;
  std::string_view payload;
  std::uint64_t bytes() const;  ///< with header and padding
};

/// Bytes of a frame with `payload_bytes` of payload: header, payload, zeros up to a multiple of 8.
constexpr std::uint64_t frame_bytes(std::uint64_t payload_bytes) {
  return (kFrameHeaderBytes + payload_bytes + (kFrameAlignment - 1)) & ~std::uint64_t{kFrameAlignment - 1};
}
inline std::uint64_t WalFrame::bytes() const {
  return frame_bytes(payload.size());
}

/// What the hash of every frame of a file starts from: WAL number and store, so that a frame of a recycled file, of
/// another file or of another store fails like a bit flip.
HashSeed wal_seed(const Bytes16& store_id, WalNumber number);

/// The 64 bytes in front of the frames.
std::string encode_wal_header(const Bytes16& store_id, WalNumber number, Timestamp created);
/// Errors: corruption (damaged, or of another store or number), unimplemented (a version of later times).
Status check_wal_header(std::string_view bytes, const Bytes16& store_id, WalNumber number);

/// Fills the first 48 bytes of `frame`, whose payload stands behind them already.
/// @param frame  frame_bytes(header.payload_bytes) bytes, the padding zero.
void seal_frame(std::span<char> frame, const FrameHeader& header, HashSeed seed);

/// The frame at the front of `bytes`. Errors: corruption (says what of it is wrong).
Result<WalFrame> parse_frame(std::string_view bytes, WalNumber number, HashSeed seed);

}  // namespace dendro
