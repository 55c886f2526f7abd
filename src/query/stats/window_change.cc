#include "query/stats/window_change.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace dendro {
namespace {

constexpr double kSignificantBelow = 0.05;
constexpr double kEffectMin = 1;  ///< log2: twice, half
constexpr std::uint64_t kExactTrialsMax = 1'000;

/// P(X >= hits) of X binomial: summed up to kExactTrialsMax, beyond by the normal distribution with correction for
/// continuity.
double upper_tail(std::uint64_t hits, std::uint64_t trials, double share) {
  if (hits == 0) return 1;
  const auto n = static_cast<double>(trials);
  if (trials > kExactTrialsMax) {
    const double z = (static_cast<double>(hits) - 0.5 - n * share) / std::sqrt(n * share * (1 - share));
    return 0.5 * std::erfc(z / std::sqrt(2.0));
  }
  double sum = 0;
  for (std::uint64_t k = hits; k <= trials; ++k) {
    const auto x = static_cast<double>(k);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) + x * std::log(share) +
                    (n - x) * std::log1p(-share));
  }
  return std::min(sum, 1.0);
}

WindowFinding finding_of(const WindowCounts& counts, double share) {
  WindowFinding finding;
  const std::uint64_t total = counts.now + counts.before;
  finding.p =
      std::min(1.0, 2 * std::min(upper_tail(counts.now, total, share), upper_tail(counts.before, total, 1 - share)));
  const double expected = static_cast<double>(counts.before) * share / (1 - share);
  finding.effect = std::log2((static_cast<double>(counts.now) + 0.5) / (expected + 0.5));
  return finding;
}

/// From the greatest p down, the least of p * m / rank.
void adjust(std::vector<WindowFinding>& findings) {
  std::vector<std::size_t> by_p(findings.size());
  std::iota(by_p.begin(), by_p.end(), std::size_t{0});
  std::sort(by_p.begin(), by_p.end(), [&](std::size_t a, std::size_t b) { return findings[a].p < findings[b].p; });
  double least = 1;
  for (std::size_t rank = by_p.size(); rank > 0; --rank) {
    WindowFinding& finding = findings[by_p[rank - 1]];
    least = std::min(least, finding.p * static_cast<double>(findings.size()) / static_cast<double>(rank));
    finding.q = least;
  }
}

WindowChange change_of(const WindowCounts& counts, const WindowFinding& finding) {
  if (counts.before == 0) return counts.now == 0 ? WindowChange::same : WindowChange::appeared;
  if (counts.now == 0) return WindowChange::gone;
  if (finding.q >= kSignificantBelow || std::fabs(finding.effect) < kEffectMin) return WindowChange::same;
  return finding.effect > 0 ? WindowChange::up : WindowChange::down;
}

}  // namespace

std::string_view window_change_name(WindowChange change) {
  static constexpr std::array<std::string_view, 5> kNames = {"same", "new", "gone", "up", "down"};
  return kNames[static_cast<std::size_t>(change)];
}

std::vector<WindowFinding> find_changes(const std::vector<WindowCounts>& counts, double share) {
  std::vector<WindowFinding> findings;
  findings.reserve(counts.size());
  for (const WindowCounts& one : counts) findings.push_back(finding_of(one, share));
  adjust(findings);
  for (std::size_t i = 0; i < counts.size(); ++i) findings[i].change = change_of(counts[i], findings[i]);
  return findings;
}

}  // namespace dendro
