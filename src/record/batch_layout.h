#pragma once

#include <cstddef>
#include <cstdint>

namespace dendro::batch_layout {

// The header of an encoded batch; the sections follow in the order of docs/formats/batch.md, each padded to 8 bytes.
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kVersionOffset = 0;       // u32
inline constexpr std::size_t kRecordCountOffset = 4;   // u32
inline constexpr std::size_t kReceiveTimeOffset = 8;   // i64
inline constexpr std::size_t kStringCountOffset = 16;  // u32
inline constexpr std::size_t kStringBytesOffset = 20;  // u32
inline constexpr std::size_t kShapeCountOffset = 24;   // u32
inline constexpr std::size_t kShapeBytesOffset = 28;   // u32
inline constexpr std::size_t kStreamCountOffset = 32;  // u32
inline constexpr std::size_t kStreamBytesOffset = 36;  // u32
inline constexpr std::size_t kValueBytesOffset = 40;   // u64
inline constexpr std::size_t kHeaderBytes = 48;

/// Mark bit of a record: its severity was found in the body.
inline constexpr std::uint8_t kMarkSeverityFromBody = 1;
/// First byte of a stored time: digits, and this bit if the instant follows because it is not the record's own.
inline constexpr std::uint8_t kTimeHasInstant = 0x80;

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

}  // namespace dendro::batch_layout
