#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dendro {

// What a live tail may cost. The protocol's own figures are those of ui.md 11.3 and engine.md 4.9.

/// A frame of rows goes out at this many rows or bytes, or once its first row has waited this long.
inline constexpr std::size_t kTailFrameRows = 500;
inline constexpr std::size_t kTailFrameBytes = std::size_t{1} << 20;
inline constexpr std::chrono::milliseconds kTailFrameTime{100};
/// A quiet tail says so this often; a table is sent this often.
inline constexpr std::chrono::milliseconds kTailQuietTime{1'000};
inline constexpr std::uint64_t kTailRowsPerSecond = 5'000;
inline constexpr std::uint64_t kTailRowsPerSecondMax = 100'000;
/// Batches that one reader may leave waiting; beyond it, gaps.
inline constexpr std::size_t kTailQueueBytes = std::size_t{8} << 20;
/// Committed batches that wait for a worker, of a tenant; beyond it they are read again from the store.
inline constexpr std::size_t kTailFeedBytes = std::size_t{64} << 20;
/// Beside the bytes of a batch that waits: its object, its lease, its place in a queue.
inline constexpr std::size_t kTailBatchOverheadBytes = 256;
/// Places of a reader's queue: gaps and missed ranges cost no batches, but are no reason to grow without end.
inline constexpr std::size_t kTailQueueItems = 4'096;
/// What all tails of a server hold together, unless its memory limit says less.
inline constexpr std::uint64_t kTailMemoryBytes = std::uint64_t{256} << 20;
/// Missed rows that are sent after all; the rest is one gap.
inline constexpr std::size_t kTailReplayRows = 10'000;
/// And their bytes, since each may be 4 MiB.
inline constexpr std::size_t kTailReplayBytes = std::size_t{32} << 20;
inline constexpr std::chrono::seconds kTailReplayTime{30};
/// What pipes of one tail may remember (dedup).
inline constexpr std::uint64_t kTailPipeBytes = std::uint64_t{16} << 20;
inline constexpr std::size_t kTailsPerTenant = 20;
/// Rows of a batch are copied out if they are fewer than one in this many: a batch of 8 MiB must not wait for one row.
inline constexpr std::size_t kTailCopyShare = 8;

}  // namespace dendro
