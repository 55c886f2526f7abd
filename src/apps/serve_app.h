#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/settings.h"
#include "base/result.h"

namespace dendro {

/// The parts of `dendro serve`, joined: store, workers, routes, listeners. One thread starts and stops it.
class ServeApp {
 public:
  /// Errors: invalid_argument, unimplemented (listeners, safety rules, a profile not built), those of Store::open and
  /// HttpServer::start.
  static Result<std::unique_ptr<ServeApp>> start(const Settings& settings);
  ~ServeApp();

  /// "listening on 127.0.0.1:41234 (platform)", one a listener, with the ports really taken.
  std::vector<std::string> listening_lines() const;
  /// Answers what is in flight, syncs, lets the folder go. A second call does nothing.
  void stop();

 private:
  struct Parts;
  explicit ServeApp(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace dendro
