#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dendro {

/// What the same time of earlier weeks leads to expect.
struct UsualCount {
  double median = 0;
  double deviation = 1;   ///< 1.4826 MAD, at least the root of the median, and 1
  bool was_seen = false;  ///< in one of those weeks
  /// Of counts of windows as long as the later one; at least one.
  static UsualCount of(std::vector<std::uint64_t> counts);
};

/// What two windows say of one thing that was counted in both (diagnosis.md 5.3).
struct WindowCounts {
  std::uint64_t now = 0, before = 0;
  std::optional<UsualCount> usual = {};  ///< nothing: no earlier week is known
};

enum class WindowChange : std::uint8_t { same, appeared, gone, up, down };
/// "same", "new", "gone", "up", "down".
std::string_view window_change_name(WindowChange change);

struct WindowFinding {
  double p = 1;  ///< two-sided, of a binomial count of the total with the later window's share of the time
  double q = 1;  ///< p after Benjamini and Hochberg over all that was counted
  double effect =
      0;  ///< log2 of the count against what the earlier window leads to expect, half a record added to each
  std::optional<double> z;  ///< distance from what is usual, in deviations, without sign
  WindowChange change = WindowChange::same;
};

/// Its p, effect and z. Takes at most about a thousand steps.
/// @param share  of the later window in the length of both, in (0, 1)
WindowFinding test_window(const WindowCounts& counts, double share);

/// The rest, once all are tested: q and change. "up" and "down" need q < 0.05 and a doubling or halving; what stands in
/// one window only is new or gone whatever its q. Where the usual is known all of them but "new" also need a z of 3.5,
/// and nothing is new that was seen in one of those weeks.
/// @param by_p  places of `findings` by rising p
void judge_windows(const std::vector<WindowCounts>& counts, const std::vector<std::size_t>& by_p,
                   std::vector<WindowFinding>& findings);

/// Both, for each of `counts`. Pure.
std::vector<WindowFinding> find_changes(const std::vector<WindowCounts>& counts, double share);

}  // namespace dendro
