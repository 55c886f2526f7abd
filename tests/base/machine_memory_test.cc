#include "base/machine_memory.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(MachineMemory, ReadsTheTotalOfMeminfo) {
  EXPECT_EQ(parse_memory_total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), 16384u * 1024);
  EXPECT_EQ(parse_memory_total("MemFree: 1 kB\n"), std::nullopt);
  EXPECT_EQ(parse_memory_total(""), std::nullopt);
}

TEST(MachineMemory, FindsTheUnifiedGroup) {
  EXPECT_EQ(parse_unified_group("0::/system.slice/dendro.service\n"), "/system.slice/dendro.service");
  EXPECT_EQ(parse_unified_group("12:memory:/docker/x\n0::/\n"), "/");
  EXPECT_EQ(parse_unified_group("12:memory:/docker/x\n"), std::nullopt);
}

TEST(MachineMemory, ReadsLimitsOfBothVersions) {
  EXPECT_EQ(parse_memory_limit("536870912\n"), 536870912u);
  EXPECT_EQ(parse_memory_limit("max\n"), std::nullopt);
  EXPECT_EQ(parse_memory_limit("9223372036854771712\n"), std::nullopt) << "how version 1 writes no limit";
  EXPECT_EQ(parse_memory_limit(""), std::nullopt);
}

TEST(MachineMemory, ThisMachineHasSome) {
  EXPECT_GT(machine_memory_bytes(), std::uint64_t{64} << 20);
}

}  // namespace
}  // namespace dendro
