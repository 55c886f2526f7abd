#pragma once

#include <cstddef>
#include <cstdint>

namespace dendro {

// Bounds of an intake (clients.md 2.8, 2.9, 3.3); those of one record stand in record/limits.h.

/// Body of a request, decompressed.
inline constexpr std::uint64_t kMaxIngestBodyBytes = std::uint64_t{64} << 20;
/// Bytes of a rejected record that its dead letter keeps.
inline constexpr std::size_t kMaxDeadLetterRawBytes = std::size_t{64} << 10;
/// Rejected records that a reply lists.
inline constexpr std::size_t kMaxListedErrors = 100;
/// Dead letters of one request; further rejected records are counted, and their raw bytes are in the sender's hands
/// only. A body of 64 MiB can hold 32 million broken lines of two bytes; 65,536 letters fill one batch.
inline constexpr std::size_t kMaxDeadLetters = 65'536;
/// Idempotency-Key.
inline constexpr std::size_t kMaxIdempotencyKeyBytes = 128;

}  // namespace dendro
