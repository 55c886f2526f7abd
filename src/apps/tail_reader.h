#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "apps/tail_printer.h"
#include "base/cancel.h"
#include "io/http_client.h"

namespace dendro {

struct TailCall {
  std::string url;    ///< of the server, without a slash at the end
  std::string token;  ///< Bearer token, or empty
  std::string query;
  std::string since;  ///< cursor, or empty
  CancelToken cancel;
};

struct TailOutcome {
  int exit_code = 0;
  std::string failure;  ///< empty: nothing to tell
};

/// Follows a query until it is cancelled, its reader leaves, or the server says that it is over. A connection that
/// breaks, and a server that restarts, are tried again where the last frame ended; `wait` sleeps in between and returns
/// false once there is no point in going on. Blocks.
TailOutcome follow_tail(HttpClient& client, TailCall call, TailPrinter& printer, std::FILE* err,
                        const std::function<bool(std::chrono::milliseconds)>& wait);

}  // namespace dendro
