#include <utility>

#include "base/json_writer.h"
#include "server/routes/audit_access.h"
#include "server/routes/audit_params.h"
#include "server/routes/audit_reply.h"
#include "server/routes/audit_routes.h"
#include "services/audit/audit_retention.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

constexpr std::int64_t kIndexLimitMax = 1'000;

HttpResponse delete_old_logs(AuditStore& store, const HttpRequest& request) {
  FieldFaults faults;
  const auto days = audit_number(request, "days", 1, kAuditCleanupDaysMax, faults);
  if (!days && faults.empty()) faults.push_back({"query", {}, "days", "Field required", "missing"});
  const bool is_dry_run = audit_truth(request, "dry_run", faults);
  if (!faults.empty()) return audit_fault_reply(request, faults);
  const Timestamp cutoff = floor_to_micros(audit_cutoff(request.received, *days));
  const auto count = is_dry_run ? store.count_older(request.tenant, cutoff, request.cancel)
                                : store.delete_older(request.tenant, cutoff);
  if (!count) return audit_error_reply(request, count.error());
  std::string data;
  JsonWriter json(data);
  json.begin_object();
  json.member("message", std::string(is_dry_run ? "Would delete" : "Deleted") + " logs older than " +
                             std::to_string(*days) + " days");
  json.member("deleted_count", *count);
  json.member("opensearch_deleted", 0);
  json.key("opensearch_error");
  json.null();
  json.member("cutoff_date", audit_time_text(cutoff));
  json.end_object();
  return audit_data_reply(200, data);
}

/// The engine is its own index: there is never anything left to do.
HttpResponse index_logs(const HttpRequest& request) {
  FieldFaults faults;
  const AuditParam param = [&request](std::string_view name) -> std::optional<std::string> {
    const bool is_time = name == "start_time" || name == "end_time";
    const auto value = is_time ? request.query_param(name) : std::nullopt;
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  read_audit_filter(param, "query", faults);
  audit_number(request, "limit", 1, kIndexLimitMax, faults);
  if (!faults.empty()) return audit_fault_reply(request, faults);
  return audit_data_reply(200, R"({"message":"No logs found to index","count":0})");
}

Route cleanup_route(const AuditRouteParts& parts, const std::string& path, std::string operation_id) {
  Route route = audit_route("DELETE", parts.api_prefix + path, std::move(operation_id), "Delete old audit logs",
                            Permission::delete_old);
  route.use = RouteUse::own;
  route.description =
      "Deletes the tenant's logs that are older than so many days. When the reply leaves no reader sees them any more; "
      "compaction takes them out of the files. With `dry_run` they are only counted.";
  route.params.push_back(
      audit_param("days", R"({"type":"integer","minimum":1,"maximum":36500})", "Age of what goes.", true));
  route.params.push_back(audit_param("dry_run", R"({"type":"boolean","default":false})", "Count only."));
  route.replies = {{200,
                    "Done.",
                    "application/json",
                    {},
                    R"({"data":{"message":"Deleted logs older than 30 days","deleted_count":7,"opensearch_deleted":0,)"
                    R"("opensearch_error":null,"cutoff_date":"2026-01-01T10:00:00.000000Z"},"meta":null})"},
                   audit_fault_doc()};
  route.handler = on_workers_recorded(
      parts.workers, parts.trail, route.operation_id,
      [&store = parts.store](const HttpRequest& request) { return delete_old_logs(store, request); });
  return route;
}

Route index_route(const AuditRouteParts& parts) {
  Route route = audit_route("POST", parts.api_prefix + "/logs/index/bulk", "index_logs", "Index stored audit logs",
                            Permission::index);
  route.use = RouteUse::none;
  route.description =
      "For stores with an index beside them. The embedded engine is its own: nothing is ever left to index.";
  route.params.push_back(audit_param("start_time", R"({"type":"string","format":"date-time"})", "From then on."));
  route.params.push_back(audit_param("end_time", R"({"type":"string","format":"date-time"})", "Up to then, included."));
  route.params.push_back(
      audit_param("limit", R"({"type":"integer","minimum":1,"maximum":1000,"default":100})", "Logs at most."));
  route.replies = {{200,
                    "Nothing to do.",
                    "application/json",
                    {},
                    R"({"data":{"message":"No logs found to index","count":0},"meta":null})"},
                   audit_fault_doc()};
  route.handler = [](const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
    respond(index_logs(*request));
  };
  return route;
}

}  // namespace

std::vector<Route> make_audit_cleanup_routes(const AuditRouteParts& parts) {
  std::vector<Route> routes;
  routes.push_back(cleanup_route(parts, "/logs", "delete_old_logs"));
  routes.push_back(cleanup_route(parts, "/logs/cleanup", "cleanup_logs"));
  routes.push_back(index_route(parts));
  return routes;
}

}  // namespace dendro
