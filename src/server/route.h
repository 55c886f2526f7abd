#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "identity/permission.h"
#include "server/gate_refusal.h"
#include "server/http_message.h"
#include "server/profile.h"

namespace dendro {

/// Where a route's tenant comes from, once authentication is on.
enum class TenantRule : std::uint8_t {
  narrowed,  ///< the credential's; X-Tenant-ID (or `?tenant=`) chooses among several
  header,    ///< X-Tenant-ID must be there (the routes of S2, five-systems.md 4.1)
  none,      ///< the route is about no tenant, or its handler finds out which
  every,     ///< about the whole installation: the credential must hold every tenant
};

std::string_view tenant_rule_name(TenantRule rule);

/// What a call of a route is to the trail of uses (use_recording.h, docs/audit.md). Every row names one.
enum class RouteUse : std::uint8_t {
  undeclared,  ///< a fault of the row, which a test finds; recorded as a change
  none,        ///< shows and changes nothing of interest, or takes records in
  read,        ///< shows what is stored, or who may see it
  change,      ///< changes something other than by taking records in
  own,         ///< its handler records each use itself, whatever the settings say (the audit log service)
};
std::string_view route_use_name(RouteUse use);

enum class ParamPlace : std::uint8_t { query, path, header };

/// One parameter, for the OpenAPI document and the docs page. Checking is the handler's.
struct RouteParam {
  std::string name;
  ParamPlace place = ParamPlace::query;
  bool required = false;
  std::string schema_json;  ///< JSON Schema, e.g. {"type":"integer","minimum":0,"default":3}
  std::string description;
};

struct RouteReply {
  int status = 200;
  std::string description;
  std::string content_type;  ///< empty: no body
  std::string schema_json;   ///< JSON Schema or empty
  std::string example_json;  ///< empty: none
};

/// One row of the route table: what answers, where, for whom, and how it is described. The OpenAPI document and the
/// docs page are made from these rows and from nothing else.
struct Route {
  std::string method;  ///< GET answers HEAD too
  std::string path;    ///< "/api/v1/records/{id}"; fixed segments win over {names}
  ProfileSet on = 0;
  Permission permission = Permission::open;
  TenantRule tenant_rule = TenantRule::narrowed;
  RouteUse use = RouteUse::undeclared;  ///< of routes whose permission is not `open`
  /// The handler shows a caller only the rows and fields that its roles let through. Callers whose roles restrict them
  /// are refused everywhere else where records are read.
  bool honours_restrictions = false;
  std::string operation_id;  ///< unique, snake_case
  std::string group;         ///< heading on the docs page: "Ingest", "Search", ...
  std::string summary;       ///< one line
  std::string description;   ///< Markdown paragraphs, may be empty
  std::vector<RouteParam> params;
  std::string request_content_type;  ///< empty: takes no body
  std::string request_schema_json;
  std::string request_example;
  std::vector<RouteReply> replies;
  ErrorShape errors = ErrorShape::by_profile;
  std::uint64_t body_bytes_max = std::uint64_t{1} << 20;  ///< decompressed; over it: 413
  std::string too_large_text;                             ///< `detail` of that 413; empty: one that names the limit
  /// Any origin may call it where the listener's profile is `ingest` (five-systems.md 3.3); OPTIONS answers 204 there.
  bool cors_on_ingest = false;
  /// Set where a WebSocket is taken. A browser sees nothing of a refused handshake, so a refusal of the caller
  /// (credential, tenant, right) is said over the WebSocket: this makes the reply instead of `handler`.
  std::function<HttpResponse(const HttpRequest&, const GateRefusal&)> refuse_web_socket;
  HttpHandler handler;
};

/// All that answers, in any order. HttpServer::start checks it: no two rows for one method and path on one profile.
using RouteTable = std::vector<Route>;

/// Runs `work` on the pool and hands its response on, unless the peer went away meanwhile; a full pool answers 429 or
/// 503 by itself in the route's error shape.
HttpHandler on_workers(WorkerPool& pool, std::function<HttpResponse(const HttpRequest&)> work);

/// What some errors say beside their text.
struct ErrorExtras {
  std::string_view errors_json;     ///< the array of field faults, or empty
  std::string_view required_roles;  ///< "admin, writer", or empty
};

/// The body of an error in a shape. Adds Retry-After to 429 (1 s), 503 (5 s) and 507 (30 s).
HttpResponse error_response(ErrorShape shape, int status, std::string_view code, std::string_view detail,
                            std::string_view request_id, const ErrorExtras& extras = {});
/// The same of an Error: status by the table of base/error.h; texts of corruption, io_error and
/// internal are replaced by a fixed sentence and written to the own log with the request id.
HttpResponse error_response(ErrorShape shape, const Error& error, std::string_view request_id);

}  // namespace dendro
