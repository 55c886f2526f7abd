#include "apps/memory_shares.h"

#include <algorithm>
#include <string>

#include "base/machine_memory.h"

namespace dendro {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLimitBytesMax = 8 * 1024 * kMiB;  // more is set by who wants it
constexpr std::uint64_t kLimitBytesMin = 128 * kMiB;
constexpr std::uint64_t kTailBytesMin = 8 * kMiB;  // the largest batch
constexpr std::uint64_t kMachineUnknownBytes = 1024 * kMiB;

void cap(std::uint64_t& bytes, std::uint64_t share) {
  bytes = std::min(bytes, share);
}

}  // namespace

std::uint64_t default_memory_limit(std::uint64_t machine_bytes) {
  if (machine_bytes == 0) machine_bytes = kMachineUnknownBytes;
  return std::clamp(machine_bytes / 10 * 4, kLimitBytesMin, kLimitBytesMax);
}

Status divide_memory(Settings& settings) {
  if (settings.memory_limit_bytes == 0) settings.memory_limit_bytes = default_memory_limit(machine_memory_bytes());
  const std::uint64_t limit = settings.memory_limit_bytes;
  if (limit < kLimitBytesMin) {
    return Error(ErrorCode::invalid_argument,
                 "memory.limit: " + std::to_string(limit) + " bytes are too little, at least 128MiB are needed");
  }
  // Intake, 40 %: bodies 8, records on their way to the journal 6, memtables 18, the flush's and the compaction's own
  // needs 8.
  cap(settings.server.limits.body_bytes_in_flight_max, limit / 100 * 8);
  cap(settings.store.queue_bytes_max, limit / 100 * 6);
  cap(settings.store.wal_backlog_bytes_max, limit / 100 * 18);
  cap(settings.store.memtable_bytes_max, settings.store.wal_backlog_bytes_max / 3);
  // Decoded columns, 21 %. Queries, 25 %. Live tails, 4 %. The rest is the program, connections, the allocator's slack.
  settings.store.block_cache_bytes = static_cast<std::size_t>(limit / 100 * 21);
  cap(settings.query_memory_bytes, limit / 4);
  cap(settings.tail_memory_bytes, std::max(limit / 100 * 4, kTailBytesMin));
  return {};
}

}  // namespace dendro
