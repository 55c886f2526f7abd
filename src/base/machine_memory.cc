#include "base/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

namespace dendro {
namespace {

/// v1 writes "no limit" as a number near 2^63.
constexpr std::uint64_t kNoLimitFrom = std::uint64_t{1} << 60;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::uint64_t> parse_leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

void lower_to(std::uint64_t& bytes, std::optional<std::uint64_t> limit) {
  if (limit && (bytes == 0 || *limit < bytes)) bytes = *limit;
}

}  // namespace

std::optional<std::uint64_t> parse_memory_total(const std::string& meminfo) {
  constexpr std::string_view kName = "MemTotal:";
  const std::size_t found = meminfo.find(kName);
  if (found == std::string::npos) return std::nullopt;
  const auto kibibytes = parse_leading_number(std::string_view(meminfo).substr(found + kName.size()));
  if (!kibibytes) return std::nullopt;
  return *kibibytes * 1024;
}

std::optional<std::string> parse_unified_group(const std::string& cgroup) {
  std::size_t line = 0;
  while (line < cgroup.size()) {
    const std::size_t end = std::min(cgroup.find('\n', line), cgroup.size());
    if (cgroup.compare(line, 3, "0::") == 0) return cgroup.substr(line + 3, end - line - 3);
    line = end + 1;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_memory_limit(const std::string& text) {
  const auto number = parse_leading_number(text);
  if (!number || *number >= kNoLimitFrom) return std::nullopt;
  return number;
}

std::uint64_t machine_memory_bytes() {
  std::uint64_t bytes = 0;
  lower_to(bytes, parse_memory_total(read_text("/proc/meminfo")));
  if (auto group = parse_unified_group(read_text("/proc/self/cgroup"))) {
    // A group above may be the one that is limited; a container sees its own as "/".
    for (;;) {
      lower_to(bytes, parse_memory_limit(read_text("/sys/fs/cgroup" + *group + "/memory.max")));
      const std::size_t parent = group->rfind('/');
      if (group->empty() || parent == std::string::npos) break;
      group->resize(parent);
    }
  }
  lower_to(bytes, parse_memory_limit(read_text("/sys/fs/cgroup/memory/memory.limit_in_bytes")));
  return bytes;
}

}  // namespace dendro
