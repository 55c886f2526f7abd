#pragma once

#include <chrono>
#include <cstddef>

namespace dendro {

/// A shorter interval would ask the same minute again and again.
inline constexpr std::chrono::seconds kAlertEveryMin{10};
inline constexpr std::chrono::seconds kAlertEveryMax{86'400};
inline constexpr std::chrono::seconds kAlertRangeMax{86'400 * 31};
inline constexpr int kAlertNewDaysMax = 365;
/// Label sets of a rule that can be active at once: a rule that finds more is asked wrongly.
inline constexpr std::size_t kAlertSeriesMax = 1'000;
/// Alerts of one message; more take several.
inline constexpr std::size_t kAlertsOfAMessageMax = 50;
inline constexpr std::size_t kAlertMessageBytesMax = std::size_t{128} << 10;
inline constexpr std::size_t kAlertLabelBytesMax = 1'024;
inline constexpr std::size_t kAlertLabelsMax = 32;
inline constexpr std::size_t kAlertNameBytesMax = 200;
inline constexpr std::size_t kAlertQueryBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kAlertReceiversMax = 20;
/// An alert that goes on firing is told again.
inline constexpr std::chrono::hours kAlertRepeatInterval{4};
/// A resolved one is shown for so long.
inline constexpr std::chrono::minutes kAlertResolvedShown{15};
/// Evaluations that were missed (a restart, a busy server) and are made up for, the latest ones.
inline constexpr int kAlertMissedMax = 60;
/// Evaluations at work at a time.
inline constexpr std::size_t kAlertsAtWorkMax = 2;

}  // namespace dendro
