#include "server/route.h"

#include <exception>
#include <utility>

#include "base/json_writer.h"
#include "base/log.h"
#include "server/http_text.h"

namespace dendro {
namespace {

/// Own text for faults that must not show their inside; empty where the error's own text may leave.
std::string_view public_text_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::corruption:
    case ErrorCode::io_error:
    case ErrorCode::internal:
      return "Internal server error";
    default:
      return {};
  }
}

std::string_view retry_after_s(int status) {
  switch (status) {
    case 429:
      return "1";
    case 503:
      return "5";
    case 507:
      return "30";
    default:
      return {};
  }
}

void write_problem(JsonWriter& json, int status, std::string_view code, std::string_view detail,
                   std::string_view request_id, const ErrorExtras& extras) {
  json.member("type", "about:blank");
  json.member("title", reason_phrase(status));
  json.member("status", status);
  json.member("detail", detail);
  json.member("code", code);
  json.member("request_id", request_id);
  if (!extras.required_roles.empty()) json.member("required_role", extras.required_roles);
  if (extras.errors_json.empty()) return;
  json.key("errors");
  json.raw(extras.errors_json);
}

void write_detail(JsonWriter& json, std::string_view detail, std::string_view errors_json) {
  json.key("detail");
  if (errors_json.empty()) {
    json.value(detail);
  } else {
    json.raw(errors_json);
  }
}

/// Never sent: the peer is gone.
constexpr int kClientGoneStatus = 499;

HttpResponse run_guarded(const std::function<HttpResponse(const HttpRequest&)>& work, const HttpRequest& request) {
  try {
    return work(request);
  } catch (const std::exception& fault) {
    const Error error(ErrorCode::internal, std::string("exception in a handler: ") + fault.what());
    return error_response(request.error_shape, error, request.request_id);
  }
}

}  // namespace

std::string_view tenant_rule_name(TenantRule rule) {
  constexpr std::string_view kNames[] = {"narrowed", "header", "none", "every"};
  return kNames[static_cast<std::size_t>(rule)];
}

std::string_view route_use_name(RouteUse use) {
  constexpr std::string_view kNames[] = {"undeclared", "none", "read", "change", "own"};
  return kNames[static_cast<std::size_t>(use)];
}

HttpHandler on_workers(WorkerPool& pool, std::function<HttpResponse(const HttpRequest&)> work) {
  return [&pool, work = std::move(work)](std::shared_ptr<const HttpRequest> request, Responder respond) {
    auto task = [work, request, respond] {
      respond(request->cancel.cancelled() ? json_response(kClientGoneStatus, {}) : run_guarded(work, *request));
    };
    if (Status queued = pool.submit(std::move(task)); !queued) {
      respond(error_response(request->error_shape, queued.error(), request->request_id));
    }
  };
}

HttpResponse error_response(ErrorShape shape, int status, std::string_view code, std::string_view detail,
                            std::string_view request_id, const ErrorExtras& extras) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  JsonWriter json(response.body);
  json.begin_object();
  switch (shape) {
    case ErrorShape::by_profile:
    case ErrorShape::problem:
      response.content_type = "application/problem+json";
      write_problem(json, status, code, detail, request_id, extras);
      break;
    case ErrorShape::detail:
      write_detail(json, detail, extras.errors_json);
      break;
    case ErrorShape::status_code:
      json.member("statusCode", status);
      json.member("error", detail);
      break;
    case ErrorShape::error_only:
      json.member("error", detail);
      break;
  }
  json.end_object();
  if (const std::string_view seconds = retry_after_s(status); !seconds.empty()) {
    response.headers.add("Retry-After", std::string(seconds));
  }
  return response;
}

HttpResponse error_response(ErrorShape shape, const Error& error, std::string_view request_id) {
  const std::string_view hidden = public_text_of(error.code());
  if (!hidden.empty()) {
    log(LogLevel::error, "server", "request failed",
        {{"request_id", std::string(request_id)},
         {"code", std::string(error_code_name(error.code()))},
         {"error", error.message()}});
  }
  return error_response(shape, http_status_of(error.code()), error_code_name(error.code()),
                        hidden.empty() ? std::string_view(error.message()) : hidden, request_id);
}

}  // namespace dendro
