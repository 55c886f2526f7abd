#include "apps/admin_remote.h"

#include <CLI/CLI.hpp>
#include <thread>

#include "adapters/http/curl_http_client.h"
#include "apps/admin_progress.h"
#include "apps/cli.h"
#include "apps/command_token.h"
#include "apps/url_text.h"

namespace dendro {
namespace {

constexpr std::chrono::milliseconds kJobLookInterval{200};

ErrorCode code_of_admin_status(int status) {
  switch (status) {
    case 400:
    case 404:
    case 405:
      return ErrorCode::invalid_argument;
    case 403:
      return ErrorCode::permission_denied;
    case 409:
      return ErrorCode::already_exists;
    default:
      return ErrorCode::unavailable;
  }
}

}  // namespace

void add_place_options(CLI::App& app, AdminPlace& place) {
  app.add_option("--data", place.data, "data folder, while no server uses it")->type_name("DIR");
  app.add_option("--server", place.server, "address of the server that uses the folder")->type_name("URL");
  add_token_option(app, place.token);
}

std::string_view place_fault(const AdminPlace& place) {
  if (place.data.empty() != place.server.empty()) return "";
  return "name the folder with --data DIR, or the server that uses it with --server URL";
}

Result<AdminRemote> AdminRemote::open(const AdminPlace& place, CommandIo& io) {
  DENDRO_TRY_ASSIGN(std::string url, normalised_server_url(place.server));
  DENDRO_TRY_ASSIGN(std::string token, command_token(place.token, io));
  return AdminRemote(make_curl_http_client(), std::move(url), std::move(token));
}

Result<AdminRemote::Answer> AdminRemote::exchange(const std::string& method, const std::string& path,
                                                  const std::string& body) {
  HttpClientRequest request;
  request.method = method;
  request.url = url_ + path;
  request.timeout = std::chrono::milliseconds(0);  // counting what a deletion takes may be long
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  DENDRO_TRY_ASSIGN(const HttpClientReply reply, client_->exchange(request, {}));
  Result<JsonValue> document = parse_json_document(reply.body);
  const bool is_json = document.has_value();
  return Answer{reply.status, is_json ? std::move(*document) : JsonValue(), is_json};
}

Result<JsonValue> AdminRemote::call(const std::string& method, const std::string& path, const std::string& body) {
  DENDRO_TRY_ASSIGN(Answer answer, exchange(method, path, body));
  if (answer.status == 204) return JsonValue();
  if (answer.status >= 200 && answer.status < 300) {
    if (answer.is_json) return std::move(answer.document);
    return Error(ErrorCode::unavailable, url_ + path + ": the answer is not JSON: is this a dendro server?");
  }
  const std::string detail = text_of(answer.document, "detail");
  return Error(code_of_admin_status(answer.status),
               "the server answered " + std::to_string(answer.status) + (detail.empty() ? "" : ": " + detail));
}

Result<JsonValue> AdminRemote::run_job(const std::string& path, const std::string& body, CommandIo& io) {
  DENDRO_TRY_ASSIGN(const JsonValue started, call("POST", path, body));
  const std::string job_path = "/api/v1/admin/jobs/" + text_of(started, "job_id");
  AdminProgress progress(io);
  for (;; std::this_thread::sleep_for(kJobLookInterval)) {
    DENDRO_TRY_ASSIGN(const JsonValue job, call("GET", job_path));
    const std::string state = text_of(job, "state");
    if (state == "done") {
      const JsonValue* result = job.find("result");
      return result == nullptr ? JsonValue() : *result;
    }
    if (state == "cancelled") return Error(ErrorCode::cancelled, "the job was cancelled");
    if (state != "running") {
      const JsonValue* problem = job.find("problem");
      const std::string detail = problem == nullptr ? std::string() : text_of(*problem, "detail");
      return Error(ErrorCode::io_error, detail.empty() ? "the job failed" : detail);
    }
    progress.show_counts(count_of(job, "done"), count_of(job, "total"));
  }
}

std::string text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->as_string().value_or(""));
}

std::uint64_t count_of(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member == nullptr ? 0 : static_cast<std::uint64_t>(std::max<std::int64_t>(0, member->as_int().value_or(0)));
}

int report_remote_error(CommandIo& io, std::string_view command, const Error& error) {
  return report_failure(io, command, error.message(), error.code() == ErrorCode::invalid_argument ? 2 : 1);
}

}  // namespace dendro
