#include "server/routes/admin_routes.h"

#include <iterator>
#include <utility>

#include "base/json_writer.h"
#include "server/routes/admin_body.h"

namespace dendro {
namespace {

constexpr std::string_view kJobSchema =
    R"({"type":"object","required":["id","kind","state","done","total","started"],"properties":{"id":{"type":"string"},)"
    R"("kind":{"type":"string","enum":["compact","backup","verify"]},"state":{"type":"string","enum":["running","done",)"
    R"("failed","cancelled"]},"done":{"type":"integer"},"total":{"type":"integer"},"started":{"type":"string"},"ended":)"
    R"({"type":"string"},"result":{"type":"object"},"problem":{"type":"object"}}})";

HttpResponse admin_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}

/// What was wrong, for the one who may see it all: unlike a query's caller, an operator needs names of files.
void write_job_problem(JsonWriter& json, const Error& error) {
  json.key("problem");
  json.begin_object();
  json.member("code", error_code_name(error.code()));
  json.member("detail", error.message());
  json.end_object();
}

void write_job(JsonWriter& json, const JobStatus& job) {
  json.begin_object();
  json.member("id", job.id);
  json.member("kind", job.kind);
  json.member("state", job_state_name(job.state));
  json.member("done", job.done);
  json.member("total", job.total);
  json.member("started", to_rfc3339(job.started));
  if (job.ended) json.member("ended", to_rfc3339(*job.ended));
  if (!job.result_json.empty()) {
    json.key("result");
    json.raw(job.result_json);
  }
  if (job.problem) write_job_problem(json, *job.problem);
  json.end_object();
}

HttpResponse job_response(int status, const JobStatus& job) {
  std::string body;
  JsonWriter json(body);
  write_job(json, job);
  return json_response(status, std::move(body));
}

HttpResponse accepted_response(const Result<std::string>& job_id, const HttpRequest& request) {
  if (!job_id) return admin_problem(job_id.error(), request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("job_id", *job_id);
  json.end_object();
  HttpResponse response = json_response(202, std::move(body));
  response.headers.add("Location", "/api/v1/admin/jobs/" + *job_id);
  return response;
}

Result<bool> read_truth(const HttpRequest& request, std::string_view name) {
  const auto text = request.query_param(name);
  if (!text || *text == "false") return false;
  if (*text == "true") return true;
  return Error(ErrorCode::invalid_argument, std::string(name) + ": must be true or false");
}

/// The job's own thread answers, so nobody waits on a loop or a worker.
void compact(AdminService& admin, const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
  const Result<bool> waits = read_truth(*request, "wait");
  const Result<bool> all = read_truth(*request, "all");
  if (!waits || !all) return respond(admin_problem(waits ? all.error() : waits.error(), *request));
  const CompactionScope scope = *all ? CompactionScope::all_final : CompactionScope::due;
  if (!*waits) return respond(accepted_response(admin.start_compaction(scope), *request));
  const auto on_end = [respond, request](const JobStatus& job) {
    respond(job.problem ? admin_problem(*job.problem, *request) : job_response(200, job));
  };
  const Result<std::string> started = admin.start_compaction(scope, on_end);
  if (!started) respond(admin_problem(started.error(), *request));
}

HttpResponse back_up(AdminService& admin, const HttpRequest& request) {
  const Result<AdminBody> body = AdminBody::read(request, {"directory"});
  if (!body) return admin_problem(body.error(), request);
  return accepted_response(admin.start_backup(body->text("directory")), request);
}

HttpResponse list_jobs(const AdminService& admin) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const JobStatus& job : admin.jobs().list()) write_job(json, job);
  json.end_array();
  json.end_object();
  return json_response(200, std::move(body));
}

HttpResponse show_job(const AdminService& admin, const HttpRequest& request) {
  const auto job = admin.jobs().find(request.path_param("id").value_or(""));
  if (!job) return admin_problem(Error(ErrorCode::not_found, "there is no job of this id"), request);
  return job_response(200, *job);
}

HttpResponse cancel_job(AdminService& admin, const HttpRequest& request) {
  const Result<JobStatus> job = admin.jobs().cancel(request.path_param("id").value_or(""));
  return job ? job_response(202, *job) : admin_problem(job.error(), request);
}

HttpResponse show_health(const AdminService& admin) {
  const StoreCondition condition = admin.condition();
  const StoreStats& stats = condition.stats;
  std::string body;
  JsonWriter json(body);
  const auto group = [&json](std::string_view name,
                             const std::vector<std::pair<std::string_view, std::uint64_t>>& rows) {
    json.key(name);
    json.begin_object();
    for (const auto& [key, number] : rows) json.member(key, number);
    json.end_object();
  };
  json.begin_object();
  json.member("accepts_writes", condition.health.accepts_writes);
  if (!condition.health.reason.empty()) json.member("reason", condition.health.reason);
  group("memtable", {{"records", stats.memtable_records}, {"bytes", stats.memtable_bytes}});
  group("wal", {{"closed_files", condition.wal_files}, {"closed_bytes", condition.wal_bytes}});
  group("segments", {{"count", stats.segment_count},
                     {"bytes", stats.segment_bytes},
                     {"records", stats.segment_records},
                     {"damaged", condition.damaged_segments}});
  group("compaction", {{"days_due", condition.debt.days},
                       {"segments_due", condition.debt.segments},
                       {"bytes_due", condition.debt.bytes},
                       {"failures", stats.compaction_failures}});
  group("deletions", {{"pending", stats.live_tombstones}, {"records_deleted", stats.records_deleted}});
  group("disk", {{"free_bytes", condition.disk.free_bytes}, {"total_bytes", condition.disk.total_bytes}});
  json.member("retention_clock_lead_s",
              std::chrono::duration_cast<std::chrono::seconds>(condition.wall_clock_lead).count());
  json.end_object();
  return json_response(200, std::move(body));
}

std::vector<RouteReply> job_started_replies() {
  return {{202, "It runs.", "application/json", {}, R"({"job_id":"9f2c51d07be4a680"})"},
          {409, "One of this kind runs already; the text names it.", "application/problem+json", {}, {}}};
}

Route compact_route(AdminService& admin) {
  Route route = admin_route("POST", "/api/v1/admin/compact", "compact", "Flush, and merge what is due");
  route.use = RouteUse::change;
  route.description =
      "The server does this by itself, little by little. `done` and `total` count merges. With `wait` the answer is "
      "the "
      "job once it has ended; it goes on if the caller goes away.";
  route.params = {
      {"wait", ParamPlace::query, false, R"({"type":"boolean","default":false})", "Answer when it is done."},
      {"all", ParamPlace::query, false, R"({"type":"boolean","default":false})",
       "Every day into its final form, also the one that goes on."}};
  route.replies = job_started_replies();
  route.replies.push_back(
      {200, "`wait`: it is done, or was cancelled.", "application/json", std::string(kJobSchema), {}});
  route.handler = [&admin](std::shared_ptr<const HttpRequest> request, Responder respond) {
    compact(admin, request, respond);
  };
  return route;
}

Route backup_route(WorkerPool& pool, AdminService& admin) {
  Route route = admin_route("POST", "/api/v1/admin/backup", "backup", "Copy the store into a new folder");
  route.use = RouteUse::change;
  route.description =
      "A consistent copy, with everything that was acknowledged before; `dendro admin verify --backup` checks it, "
      "`dendro admin restore` makes a store of it. The folder is one of the server's, inside `admin.backup_directory`. "
      "`done` and `total` count files.";
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object","required":["directory"],"properties":{"directory":{"type":"string","minLength":1}}})";
  route.request_example = R"({"directory":"monday"})";
  route.replies = job_started_replies();
  route.replies.push_back(
      {403, "No folder for backups is configured, or it is another one.", "application/problem+json", {}, {}});
  route.handler = on_workers(pool, [&admin](const HttpRequest& request) { return back_up(admin, request); });
  return route;
}

Route verify_route(WorkerPool& pool, AdminService& admin) {
  Route route = admin_route("POST", "/api/v1/admin/verify", "verify", "Read all of the store and name what is damaged");
  route.use = RouteUse::change;
  route.description =
      "The job's `result` has `undamaged` and `faults`, one text each: file, offset, what. `done` and `total` count "
      "files.";
  route.replies = job_started_replies();
  route.handler = on_workers(
      pool, [&admin](const HttpRequest& request) { return accepted_response(admin.start_verify(), request); });
  return route;
}

std::vector<Route> job_routes(WorkerPool& pool, AdminService& admin) {
  Route list = admin_route("GET", "/api/v1/admin/jobs", "list_jobs", "Long work, newest first");
  list.use = RouteUse::none;
  list.description = "What runs, and the last hundred that ended since the server was started.";
  list.replies = {{200, "The list.", "application/json", {}, {}}};
  list.handler = on_workers(pool, [&admin](const HttpRequest&) { return list_jobs(admin); });
  const RouteParam id = {"id", ParamPlace::path, true, R"({"type":"string"})", "The `job_id` of its start."};
  Route show = admin_route("GET", "/api/v1/admin/jobs/{id}", "get_job", "One job");
  show.use = RouteUse::none;
  show.params = {id};
  show.replies = {{200, "How far it is.", "application/json", std::string(kJobSchema), {}},
                  {404, "There is no such job.", "application/problem+json", {}, {}}};
  show.handler = on_workers(pool, [&admin](const HttpRequest& request) { return show_job(admin, request); });
  Route cancel = admin_route("DELETE", "/api/v1/admin/jobs/{id}", "cancel_job", "Ask a job to end");
  cancel.use = RouteUse::change;
  cancel.description = "It ends between two files or slices. A backup that was cancelled is none: remove its folder.";
  cancel.params = {id};
  cancel.replies = {
      {202, "It was asked to; one that had ended stays as it is.", "application/json", std::string(kJobSchema), {}},
      {404, "There is no such job.", "application/problem+json", {}, {}}};
  cancel.handler = on_workers(pool, [&admin](const HttpRequest& request) { return cancel_job(admin, request); });
  return {std::move(list), std::move(show), std::move(cancel)};
}

Route health_route(WorkerPool& pool, AdminService& admin) {
  Route route = admin_route("GET", "/api/v1/admin/health", "store_health", "How the store is");
  route.use = RouteUse::none;
  route.description =
      "`retention_clock_lead_s` above 0: the clock jumped, and retention by age waits (docs/operations.md).";
  route.replies = {{200, "Figures of now; `reason` says why writes are refused.", "application/json", {}, {}}};
  route.handler = on_workers(pool, [&admin](const HttpRequest&) { return show_health(admin); });
  return route;
}

}  // namespace

Route admin_route(std::string method, std::string path, std::string operation_id, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform);
  route.permission = Permission::admin;
  route.tenant_rule = TenantRule::every;
  route.operation_id = std::move(operation_id);
  route.group = "Administration";
  route.summary = std::move(summary);
  route.errors = ErrorShape::problem;
  return route;
}

std::vector<Route> make_admin_routes(WorkerPool& pool, AdminService& admin) {
  std::vector<Route> routes = make_deletion_routes(pool, admin);
  routes.push_back(compact_route(admin));
  routes.push_back(backup_route(pool, admin));
  routes.push_back(verify_route(pool, admin));
  std::vector<Route> jobs = job_routes(pool, admin);
  routes.insert(routes.end(), std::make_move_iterator(jobs.begin()), std::make_move_iterator(jobs.end()));
  routes.push_back(health_route(pool, admin));
  return routes;
}

}  // namespace dendro
