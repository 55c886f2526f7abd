#include "server/routes/analyze_routes.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/log.h"
#include "server/routes/analyze_query.h"
#include "services/analyze/analyze_params.h"
#include "services/analyze/analyze_render.h"
#include "services/analyze/analyze_service.h"

namespace dendro {
namespace {

/// Below the usual 60 s of load balancers, so that the answer is ours.
constexpr std::chrono::seconds kAnalyzeTimeMax{55};

enum class Notify : std::uint8_t { no, yes };

/// What the handlers need; copied into them.
struct AnalyzeParts {
  ObjectStore* objects = nullptr;
  std::vector<std::string> allowed_buckets;
  AlertPublisher* publisher = nullptr;
};

HttpResponse analyze_error(int status, std::string_view detail, const HttpRequest& request,
                           std::string_view errors_json = {}) {
  return error_response(ErrorShape::detail, status, {}, detail, request.request_id, {errors_json, {}});
}

/// Keys joined by commas, percent-encoded but for `/`.
std::string encode_keys(const std::vector<std::string>& keys) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string out;
  for (const std::string& key : keys) {
    if (!out.empty()) out.push_back(',');
    for (const char c : key) {
      if (kPlain.find(c) != std::string_view::npos) {
        out.push_back(c);
        continue;
      }
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 15]);
    }
  }
  return out;
}

HttpResponse failure_response(const AnalyzeFailure& failure, const HttpRequest& request) {
  const int status = failure_http_status(failure);
  if (status >= 500) {
    log(LogLevel::error, "analyze", "analysis failed",
        {{"request_id", request.request_id},
         {"code", std::string(error_code_name(failure.error.code()))},
         {"error", failure.error.message()}});
  }
  return analyze_error(status, public_failure_text(failure), request);
}

HttpResponse report_response(const AnalyzeReport& report) {
  HttpResponse response = json_response(200, render_report(report, AnalyzeFormat::json_compact));
  response.headers.set("X-Dendro-Object", encode_keys(report.objects));
  response.headers.set("X-Dendro-Lines", std::to_string(report.counted.lines));
  response.headers.set("X-Dendro-Lines-Skipped", std::to_string(report.counted.skipped()));
  return response;
}

/// Nothing if the alert went out; otherwise what to answer instead of the result.
std::optional<HttpResponse> publish_alert(AlertPublisher* publisher, const AnalyzeReport& report,
                                          const HttpRequest& request) {
  if (publisher == nullptr) {
    return analyze_error(501, "The alert is due but SNS_TOPIC_ARN is not set: nothing was published.", request);
  }
  const Status published = publisher->publish(render_report(report, AnalyzeFormat::json_compact));
  if (published) return std::nullopt;
  log(LogLevel::error, "analyze", "alert not published",
      {{"request_id", request.request_id}, {"error", published.error().message()}});
  return analyze_error(502, "The alert could not be published.", request);
}

HttpResponse answer(const AnalyzeParts& parts, Notify notify, const HttpRequest& request) {
  const std::variant<AnalyzeQuery, std::string> checked = read_analyze_query(request);
  if (const auto* faults = std::get_if<std::string>(&checked)) return analyze_error(422, "", request, *faults);
  const AnalyzeQuery& query = std::get<AnalyzeQuery>(checked);
  if (!is_bucket_allowed(query.bucket, parts.allowed_buckets)) {
    return analyze_error(403, "Bucket '" + query.bucket + "' is not allowed.", request);
  }
  CountRun run;
  run.cancel = request.cancel;
  run.deadline = std::chrono::steady_clock::now() + kAnalyzeTimeMax;
  const AnalyzeOutcome outcome = analyze_objects(*parts.objects, query.bucket, query.prefix, query.request, run);
  if (const auto* failure = std::get_if<AnalyzeFailure>(&outcome)) return failure_response(*failure, request);
  const AnalyzeReport& report = std::get<AnalyzeReport>(outcome);
  if (query.strict && report.counted.skipped() > 0) return analyze_error(422, skipped_text(report.counted), request);
  if (notify == Notify::yes && report.alert) {
    if (std::optional<HttpResponse> refused = publish_alert(parts.publisher, report, request))
      return *std::move(refused);
  }
  return report_response(report);
}

HttpHandler analyze_handler(WorkerPool& pool, const AnalyzeParts& parts, Notify notify) {
  return on_workers(pool, [parts, notify](const HttpRequest& request) {
    HttpResponse response = answer(parts, notify, request);
    response.headers.set("Cache-Control", "no-store");
    return response;
  });
}

RouteParam query_parameter(std::string name, bool required, std::string schema, std::string description) {
  return {std::move(name), ParamPlace::query, required, std::move(schema), std::move(description)};
}

std::vector<RouteParam> analyze_parameters() {
  return {
      query_parameter("bucket", true, R"({"type":"string","minLength":1})",
                      "Bucket to read; `file:///dir` only where the settings name it."),
      query_parameter("prefix", true, R"({"type":"string"})",
                      "What the object's key begins with, or a whole key; may be empty."),
      query_parameter("threshold", false, R"({"type":"integer","minimum":0,"default":3})",
                      "The alert fires when the total reaches it."),
      query_parameter("stream", false, R"({"type":"boolean","default":false})",
                      "Accepted and ignored: input is always streamed."),
      query_parameter("since", false, R"({"type":"string","format":"date-time"})",
                      "Leaves out records before this time; without a zone it is UTC."),
      query_parameter("latest", false, R"({"type":"integer","minimum":1,"maximum":1000,"default":1})",
                      "Sums so many of the newest objects."),
      query_parameter("level", false, R"({"type":"array","items":{"type":"string"},"default":["ERROR"]})",
                      "Counts these levels; may be repeated."),
      query_parameter("group_by", false, R"({"type":"string","minLength":1,"default":"service"})",
                      "Top-level field that names the groups."),
      query_parameter("ignore_case", false, R"({"type":"boolean","default":false})", "Compares levels without case."),
      query_parameter("strict", false, R"({"type":"boolean","default":false})", "422 if any line was skipped."),
  };
}

RouteReply detail_reply(int status, std::string description, std::string example) {
  return {status, std::move(description), "application/json",
          R"({"type":"object","required":["detail"],"properties":{"detail":{}}})", std::move(example)};
}

std::vector<RouteReply> analyze_replies() {
  constexpr const char* kResultSchema =
      R"({"type":"object","required":["total","byService","alert"],"properties":{"total":{"type":"integer"},)"
      R"("byService":{"type":"object","additionalProperties":{"type":"integer"}},"alert":{"type":"boolean"}}})";
  return {
      {200,
       "The counts. `X-Dendro-Object` names the object read, `X-Dendro-Lines` and `X-Dendro-Lines-Skipped` its lines.",
       "application/json", kResultSchema, R"({"total":3,"byService":{"api":2,"db":1},"alert":true})"},
      detail_reply(403, "The bucket is not allowed, or the store denies access.",
                   R"({"detail":"Bucket 'b' is not allowed."})"),
      detail_reply(404, "No bucket, or no object at the prefix.",
                   R"({"detail":"No logs found at the specified prefix."})"),
      detail_reply(
          422, "Faulty parameters, each of them named.",
          R"({"detail":[{"loc":["query","threshold"],"msg":"Input should be greater than or equal to 0","type":"greater_than_equal"}]})"),
      detail_reply(500, "The store failed, or the object is damaged.",
                   R"({"detail":"An S3 error occurred: InternalError"})"),
      detail_reply(501, "The store of this bucket is not built in.",
                   R"({"detail":"An S3 error occurred: NotImplemented"})"),
      detail_reply(503, "The store throttles or cannot be reached: retry.",
                   R"({"detail":"An S3 error occurred: SlowDown"})"),
      detail_reply(504, "Not done within 55 s.", R"({"detail":"An S3 error occurred: RequestTimeout"})"),
  };
}

Route analyze_route(std::string method, std::string path, std::string operation_id, HttpHandler handler) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::analytics);
  route.permission = Permission::search;
  route.use = RouteUse::read;
  route.operation_id = std::move(operation_id);
  route.group = "Analyze";
  route.params = analyze_parameters();
  route.replies = analyze_replies();
  route.errors = ErrorShape::detail;
  route.handler = std::move(handler);
  return route;
}

}  // namespace

std::vector<Route> make_analyze_routes(WorkerPool& pool, ObjectStore& objects, std::vector<std::string> allowed_buckets,
                                       AlertPublisher* publisher) {
  const AnalyzeParts parts{&objects, std::move(allowed_buckets), publisher};
  std::vector<Route> routes;
  routes.push_back(analyze_route("GET", "/analyze", "analyze_newest_object", analyze_handler(pool, parts, Notify::no)));
  routes.back().summary = "Count the errors of the newest object by service";
  routes.back().description =
      "Reads the newest object below the prefix (plain, gzip or zstd) and counts the records whose `level` is `ERROR`. "
      "Lines that "
      "are no JSON objects are skipped and counted.";
  for (const char* method : {"GET", "POST"}) {
    const std::string id = std::string(method) == "GET" ? "notify_of_newest_object" : "post_notify_of_newest_object";
    routes.push_back(analyze_route(method, "/notify", id, analyze_handler(pool, parts, Notify::yes)));
    routes.back().summary = "The same, and publish the result if the alert fires";
    routes.back().replies.push_back(
        detail_reply(502, "The topic refused the alert.", R"({"detail":"The alert could not be published."})"));
    if (std::string(method) == "POST") routes.back().permission = Permission::alerts;
  }
  return routes;
}

}  // namespace dendro
