#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"

namespace dendro {

/// Decides whose query is worked at next, in front of the workers: each tenant waits in a line of its own, and the next
/// turn is that of the tenant with the fewest turns under way, of equals that which waited longest. So however many
/// queries one tenant sends, another's begins as soon as one turn ends. While several tenants ask, none gets the last
/// turn, so that the others need not wait for a long query either; a tenant that is alone gets all. Thread-safe.
class QueryTurns {
 public:
  struct Options {
    std::size_t turns_max = 2;      ///< under way at once: as many as there are workers
    std::size_t waiting_max = 256;  ///< of one tenant; a further one is refused
    std::size_t waiting_total_max = 1'024;
  };
  /// `clock` outlives this.
  QueryTurns(Options options, const Clock& clock) : options_(options), clock_(clock) {}
  QueryTurns(const QueryTurns&) = delete;
  QueryTurns& operator=(const QueryTurns&) = delete;

  /// A turn that is under way; it ends when this goes. May not outlive QueryTurns.
  class Turn {
   public:
    ~Turn() { owner_.end(tenant_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class QueryTurns;
    Turn(QueryTurns& owner, TenantId tenant) : owner_(owner), tenant_(std::move(tenant)) {}
    QueryTurns& owner_;
    const TenantId tenant_;
  };
  using Begin = std::function<void(std::shared_ptr<Turn>)>;

  /// Calls `begin` once it is the tenant's turn: now, or later on the thread whose turn ends. `begin` hands the work to
  /// the workers and does not block. Errors: resource_exhausted (too many wait; `begin` is then not called).
  Status enter(const TenantId& tenant, Begin begin);
  std::size_t waiting() const;

 private:
  struct Line {
    std::deque<std::pair<std::uint64_t, Begin>> waiting;  ///< with the number of their arrival
    std::size_t under_way = 0;
  };
  void end(const TenantId& tenant);
  void note_arrival_locked(const TenantId& tenant) DENDRO_REQUIRES(mutex_);
  /// The next that may begin; its turn is counted.
  std::pair<std::shared_ptr<Turn>, Begin> next_locked() DENDRO_REQUIRES(mutex_);
  std::shared_ptr<Turn> take_turn_locked(const TenantId& tenant) DENDRO_REQUIRES(mutex_);

  /// So long after two tenants asked a turn is kept free.
  static constexpr std::chrono::seconds kMixedFor{60};

  const Options options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<TenantId, Line> lines_ DENDRO_GUARDED_BY(mutex_);  ///< of tenants that wait or are under way
  std::size_t under_way_ DENDRO_GUARDED_BY(mutex_) = 0, waiting_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t arrivals_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::optional<TenantId> last_tenant_ DENDRO_GUARDED_BY(mutex_);
  std::optional<std::chrono::nanoseconds> mixed_until_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
