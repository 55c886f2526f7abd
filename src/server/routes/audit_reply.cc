#include "server/routes/audit_reply.h"

#include <utility>

#include "base/json_writer.h"
#include "server/field_faults_json.h"
#include "services/audit/audit_log.h"

namespace dendro {
namespace {

constexpr int kFaultStatus = 422;

}  // namespace

HttpResponse audit_data_reply(int status, std::string_view data) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("data");
  json.raw(data);
  json.key("meta");
  json.null();
  json.end_object();
  return json_response(status, std::move(body));
}

HttpResponse audit_fault_reply(const HttpRequest& request, const FieldFaults& faults) {
  const std::string path = fault_path(faults.front());
  const std::string detail = path.empty() ? faults.front().message : path + ": " + faults.front().message;
  const std::string errors = field_faults_json(request.error_shape, faults);
  return error_response(request.error_shape, kFaultStatus, "invalid_argument", detail, request.request_id,
                        {errors, {}});
}

HttpResponse audit_error_reply(const HttpRequest& request, const Error& error) {
  return error_response(request.error_shape, error, request.request_id);
}

Route audit_route(std::string method, std::string path, std::string operation_id, std::string summary,
                  Permission permission) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = permission;
  route.tenant_rule = TenantRule::header;
  route.operation_id = std::move(operation_id);
  route.group = "Audit log";
  route.summary = std::move(summary);
  route.params = {{"X-Tenant-ID", ParamPlace::header, false, R"({"type":"string"})",
                   "The tenant; may be absent where nobody is asked who they are."}};
  return route;
}

RouteParam audit_param(std::string name, std::string schema, std::string description, bool required) {
  return {std::move(name), ParamPlace::query, required, std::move(schema), std::move(description)};
}

RouteReply audit_fault_doc() {
  return {kFaultStatus,
          "A field or parameter is wrong; `loc` says which.",
          "application/json",
          {},
          R"({"detail":[{"loc":["body","resource_id"],"msg":"Field required","type":"missing"}]})"};
}

std::string audit_log_schema() {
  std::string schema = R"({"type":"object","properties":{)";
  for (const std::string_view name : kAuditLogFields) {
    if (name != kAuditLogFields.front()) schema += ",";
    const bool is_object = name == "before_state" || name == "after_state" || name == "metadata";
    const bool is_always = name == "id" || name == "timestamp" || name == "tenant_id" || name == "action" ||
                           name == "resource_type" || name == "resource_id" || name == "severity" || name == "message";
    schema += "\"" + std::string(name) + "\":{\"type\":";
    schema += is_always ? R"("string"})" : is_object ? R"(["object","null"]})" : R"(["string","null"]})";
  }
  return schema + "}}";
}

std::string audit_log_example() {
  return R"({"id":"6553f100a1b2c3d4e5000001","timestamp":"2026-01-31T10:00:00.123456Z","tenant_id":"acme","action":"UPDATE",)"
         R"("resource_type":"user","resource_id":"42","severity":"INFO","message":"e-mail address changed","session_id":null,)"
         R"("user_id":"ann","ip_address":"192.0.2.7","user_agent":null,"request_id":"r-17","before_state":{"email":"a@example.org"},)"
         R"("after_state":{"email":"ann@example.org"},"metadata":{"form":"profile"}})";
}

}  // namespace dendro
