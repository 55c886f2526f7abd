// Routes about deletions by query.
#include "base/json_writer.h"
#include "server/routes/admin_body.h"
#include "server/routes/admin_routes.h"
#include "server/routes/query_problem.h"

namespace dendro {
namespace {

/// Room for a query of 64 KiB with escapes, and the other members.
constexpr std::uint64_t kDeletionBodyBytesMax = std::uint64_t{512} << 10;

HttpResponse deletion_problem(const Error& error, const QueryFault& fault, const std::string& request_id) {
  return fault.message.empty() ? error_response(ErrorShape::problem, error, request_id)
                               : query_problem(fault, request_id);
}

HttpResponse count_response(const DeletionCount& count) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("matched", count.matched);
  json.member("complete", count.complete);
  json.end_object();
  return json_response(200, std::move(body));
}

HttpResponse started_response(const StartedDeletion& started) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("deletion_id", std::to_string(started.id.number()));
  json.member("matched", started.count.matched);
  json.member("complete", started.count.complete);
  json.end_object();
  return json_response(202, std::move(body));
}

HttpResponse answer_deletion(DeletionLog& deletions, const HttpRequest& request) {
  const auto problem = [&request](const Error& error) {
    return error_response(ErrorShape::problem, error, request.request_id);
  };
  const Result<AdminBody> body = AdminBody::read(request, {"query", "start", "end"}, {"dry_run"});
  if (!body) return problem(body.error());
  QueryFault fault;
  const Result<PreparedDeletion> deletion =
      prepare_deletion({body->text("query"), body->text("start"), body->text("end"), request.received}, fault);
  if (!deletion) return deletion_problem(deletion.error(), fault, request.request_id);
  if (body->truth("dry_run")) {
    const Result<DeletionCount> count = deletions.count(request.tenant, *deletion, request.cancel);
    return count ? count_response(*count) : problem(count.error());
  }
  const Result<StartedDeletion> started = deletions.start(request.tenant, *deletion, request.cancel);
  return started ? started_response(*started) : problem(started.error());
}

void write_deletion(JsonWriter& json, const DeletionStatus& status) {
  const auto time = [&json](std::string_view name, Timestamp at, Timestamp unknown) {
    if (at == unknown) return;
    json.member(name, to_rfc3339(at));
  };
  json.begin_object();
  json.member("id", std::to_string(status.id.number()));
  json.member("query", status.query);
  time("start", status.range.first, kTimestampMin);
  time("end", status.range.last, kTimestampMax);
  time("created", status.created, Timestamp());
  json.member("origin", status.origin == TombstoneOrigin::retention_rule ? "retention_rule" : "request");
  json.member("state", status.is_done ? "done" : "pending");
  json.end_object();
}

HttpResponse list_deletions(const DeletionLog& deletions, const HttpRequest& request) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const DeletionStatus& status : deletions.list(request.tenant)) write_deletion(json, status);
  json.end_array();
  json.end_object();
  return json_response(200, std::move(body));
}

Route delete_route(WorkerPool& pool, AdminService& admin) {
  Route route = admin_route("POST", "/api/v1/admin/delete", "delete_records", "Delete records that match a filter");
  route.use = RouteUse::change;
  route.tenant_rule = TenantRule::narrowed;
  route.description =
      "What a query with this filter and range shows now is deleted: at once for queries, and from the files as they "
      "are "
      "rewritten. Records that come later stay. There is no way back. With `dry_run` nothing is deleted: the answer "
      "says how many match. `complete` is false where a part of the store cannot be read.";
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object","required":["query"],"properties":{"query":{"type":"string","maxLength":65536,)"
      R"("description":"a filter, without pipes; * is everything"},"start":{"type":"string"},"end":{"type":"string"},)"
      R"("dry_run":{"type":"boolean","default":false}}})";
  route.request_example = R"({"query":"{service=\"shop\"} card_number:*","end":"now-1h","dry_run":true})";
  route.replies = {
      {200, "`dry_run`: how many records match.", "application/json", {}, R"({"matched":1204,"complete":true})"},
      {202,
       "Deleted for every query from now on, durably.",
       "application/json",
       {},
       R"({"deletion_id":"17","matched":1204,"complete":true})"},
      {400, "The filter or a time is wrong, or there is a pipe.", "application/problem+json", {}, {}},
      {507, "The disk is full: nothing was deleted.", "application/problem+json", {}, {}},
  };
  route.body_bytes_max = kDeletionBodyBytesMax;
  DeletionLog& deletions = admin.deletions();
  route.handler =
      on_workers(pool, [&deletions](const HttpRequest& request) { return answer_deletion(deletions, request); });
  return route;
}

Route deletions_route(WorkerPool& pool, AdminService& admin) {
  Route route = admin_route("GET", "/api/v1/admin/deletions", "list_deletions", "Deletions, newest first");
  route.use = RouteUse::read;
  route.tenant_rule = TenantRule::narrowed;
  route.description =
      "Those pending, whoever ordered them, and those of this process that are done. `done`: no file holds a record "
      "any "
      "more that it takes. Nothing is kept on the disk of one that is done, for its filter names what was deleted: "
      "after "
      "a restart it is not in the list.";
  route.replies = {
      {200, "The list.", "application/json",
       R"({"type":"object","required":["items"],"properties":{"items":{"type":"array","items":{"type":"object","required":)"
       R"(["id","query","origin","state"],"properties":{"id":{"type":"string"},"query":{"type":"string"},"start":)"
       R"({"type":"string"},"end":{"type":"string"},"created":{"type":"string"},"origin":{"type":"string","enum":)"
       R"(["request","retention_rule"]},"state":{"type":"string","enum":["pending","done"]}}}}}})",
       R"({"items":[{"id":"17","query":"card_number:*","end":"2026-11-20T09:00:00.000000000Z",)"
       R"("created":"2026-11-20T10:00:00.000000000Z","origin":"request","state":"pending"}]})"}};
  DeletionLog& deletions = admin.deletions();
  route.handler =
      on_workers(pool, [&deletions](const HttpRequest& request) { return list_deletions(deletions, request); });
  return route;
}

}  // namespace

std::vector<Route> make_deletion_routes(WorkerPool& pool, AdminService& admin) {
  std::vector<Route> routes;
  routes.push_back(delete_route(pool, admin));
  routes.push_back(deletions_route(pool, admin));
  return routes;
}

}  // namespace dendro
