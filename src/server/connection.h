#pragma once

#include <memory>
#include <string>

#include "server/loop.h"
#include "server/profile.h"
#include "server/server_core.h"
#include "server/tls/tls_keeper.h"

namespace dendro {

/// An accepted socket on its way to a loop.
struct AcceptedSocket {
  int fd = -1;  ///< non-blocking; the connection owns it from now on
  bool is_v6 = false;
  std::string peer_address;
  Profile profile = Profile::platform;
  bool is_loopback = false;                  ///< of the listener
  std::string place = {};                    ///< under which it counts in `open_connections`
  std::shared_ptr<TlsKeeper> tls = nullptr;  ///< null: the listener speaks without TLS
};

/// Serves one connection until either side ends it. On the loop's thread. Keeps `core` and `loop` alive; the place in
/// `core->open_connections` and in `loop->connections()` was taken by the caller and is given back at the end.
void serve_connection(std::shared_ptr<ServerCore> core, std::shared_ptr<Loop> loop, LoopMetrics& metrics,
                      AcceptedSocket accepted);

}  // namespace dendro
