#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace dendro {

/// What two windows say of one thing that was counted in both (diagnosis.md 5.3).
struct WindowCounts {
  std::uint64_t now = 0, before = 0;
};

enum class WindowChange : std::uint8_t { same, appeared, gone, up, down };
/// "same", "new", "gone", "up", "down".
std::string_view window_change_name(WindowChange change);

struct WindowFinding {
  double p = 1;  ///< two-sided, of a binomial count of the total with the later window's share of the time
  double q = 1;  ///< p after Benjamini and Hochberg over all that was counted
  double effect =
      0;  ///< log2 of the count against what the earlier window leads to expect, half a record added to each
  WindowChange change = WindowChange::same;
};

/// What changed, for each of `counts`. "up" and "down" need q < 0.05 and a doubling or halving; what stands in one
/// window only is new or gone whatever its q. Pure.
/// @param share  of the later window in the length of both, in (0, 1)
std::vector<WindowFinding> find_changes(const std::vector<WindowCounts>& counts, double share);

}  // namespace dendro
