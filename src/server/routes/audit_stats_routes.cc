#include <utility>

#include "base/json_writer.h"
#include "server/routes/audit_access.h"
#include "server/routes/audit_params.h"
#include "server/routes/audit_reply.h"
#include "server/routes/audit_routes.h"
#include "server/routes/caller_restriction.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

constexpr std::int64_t kDailyDaysDefault = 7;

/// "2026-01-31".
std::string date_text(Timestamp day) {
  constexpr std::size_t kDateBytes = 10;
  return to_rfc3339(day, 0).substr(0, kDateBytes);
}

void append_by_severity(JsonWriter& json, const AuditStats& stats) {
  json.begin_object();
  for (std::size_t i = 0; i < kAuditSeverityCount; ++i) {
    json.member(audit_severity_name(static_cast<AuditSeverity>(i)), stats.by_severity[i]);
  }
  json.end_object();
}

void append_by_action(JsonWriter& json, const AuditStats& stats) {
  json.begin_object();
  for (std::size_t i = 0; i < kAuditActionCount; ++i) {
    json.member(audit_action_name(static_cast<AuditAction>(i)), stats.by_action[i]);
  }
  json.end_object();
}

void append_days(JsonWriter& json, const std::map<Timestamp, std::uint64_t>& days) {
  json.begin_array();
  for (const auto& [day, count] : days) {
    json.begin_object();
    json.member("date", date_text(day));
    json.member("count", count);
    json.end_object();
  }
  json.end_array();
}

HttpResponse stats_reply(std::string body, const AuditStats& stats) {
  HttpResponse response = json_response(200, std::move(body));
  if (!stats.is_complete) response.headers.add("X-Dendro-Incomplete", "damaged");
  return response;
}

HttpResponse all_stats(AuditStore& store, const HttpRequest& request) {
  FieldFaults faults;
  const AuditFilter filter = audit_filter_of(request, faults);
  if (!faults.empty()) return audit_fault_reply(request, faults);
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  const auto stats = store.stats(*reader, filter, {true, true, true, true}, request.cancel);
  if (!stats) return audit_error_reply(request, stats.error());
  std::string data;
  JsonWriter json(data);
  json.begin_object();
  json.member("total", stats->total);
  json.key("by_severity");
  append_by_severity(json, *stats);
  json.key("by_action");
  append_by_action(json, *stats);
  json.key("by_resource_type");
  json.begin_object();
  for (const auto& [type, count] : stats->by_resource_type) json.member(type, count);
  json.end_object();
  json.key("daily");
  append_days(json, stats->by_day);
  json.end_object();
  return stats_reply(R"({"data":)" + data + R"(,"meta":null})", *stats);
}

HttpResponse count_logs(AuditStore& store, const HttpRequest& request) {
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  const auto stats = store.stats(*reader, {}, {}, request.cancel);
  if (!stats) return audit_error_reply(request, stats.error());
  return stats_reply(R"({"data":{"count":)" + std::to_string(stats->total) + "}}", *stats);
}

HttpResponse count_by_severity(AuditStore& store, const HttpRequest& request) {
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  const auto stats = store.stats(*reader, {}, {.severity = true}, request.cancel);
  if (!stats) return audit_error_reply(request, stats.error());
  std::string data;
  JsonWriter json(data);
  append_by_severity(json, *stats);
  return stats_reply(R"({"data":)" + data + R"(,"meta":null})", *stats);
}

HttpResponse count_by_action(AuditStore& store, const HttpRequest& request) {
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  const auto stats = store.stats(*reader, {}, {.action = true}, request.cancel);
  if (!stats) return audit_error_reply(request, stats.error());
  std::string data;
  JsonWriter json(data);
  append_by_action(json, *stats);
  return stats_reply(R"({"data":)" + data + R"(,"meta":null})", *stats);
}

/// So many UTC days up to today, those without logs too.
HttpResponse count_by_day(AuditStore& store, const HttpRequest& request) {
  FieldFaults faults;
  const std::int64_t days = audit_number(request, "days", 1, kAuditDailyDaysMax, faults).value_or(kDailyDaysDefault);
  if (!faults.empty()) return audit_fault_reply(request, faults);
  const Timestamp today = day_start(request.received);
  AuditFilter filter;
  filter.start = Timestamp(today.number() - (days - 1) * kNanosPerDay);
  filter.end = Timestamp(today.number() + kNanosPerDay - 1);
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  const auto stats = store.stats(*reader, filter, {.day = true}, request.cancel);
  if (!stats) return audit_error_reply(request, stats.error());
  std::map<Timestamp, std::uint64_t> counts = stats->by_day;
  for (std::int64_t day = 0; day < days; ++day) counts[Timestamp(filter.start->number() + day * kNanosPerDay)];
  std::string data;
  JsonWriter json(data);
  append_days(json, counts);
  return stats_reply(R"({"data":)" + data + R"(,"meta":null})", *stats);
}

Route stats_route(const AuditRouteParts& parts, const std::string& path, std::string operation_id, std::string summary,
                  std::string example, HttpResponse (*answer)(AuditStore& store, const HttpRequest& request)) {
  Route route =
      audit_route("GET", parts.api_prefix + path, std::move(operation_id), std::move(summary), Permission::stats);
  route.honours_restrictions = true;
  route.use = RouteUse::own;
  route.replies = {{200, "The counts.", "application/json", {}, std::move(example)}};
  route.handler = on_workers_recorded(
      parts.workers, parts.trail, route.operation_id,
      [&store = parts.store, answer](const HttpRequest& request) { return answer(store, request); });
  return route;
}

}  // namespace

std::vector<Route> make_audit_stats_routes(const AuditRouteParts& parts) {
  constexpr const char* kSeverities = R"({"INFO":4,"WARNING":0,"ERROR":1,"CRITICAL":0})";
  constexpr const char* kActions =
      R"({"CREATE":2,"UPDATE":3,"DELETE":0,"VIEW":0,"LOGIN":0,"LOGOUT":0,"IMPORT":0,"EXPORT":0,"READ":0})";
  constexpr const char* kDays = R"([{"date":"2026-01-31","count":5}])";
  std::vector<Route> routes;
  routes.push_back(stats_route(parts, "/logs/stats", "log_stats", "Count audit logs in every way",
                               std::string(R"({"data":{"total":5,"by_severity":)") + kSeverities + R"(,"by_action":)" +
                                   kActions + R"(,"by_resource_type":{"user":5},"daily":)" + kDays +
                                   R"(},"meta":null})",
                               all_stats));
  routes.back().description =
      "Of the logs that the filters keep. `daily` has the UTC days on which there are some, the first one first.";
  add_filter_params(routes.back());
  routes.back().replies.push_back(audit_fault_doc());
  routes.push_back(
      stats_route(parts, "/stats/count", "count_logs", "Count audit logs", R"({"data":{"count":5}})", count_logs));
  routes.push_back(stats_route(parts, "/stats/by-severity", "count_logs_by_severity", "Count audit logs by severity",
                               std::string(R"({"data":)") + kSeverities + R"(,"meta":null})", count_by_severity));
  routes.push_back(stats_route(parts, "/stats/by-action", "count_logs_by_action", "Count audit logs by action",
                               std::string(R"({"data":)") + kActions + R"(,"meta":null})", count_by_action));
  routes.push_back(stats_route(parts, "/stats/daily", "count_logs_by_day", "Count audit logs by UTC day",
                               std::string(R"({"data":)") + kDays + R"(,"meta":null})", count_by_day));
  routes.back().params.push_back(
      audit_param("days", R"({"type":"integer","minimum":1,"maximum":30,"default":7})", "So many days up to today."));
  routes.back().replies.push_back(audit_fault_doc());
  return routes;
}

}  // namespace dendro
