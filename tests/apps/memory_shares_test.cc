#include "apps/memory_shares.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(MemoryShares, TakesFortyPercentOfTheMachineUpToEightGiB) {
  EXPECT_EQ(default_memory_limit(1000 * kMiB), 400 * kMiB);
  EXPECT_EQ(default_memory_limit(std::uint64_t{1} << 40), 8192 * kMiB);
  EXPECT_EQ(default_memory_limit(64 * kMiB), 128 * kMiB) << "less than the least is of no use";
}

TEST(MemoryShares, SharesTogetherStayWithinTheLimit) {
  for (const std::uint64_t limit : {128 * kMiB, 512 * kMiB, 8192 * kMiB}) {
    Settings settings;
    settings.memory_limit_bytes = limit;
    ASSERT_TRUE(divide_memory(settings).has_value());
    const std::uint64_t sum = settings.server.limits.body_bytes_in_flight_max + settings.store.queue_bytes_max +
                              settings.store.wal_backlog_bytes_max + settings.store.block_cache_bytes +
                              settings.query_memory_bytes + settings.tail_memory_bytes;
    EXPECT_LE(sum, limit);
    EXPECT_LE(settings.store.memtable_bytes_max * 3, settings.store.wal_backlog_bytes_max);
  }
}

TEST(MemoryShares, TailsHaveTheirShareAndEnoughForABatch) {
  const auto share = [](std::uint64_t limit) {
    Settings settings;
    settings.memory_limit_bytes = limit;
    EXPECT_TRUE(divide_memory(settings).has_value());
    return settings.tail_memory_bytes;
  };
  EXPECT_EQ(share(1000 * kMiB), 40 * kMiB);
  EXPECT_EQ(share(128 * kMiB), 8 * kMiB);
  EXPECT_EQ(share(8192 * kMiB), 256 * kMiB);
}

TEST(MemoryShares, ASmallerBoundOfItsOwnStays) {
  Settings settings;
  settings.memory_limit_bytes = 8192 * kMiB;
  settings.store.memtable_bytes_max = kMiB;
  ASSERT_TRUE(divide_memory(settings).has_value());
  EXPECT_EQ(settings.store.memtable_bytes_max, kMiB);
  EXPECT_EQ(settings.store.queue_bytes_max, 256 * kMiB);
}

TEST(MemoryShares, RefusesTooLittle) {
  Settings settings;
  settings.memory_limit_bytes = 100 * kMiB;
  const Status divided = divide_memory(settings);
  ASSERT_FALSE(divided.has_value());
  EXPECT_NE(divided.error().message().find("memory.limit"), std::string::npos);
}

}  // namespace
}  // namespace dendro
