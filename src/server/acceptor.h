#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "server/connection.h"
#include "server/listener_spec.h"
#include "server/loop.h"
#include "server/server_core.h"

namespace dendro {

/// One listening socket. It lives on one loop and gives each connection to the loop with the fewest: SO_REUSEPORT would
/// spread few connections badly (stack.md 3.2 (7)) and would hide that another process holds the port.
class Acceptor {
 public:
  /// Binds and listens; nothing is accepted before `start`.
  /// Errors: unavailable (port in use, address not of this machine), permission_denied (port below 1024), io_error.
  static Result<std::unique_ptr<Acceptor>> open(const ListenerSpec& spec, std::shared_ptr<Loop> home);
  ~Acceptor();

  /// The address with the port really taken.
  const ListenerSpec& bound() const;
  /// `take` is called on the home loop with each accepted socket. Call before the loop runs.
  void start(std::function<void(AcceptedSocket)> take);
  /// Takes what still waits in the kernel's queue, then closes. On the home loop's thread.
  void stop();

 private:
  class Impl;
  explicit Acceptor(std::unique_ptr<Impl> impl);
  const std::shared_ptr<Impl> impl_;
};

}  // namespace dendro
