#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "parse/analyze/count_types.h"

namespace dendro {

/// What one worker has counted so far. `offset` is where a record begins in the whole text, so that tallies of parts
/// that were read out of order still know which group came first; within one tally it never falls. Not thread-safe.
class LineTally {
 public:
  void add_line() { ++lines_; }
  void add_lines(std::uint64_t lines) { lines_ += lines; }
  void remove_lines(std::uint64_t lines) { lines_ -= lines; }
  void add_match(std::string_view group, std::uint64_t offset) { ++find_or_make(group, offset).count; }
  void skip(SkipReason reason, std::uint64_t lines = 1) { skipped_[static_cast<std::size_t>(reason)] += lines; }
  void merge(const LineTally& other);
  /// Figures so far, `bytes` left 0.
  CountResult result() const;

 private:
  struct Group {
    std::uint64_t count = 0;
    std::uint64_t first_offset = UINT64_MAX;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  Group& find_or_make(std::string_view group, std::uint64_t offset) {
    const auto found = groups_.find(group);
    if (found != groups_.end()) return found->second;
    return groups_.emplace(std::string(group), Group{0, offset}).first->second;
  }

  std::unordered_map<std::string, Group, TextHash, std::equal_to<>> groups_;
  std::uint64_t lines_ = 0;
  std::array<std::uint64_t, kSkipReasonCount> skipped_{};
};

}  // namespace dendro
