#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/route.h"
#include "server/server_metrics.h"

namespace dendro {

/// One backend's answer to "can you work?".
struct Readiness {
  std::string name;  ///< "store"
  bool is_ok = true;
  std::string text;  ///< what is wrong, without internals; may be empty
};

/// State of recording access records (five-systems.md 1.3).
struct AccessHealth {
  bool is_healthy = true;
  std::optional<std::uint64_t> count = 0;  ///< nothing: not known
};

/// What the system routes ask. The callbacks run on loop threads: they must be thread-safe and must not block. An empty
/// one means: nothing to say.
struct SystemParts {
  std::string version = {};
  std::string commit = {};
  std::string api_prefix = "/api/v1";      ///< its `docs` and `openapi.json` are those of `platform` and `audit`
  std::string project_name = "dendro";     ///< in the welcome of `audit`
  const ServerMetrics* metrics = nullptr;  ///< outlives the routes
  std::function<std::vector<Readiness>()> readiness = {};
  std::function<AccessHealth()> access_health = {};
  std::function<void(std::string& out)> more_metrics = {};  ///< appends Prometheus text
};

/// Adds health, readiness, version, metrics, `/` of `platform` and `audit`, the OpenAPI document and the docs page.
/// Call it last: the documents are made from the rows that are there then, these included.
void add_system_routes(RouteTable& routes, SystemParts parts);

}  // namespace dendro
