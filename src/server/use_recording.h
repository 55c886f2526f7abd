#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "server/access_gate.h"
#include "server/refusal_budget.h"
#include "server/route.h"
#include "services/audit/access_trail.h"

namespace dendro {

/// Which uses of native routes the trail has (`audit.trail`).
enum class TrailMode : std::uint8_t {
  automatic,  ///< all while callers must show a credential; none while nobody is asked who they are
  all,
  changes,
  off,
};

/// Records who used what by native routes (docs/decisions/0035). Thread-safe.
class UseRecording {
 public:
  struct Parts {
    AccessRecorder& recorder;
    const Clock& clock;
    TrailMode mode = TrailMode::automatic;
    std::function<bool()> asks_callers = {};  ///< absent: nobody is asked
    /// Whether an entry could be stored: a change that could not be recorded is not made. Absent: always.
    std::function<Status()> can_record = {};
  };
  /// All of `parts` outlives this.
  explicit UseRecording(Parts parts) : parts_(std::move(parts)) {}

  bool records(RouteUse use) const;
  /// The handler of such a route, each use of it durable in the trail before its reply leaves:
  /// a read that was answered (below 400, or 404), forbidden (403) or failed (from 500 on); a change whatever became of
  /// it. An error instead of the reply if the entry could not be stored.
  static HttpHandler recorded(std::shared_ptr<UseRecording> self, RouteUse use, std::string action,
                              HttpHandler handler);
  /// For what a stream is asked once it is open: `entry` with another query. `done` as AccessRecorder::record, at once
  /// if uses are not recorded.
  void record_query(AccessEntry entry, std::string_view query, std::function<void(Status)> done) const;
  /// Into the trail of the tenant that the caller belongs to, or of `default` where it is not known, as far as the
  /// budget goes. The reply does not wait for it.
  void record_refusal(const RefusedUse& refused);
  std::uint64_t refusals_left_out() const { return budget_.left_out_total(); }

 private:
  bool is_on(RouteUse use) const;

  const Parts parts_;
  RefusalBudget budget_;
};

/// Puts every row that shows or changes something behind the recording. Rows that record themselves stay as they are.
void record_uses(RouteTable& routes, const std::shared_ptr<UseRecording>& recording);

/// What an entry of a native route says, its outcome aside.
AccessEntry use_entry_of(const HttpRequest& request, std::string_view action);

}  // namespace dendro
