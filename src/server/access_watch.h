#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/worker_pool.h"
#include "identity/authenticator.h"

namespace dendro {

/// Whether the caller of a stream that stays open may still have it. Looks again, on a worker, when something changed
/// about credentials and when the principal's time is over. Of the loop's thread; held by shared_ptr.
class AccessWatch : public std::enable_shared_from_this<AccessWatch> {
 public:
  /// `post` runs its argument on the loop's thread, or never if the loop is gone; `lost` is called there, once.
  AccessWatch(Authenticator& authenticator, WorkerPool& workers, Credential credential, PrincipalPtr principal,
              std::function<void(std::function<void()>)> post, std::function<void()> lost);
  AccessWatch(const AccessWatch&) = delete;
  AccessWatch& operator=(const AccessWatch&) = delete;

  /// Call it every second or so.
  void sweep(Timestamp now);

 private:
  void look();
  void answer(bool holds);

  Authenticator& authenticator_;
  WorkerPool& workers_;
  const Credential credential_;
  const PrincipalPtr principal_;
  const std::function<void(std::function<void()>)> post_;
  std::function<void()> lost_;  // empty once called
  std::uint64_t seen_generation_;
  bool is_looking_ = false;
};

}  // namespace dendro
