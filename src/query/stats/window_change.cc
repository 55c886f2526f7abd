#include "query/stats/window_change.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace dendro {
namespace {

constexpr double kSignificantBelow = 0.05;
constexpr double kEffectMin = 1;  ///< log2: twice, half
constexpr double kUnusualFrom = 3.5;
constexpr double kDeviationOfMad = 1.4826;  ///< of a normal distribution
constexpr std::uint64_t kExactTrialsMax = 1'000;

/// P(X >= hits) of X binomial: summed up to kExactTrialsMax, beyond by the normal distribution with correction for
/// continuity.
double upper_tail(std::uint64_t hits, std::uint64_t trials, double share) {
  if (hits == 0) return 1;
  const auto n = static_cast<double>(trials);
  const auto x = static_cast<double>(hits);
  if (trials > kExactTrialsMax) {
    const double z = (x - 0.5 - n * share) / std::sqrt(n * share * (1 - share));
    return 0.5 * std::erfc(z / std::sqrt(2.0));
  }
  // Each term from the one before.
  double term = std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) + x * std::log(share) +
                         (n - x) * std::log1p(-share));
  double sum = 0;
  for (std::uint64_t k = hits; k <= trials; ++k) {
    sum += term;
    term *= (n - static_cast<double>(k)) / (static_cast<double>(k) + 1) * share / (1 - share);
  }
  return std::min(sum, 1.0);
}

/// Of sorted numbers, at least one.
double median_of(const std::vector<double>& sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

bool is_usual(const WindowFinding& finding) {
  return finding.z && *finding.z < kUnusualFrom;
}

WindowChange change_of(const WindowCounts& counts, const WindowFinding& finding) {
  if (counts.now == 0 && counts.before == 0) return WindowChange::same;
  if (counts.before == 0 && !(counts.usual && counts.usual->was_seen)) return WindowChange::appeared;
  if (is_usual(finding)) return WindowChange::same;
  if (counts.now == 0) return WindowChange::gone;
  if (finding.q >= kSignificantBelow || std::fabs(finding.effect) < kEffectMin) return WindowChange::same;
  return finding.effect > 0 ? WindowChange::up : WindowChange::down;
}

}  // namespace

UsualCount UsualCount::of(std::vector<std::uint64_t> counts) {
  std::vector<double> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  UsualCount usual;
  usual.median = median_of(sorted);
  usual.was_seen = sorted.back() > 0;
  for (double& count : sorted) count = std::fabs(count - usual.median);
  std::sort(sorted.begin(), sorted.end());
  usual.deviation = std::max({kDeviationOfMad * median_of(sorted), std::sqrt(usual.median), 1.0});
  return usual;
}

std::string_view window_change_name(WindowChange change) {
  static constexpr std::array<std::string_view, 5> kNames = {"same", "new", "gone", "up", "down"};
  return kNames[static_cast<std::size_t>(change)];
}

WindowFinding test_window(const WindowCounts& counts, double share) {
  WindowFinding finding;
  const std::uint64_t total = counts.now + counts.before;
  finding.p =
      std::min(1.0, 2 * std::min(upper_tail(counts.now, total, share), upper_tail(counts.before, total, 1 - share)));
  const double expected = static_cast<double>(counts.before) * share / (1 - share);
  finding.effect = std::log2((static_cast<double>(counts.now) + 0.5) / (expected + 0.5));
  if (counts.usual)
    finding.z = std::fabs(static_cast<double>(counts.now) - counts.usual->median) / counts.usual->deviation;
  return finding;
}

void judge_windows(const std::vector<WindowCounts>& counts, const std::vector<std::size_t>& by_p,
                   std::vector<WindowFinding>& findings) {
  // From the greatest p down, the least of p * m / rank.
  double least = 1;
  for (std::size_t rank = by_p.size(); rank > 0; --rank) {
    WindowFinding& finding = findings[by_p[rank - 1]];
    least = std::min(least, finding.p * static_cast<double>(by_p.size()) / static_cast<double>(rank));
    finding.q = least;
  }
  for (std::size_t i = 0; i < counts.size(); ++i) findings[i].change = change_of(counts[i], findings[i]);
}

std::vector<WindowFinding> find_changes(const std::vector<WindowCounts>& counts, double share) {
  std::vector<WindowFinding> findings;
  findings.reserve(counts.size());
  for (const WindowCounts& one : counts) findings.push_back(test_window(one, share));
  std::vector<std::size_t> by_p(findings.size());
  std::iota(by_p.begin(), by_p.end(), std::size_t{0});
  std::sort(by_p.begin(), by_p.end(), [&](std::size_t a, std::size_t b) { return findings[a].p < findings[b].p; });
  judge_windows(counts, by_p, findings);
  return findings;
}

}  // namespace dendro
