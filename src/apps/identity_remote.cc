#include "apps/identity_remote.h"

#include <cstdlib>

#include "apps/url_text.h"

namespace dendro {
namespace {

std::string server_of_environment() {
  const char* const server = std::getenv("DENDRO_SERVER");
  return server == nullptr ? std::string() : std::string(server);
}

/// What a problem says: of a fault of a field, which one.
std::string problem_text(const JsonValue& problem) {
  const JsonValue* const faults = problem.find("errors");
  if (faults == nullptr || faults->elements().empty()) return text_of(problem, "detail");
  const JsonValue& first = faults->elements().front();
  const std::string field = text_of(first, "field");
  return (field.empty() ? "" : field + ": ") + text_of(first, "message");
}

}  // namespace

bool IdentityRemote::is_wanted(const IdentityPlace& place) {
  return !place.server.empty() || (place.data.empty() && !server_of_environment().empty());
}

Result<IdentityRemote> IdentityRemote::open(const IdentityPlace& place, CommandIo& io) {
  if (!place.data.empty()) {
    return Error(ErrorCode::invalid_argument, "name the folder with --data DIR, or the server with --server URL");
  }
  AdminPlace remote_place;
  remote_place.server = place.server.empty() ? server_of_environment() : place.server;
  remote_place.token = place.api_key;
  DENDRO_TRY_ASSIGN(AdminRemote remote, AdminRemote::open(remote_place, io));
  return IdentityRemote(std::move(remote));
}

Result<JsonValue> IdentityRemote::call(const std::string& method, const std::string& path, const std::string& body) {
  DENDRO_TRY_ASSIGN(AdminRemote::Answer answer, remote_.exchange(method, path, body));
  if (answer.status >= 200 && answer.status < 300) return std::move(answer.document);
  const std::string detail = problem_text(answer.document);
  const std::string text = detail.empty() ? "the server answered " + std::to_string(answer.status) : detail;
  switch (answer.status) {
    case 400:
    case 405:
    case 413:
    case 422:
      return Error(ErrorCode::invalid_argument, text);
    case 401:
      return Error(ErrorCode::unauthenticated, text + " (the API key comes from --api-key or DENDRO_API_KEY)");
    case 403:
      return Error(ErrorCode::permission_denied, text);
    case 404:
      return Error(ErrorCode::not_found, text);
    case 409:
      return Error(ErrorCode::already_exists, text);
    default:
      return Error(ErrorCode::unavailable, text);
  }
}

Result<std::vector<JsonValue>> IdentityRemote::items(const std::string& path) {
  std::vector<JsonValue> all;
  const std::string first = path + (path.find('?') == std::string::npos ? "?limit=1000" : "&limit=1000");
  for (std::string page = first;;) {
    DENDRO_TRY_ASSIGN(const JsonValue reply, call("GET", page));
    const JsonValue* const items = reply.find("items");
    if (items == nullptr) return Error(ErrorCode::unavailable, path + ": the answer has no items");
    all.insert(all.end(), items->elements().begin(), items->elements().end());
    const std::string cursor = text_of(reply, "next_cursor");
    if (cursor.empty()) return all;
    page = first + "&cursor=" + percent_encoded(cursor);
  }
}

std::string json_array(const std::vector<JsonValue>& items) {
  std::string json = "[";
  for (const JsonValue& item : items) {
    if (json.size() > 1) json.push_back(',');
    append_json(json, item);
  }
  return json + "]";
}

std::string tenant_query(const std::vector<std::string>& tenants) {
  return tenants.empty() ? std::string() : "?tenant=" + percent_encoded(tenants.front());
}

}  // namespace dendro
