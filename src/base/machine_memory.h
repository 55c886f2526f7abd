#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dendro {

/// Bytes of memory this process may use: what the machine has, or the least limit of its control group and those above
/// it. Reads /proc and /sys; 0 where neither says anything.
std::uint64_t machine_memory_bytes();

// What it reads, as text, for tests.

/// "MemTotal:       16384 kB" of /proc/meminfo.
std::optional<std::uint64_t> parse_memory_total(const std::string& meminfo);
/// The group of control groups v2 ("0::/system.slice/dendro.service") of /proc/self/cgroup; nothing under v1.
std::optional<std::string> parse_unified_group(const std::string& cgroup);
/// Content of memory.max ("max", or a number) or memory.limit_in_bytes; nothing: no limit.
std::optional<std::uint64_t> parse_memory_limit(const std::string& text);

}  // namespace dendro
