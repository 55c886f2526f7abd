#include <memory>
#include <utility>

#include "base/json_writer.h"
#include "server/routes/audit_reply.h"
#include "server/routes/audit_routes.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

using CreateMethod = void (AuditPipeline::*)(const AuditIntake& intake, AuditIntakeDone done);
using QueuedData = std::string (*)(const AuditIntakeOutcome& outcome);

std::string queued_log(const AuditIntakeOutcome& outcome) {
  std::string data;
  JsonWriter json(data);
  json.begin_object();
  json.member("message_id", outcome.message_ids.front());
  json.member("status", "queued");
  json.end_object();
  return data;
}

std::string queued_bulk(const AuditIntakeOutcome& outcome) {
  std::string data;
  JsonWriter json(data);
  json.begin_object();
  json.member("message_ids", outcome.message_ids);
  json.member("count", outcome.message_ids.size());
  json.member("status", "queued");
  json.key("rejected");
  json.begin_array();
  for (const RejectedAuditLog& log : outcome.rejected) {
    json.begin_object();
    json.member("index", log.index);
    json.key("errors");
    append_faults(json, log.faults);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return data;
}

HttpResponse intake_reply(const HttpRequest& request, const AuditIntakeOutcome& outcome, QueuedData data) {
  if (outcome.error && outcome.error->code() == ErrorCode::already_exists) {
    return error_response(request.error_shape, 409, error_code_name(ErrorCode::already_exists),
                          "Idempotency-Key was used with another body", request.request_id);
  }
  if (outcome.error) return audit_error_reply(request, *outcome.error);
  if (!outcome.faults.empty()) return audit_fault_reply(request, outcome.faults);
  HttpResponse response = audit_data_reply(202, data(outcome));
  if (outcome.replayed) response.headers.add("Idempotency-Replayed", "true");
  return response;
}

HttpHandler intake_handler(WorkerPool& workers, AuditPipeline& pipeline, CreateMethod create, QueuedData data) {
  return
      [&workers, &pipeline, create, data](const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
        auto task = [&pipeline, create, data, request, respond] {
          AuditIntake intake;
          intake.tenant = request->tenant;
          intake.body = request->body;
          intake.receive_time = request->received;
          intake.request_id = request->request_id;
          if (const auto key = request->headers.find("Idempotency-Key")) intake.retry_key = std::string(*key);
          (pipeline.*create)(intake, [request, respond, data](const AuditIntakeOutcome& outcome) {
            respond(intake_reply(*request, outcome, data));
          });
        };
        if (const Status queued = workers.submit(std::move(task)); !queued) {
          respond(audit_error_reply(*request, queued.error()));
        }
      };
}

Route intake_route(std::string path, std::string operation_id, std::string summary) {
  Route route = audit_route("POST", std::move(path), std::move(operation_id), std::move(summary), Permission::ingest);
  route.use = RouteUse::none;
  route.params.push_back({"Idempotency-Key", ParamPlace::header, false,
                          R"({"type":"string","minLength":1,"maxLength":128})",
                          "Makes a retry safe: within 24 hours the same key and body store nothing again and give the "
                          "same ids."});
  route.request_content_type = "application/json";
  route.too_large_text = "Request body too large";
  route.replies = {audit_fault_doc(),
                   {409, "The key was used with another body.", "application/json", {}, {}},
                   {413, "Too large, or too many logs.", "application/json", {}, {}},
                   {429, "Busy: send again after `Retry-After` seconds.", "application/json", {}, {}},
                   {503, "Shutting down, or the disk failed.", "application/json", {}, {}}};
  return route;
}

constexpr std::string_view kNewLogSchema =
    R"({"type":"object","required":["action","resource_type","resource_id","message"],"properties":{)"
    R"("action":{"type":"string","enum":["CREATE","UPDATE","DELETE","VIEW","LOGIN","LOGOUT","IMPORT","EXPORT","READ"]},)"
    R"("resource_type":{"type":"string"},"resource_id":{"type":"string"},"message":{"type":"string"},)"
    R"("severity":{"type":"string","enum":["INFO","WARNING","ERROR","CRITICAL"],"default":"INFO"},)"
    R"("session_id":{"type":["string","null"]},"user_id":{"type":["string","null"]},"ip_address":{"type":["string","null"]},)"
    R"("user_agent":{"type":["string","null"]},"request_id":{"type":["string","null"]},)"
    R"("before_state":{"type":["object","null"]},"after_state":{"type":["object","null"]},"metadata":{"type":["object","null"]}}})";
constexpr std::string_view kNewLogExample =
    R"({"action":"UPDATE","resource_type":"user","resource_id":"42","message":"e-mail address changed","user_id":"ann",)"
    R"("before_state":{"email":"a@example.org"},"after_state":{"email":"ann@example.org"}})";
constexpr std::string_view kMaskingText =
    "Unknown fields are ignored; the server adds `id`, `timestamp` and `tenant_id`. Values of password, passwd, "
    "secret, "
    "token, authorization, api_key and cookie inside the three objects are stored as `\"***\"`.";

Route create_log_route(const AuditRouteParts& parts) {
  Route route = intake_route(parts.api_prefix + "/logs", "create_log", "Store one audit log");
  route.description =
      "The reply leaves once the log is on disk. " + std::string(kMaskingText) + " A log has at most 1 MiB.";
  route.request_schema_json = kNewLogSchema;
  route.request_example = kNewLogExample;
  route.body_bytes_max = kAuditLogBytesMax;
  route.replies.push_back(
      {202,
       "Durable.",
       "application/json",
       {},
       R"({"data":{"message_id":"0b9b1c3e-8a55-4d0e-9f43-0d5c1f6f2b11","status":"queued"},"meta":null})"});
  route.handler = intake_handler(parts.workers, parts.pipeline, &AuditPipeline::create, queued_log);
  return route;
}

Route create_bulk_route(const AuditRouteParts& parts) {
  Route route = intake_route(parts.api_prefix + "/logs/bulk", "create_logs", "Store many audit logs");
  route.description =
      "Logs that are right are stored together, or none of them; the others are listed in `rejected` and kept as dead "
      "letters. If none is right the reply is 422. " +
      std::string(kMaskingText);
  route.request_schema_json =
      R"({"type":"object","required":["logs"],"properties":{"logs":{"type":"array","minItems":1,)"
      R"("maxItems":10000,"items":)" +
      std::string(kNewLogSchema) + "}}}";
  route.request_example = R"({"logs":[)" + std::string(kNewLogExample) + "]}";
  route.body_bytes_max = kAuditBulkBytesMax;
  route.replies.push_back(
      {202,
       "Durable.",
       "application/json",
       {},
       R"({"data":{"message_ids":["0b9b1c3e-8a55-4d0e-9f43-0d5c1f6f2b11"],"count":1,"status":"queued",)"
       R"("rejected":[{"index":1,"errors":[{"loc":["body","logs",1,"action"],"msg":"Field required",)"
       R"("type":"missing"}]}]},"meta":null})"});
  route.handler = intake_handler(parts.workers, parts.pipeline, &AuditPipeline::create_bulk, queued_bulk);
  return route;
}

}  // namespace

std::vector<Route> make_audit_create_routes(const AuditRouteParts& parts) {
  std::vector<Route> routes;
  routes.push_back(create_log_route(parts));
  routes.push_back(create_bulk_route(parts));
  return routes;
}

}  // namespace dendro
