#include "server/routes/entries_routes.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/log.h"
#include "server/routes/caller_restriction.h"
#include "services/entries/create_entry.h"
#include "services/entries/read_recent.h"

namespace dendro {
namespace {

HttpResponse entry_error(int status, std::string_view text, std::string_view request_id) {
  return error_response(ErrorShape::status_code, status, {}, text, request_id);
}

bool is_passing(ErrorCode code) {
  return code == ErrorCode::resource_exhausted || code == ErrorCode::unavailable ||
         code == ErrorCode::deadline_exceeded || code == ErrorCode::storage_full;
}

void log_entry_failure(std::string_view what, const Error& error, std::string_view request_id) {
  log(LogLevel::error, "entries", what,
      {{"request_id", std::string(request_id)},
       {"code", std::string(error_code_name(error.code()))},
       {"error", error.message()}});
}

/// five-systems.md 3.1: 503 where waiting helps, else 500, one text.
HttpResponse create_failure(const Error& error, std::string_view request_id) {
  if (error.code() == ErrorCode::invalid_argument) return entry_error(400, error.message(), request_id);
  if (error.code() == ErrorCode::already_exists) {
    return entry_error(409, "Idempotency-Key was used with another body", request_id);
  }
  log_entry_failure("entry not stored", error, request_id);
  return entry_error(is_passing(error.code()) ? 503 : 500, "Failed to store log entry", request_id);
}

HttpResponse created_response(const CreatedEntry& created) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("statusCode", 201);
  json.member("message", "Log entry created successfully");
  json.member("logId", created.log_id);
  json.member("timestamp", created.timestamp_ms);
  json.end_object();
  HttpResponse response = json_response(201, std::move(body));
  if (created.replayed) response.headers.add("Idempotency-Replayed", "true");
  return response;
}

void create(EntryStore& store, RandomSource& random, const HttpRequest& request, Responder respond) {
  CreateEntryRequest create_request;
  create_request.tenant = request.tenant;
  create_request.body = request.body;
  create_request.receive_time = request.received;
  if (const auto key = request.headers.find("Idempotency-Key")) create_request.retry_key = std::string(*key);
  create_entry(store, random, create_request,
               [respond = std::move(respond), request_id = request.request_id](Result<CreatedEntry> created) {
                 respond(created ? created_response(*created) : create_failure(created.error(), request_id));
               });
}

HttpHandler create_handler(WorkerPool& pool, EntryStore& store, RandomSource& random) {
  return [&pool, &store, &random](std::shared_ptr<const HttpRequest> request, const Responder& respond) {
    auto task = [&store, &random, request, respond] { create(store, random, *request, respond); };
    if (const Status queued = pool.submit(std::move(task)); !queued)
      respond(create_failure(queued.error(), request->request_id));
  };
}

/// five-systems.md 3.2: `error` and `details`, without internals.
HttpResponse read_failure(const Error& error, std::string_view request_id) {
  log_entry_failure("entries not read", error, request_id);
  const bool no_table = error.code() == ErrorCode::not_found;
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("statusCode", 500);
  json.member("error", no_table ? "Database table not found" : "Failed to retrieve log entries");
  json.member("details",
              no_table ? std::string_view("The log storage table does not exist") : error_code_name(error.code()));
  json.end_object();
  return json_response(500, std::move(body));
}

HttpResponse read(EntryStore& store, const HttpRequest& request) {
  const ReadRecentParams params{request.query_param("limit"), request.query_param("severity"),
                                request.query_param("cursor")};
  Result<EntryQuery> query = parse_read_recent(params);
  if (!query) return entry_error(400, query.error().message(), request.request_id);
  auto restriction = restriction_of(request, kNeededEntryFields);
  if (!restriction) return entry_error(403, restriction.error().message(), request.request_id);
  query->tenant = request.tenant;
  query->restriction = std::move(*restriction);
  query->cancel = request.cancel;
  const Result<EntryPage> page = store.read_recent(*query);
  if (!page && page.error().code() == ErrorCode::invalid_argument) {
    return entry_error(400, page.error().message(), request.request_id);
  }
  if (!page) return read_failure(page.error(), request.request_id);
  const bool asked_for_pages = params.limit.has_value() || params.cursor.has_value();
  return json_response(200, recent_entries_json(*page, asked_for_pages));
}

Route entries_route(std::string method, std::string path, ProfileSet on, std::string operation_id,
                    std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = on;
  route.operation_id = std::move(operation_id);
  route.group = "Entries";
  route.summary = std::move(summary);
  route.errors = ErrorShape::status_code;
  route.cors_on_ingest = true;
  return route;
}

Route create_route(WorkerPool& pool, EntryStore& store, RandomSource& random) {
  Route route =
      entries_route("POST", "/", profiles(Profile::platform, Profile::ingest), "create_entry", "Store one log entry");
  route.use = RouteUse::none;
  route.permission = Permission::ingest;
  route.description =
      "Severity is `info`, `warning` or `error` in any case; the message has at most 10,000 characters and is trimmed. "
      "Other "
      "members are ignored. The server chooses `logId` and `timestamp`.";
  route.params = {{"Idempotency-Key", ParamPlace::header, false, R"({"type":"string","minLength":1,"maxLength":128})",
                   "Makes a retry safe: within 24 hours the same key and body give the first reply again."}};
  route.request_content_type = "application/json";
  route.request_schema_json =
      R"({"type":"object","required":["severity","message"],"properties":{"severity":{"type":"string","enum":["info","warning",)"
      R"("error"]},"message":{"type":"string","minLength":1,"maxLength":10000}}})";
  route.request_example = R"({"severity":"info","message":"user signed in"})";
  route.replies = {
      {201,
       "Stored.",
       "application/json",
       {},
       R"({"statusCode":201,"message":"Log entry created successfully","logId":"0b9b1c3e-8a55-4d0e-9f43-0d5c1f6f2b11","timestamp":1706357700000})"},
      {400,
       "The entry is not right.",
       "application/json",
       {},
       R"({"statusCode":400,"error":"Missing required field: severity"})"},
      {409, "The key was used with another body.", "application/json", {}, {}},
      {413,
       "The body is over 1 MiB.",
       "application/json",
       {},
       R"({"statusCode":413,"error":"Request body too large"})"},
      {500,
       "The entry was not stored.",
       "application/json",
       {},
       R"({"statusCode":500,"error":"Failed to store log entry"})"},
      {503, "Busy or shutting down: send again after `Retry-After` seconds.", "application/json", {}, {}},
  };
  route.body_bytes_max = kMaxEntryBodyBytes;
  route.too_large_text = "Request body too large";
  route.handler = create_handler(pool, store, random);
  return route;
}

Route read_route(std::string path, ProfileSet on, std::string operation_id, WorkerPool& pool, EntryStore& store) {
  Route route = entries_route("GET", std::move(path), on, std::move(operation_id), "Read the newest log entries");
  route.permission = Permission::search;
  route.honours_restrictions = true;
  route.use = RouteUse::read;
  route.description = "Newest first. `next` is there only if `limit` or `cursor` was given and more entries exist.";
  route.params = {
      {"limit", ParamPlace::query, false, R"({"type":"integer","minimum":1,"maximum":1000,"default":100})",
       "Entries at most."},
      {"severity", ParamPlace::query, false, R"({"type":"string","enum":["info","warning","error"]})",
       "Only entries of it."},
      {"cursor", ParamPlace::query, false, R"({"type":"string"})", "`next` of the page before."},
  };
  route.replies = {
      {200,
       "At most `limit` entries.",
       "application/json",
       {},
       R"({"statusCode":200,"count":1,"logs":[{"logId":"0b9b1c3e-8a55-4d0e-9f43-0d5c1f6f2b11","timestamp":1706357700000,)"
       R"("datetime":"2024-01-27T12:15:00.000Z","severity":"info","message":"user signed in"}]})"},
      {400, "A parameter is wrong.", "application/json", {}, {}},
      {500, "The entries could not be read.", "application/json", {}, {}},
  };
  route.handler = on_workers(pool, [&store](const HttpRequest& request) { return read(store, request); });
  return route;
}

}  // namespace

std::vector<Route> make_entries_routes(WorkerPool& pool, EntryStore& store, RandomSource& random) {
  std::vector<Route> routes;
  routes.push_back(create_route(pool, store, random));
  routes.push_back(read_route("/", profiles(Profile::ingest), "read_recent_root", pool, store));
  routes.push_back(read_route("/recent", profiles(Profile::platform, Profile::ingest), "read_recent", pool, store));
  return routes;
}

}  // namespace dendro
