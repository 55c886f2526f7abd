#include "server/use_recording.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/json_document.h"
#include "base/log.h"
#include "server/http_text.h"
#include "server/routes/audit_access.h"

namespace dendro {
namespace {

/// Members of JSON bodies that entries have beside the parameters of the address. A list of what is told, not of what
/// is hidden: secrets have too many names.
constexpr std::array<std::string_view, 39> kRecordedMembers = {
    "after",    "alerts",  "all",       "before",  "by",        "column",    "compare",    "condition",
    "days",     "deliver", "directory", "dry_run", "email",     "end",       "ends_at",    "expires_at",
    "fields",   "filter",  "filters",   "gap",     "id",        "ids",       "limit",      "matchers",
    "name",     "path",    "query",     "range",   "receivers", "roles",     "row_filter", "scopes",
    "settings", "start",   "starts_at", "subject", "tenant",    "tenant_id", "tenants"};
static_assert(std::ranges::is_sorted(kRecordedMembers));

/// A query has 64 KiB; longer bodies are not looked into.
constexpr std::size_t kRecordedBodyBytesMax = std::size_t{512} << 10;
/// A reply whose `id` is looked for.
constexpr std::size_t kRecordedReplyBytesMax = std::size_t{64} << 10;

/// A text as it is, anything else as JSON.
std::string text_of_member(const JsonValue& value) {
  if (const auto text = value.as_string()) return std::string(*text);
  std::string json;
  append_json(json, value);
  return json;
}

void add_body_members(AccessEntry& entry, const HttpRequest& request) {
  if (request.body.size() > kRecordedBodyBytesMax || !std::string_view(request.body).starts_with('{')) return;
  const auto body = parse_json_document(request.body);
  if (!body) return;
  for (const auto& [name, value] : body->members()) {
    if (!std::ranges::binary_search(kRecordedMembers, name)) continue;
    entry.query_params.emplace_back(name, text_of_member(value));
  }
}

std::string_view kind_name(const Principal* principal) {
  constexpr std::string_view kNames[] = {"anonymous", "api_key", "token", "user", "certificate"};
  return principal == nullptr ? kNames[0] : kNames[static_cast<std::size_t>(principal->kind)];
}

std::string id_of_reply(const HttpResponse& response) {
  if (response.status >= 300 || response.stream != nullptr || response.body.size() > kRecordedReplyBytesMax) return {};
  const auto body = parse_json_document(response.body);
  const JsonValue* id = body ? body->find("id") : nullptr;
  return id == nullptr ? std::string() : text_of_member(*id);
}

/// Nothing: this reply told and changed nothing, so that there is no use to record.
std::optional<UseOutcome> outcome_of(RouteUse use, int status) {
  if (status < 400) return UseOutcome::allowed;
  if (status == 401 || status == 403) return UseOutcome::denied;
  if (use == RouteUse::read && status == 404) return UseOutcome::allowed;  // it was told that there is none
  if (use == RouteUse::read && status < 500) return std::nullopt;
  return UseOutcome::failed;
}

Error unrecorded_change(const Error& error) {
  return Error(error.code(), "the change was made, but it could not be recorded: " + error.message());
}

/// Whose trail names a caller that was turned away: never one that the request chose.
TenantId tenant_of_refused(const Principal* principal) {
  if (principal == nullptr || principal->grants.empty()) return TenantId::default_tenant();
  return principal->grants.front().tenant.value_or(TenantId::default_tenant());
}

}  // namespace

bool UseRecording::is_on(RouteUse use) const {
  if (parts_.mode == TrailMode::automatic) return parts_.asks_callers && parts_.asks_callers();
  return parts_.mode == TrailMode::all || (parts_.mode == TrailMode::changes && use != RouteUse::read);
}

bool UseRecording::records(RouteUse use) const {
  return use != RouteUse::none && use != RouteUse::own && is_on(use);
}

HttpHandler UseRecording::recorded(std::shared_ptr<UseRecording> self, RouteUse use, std::string action,
                                   HttpHandler handler) {
  return [self = std::move(self), use, action = std::move(action), handler = std::move(handler)](
             const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
    if (!self->records(use)) return handler(request, respond);
    if (use != RouteUse::read && self->parts_.can_record) {
      const Status ready = self->parts_.can_record();
      if (!ready) return respond(error_response(request->error_shape, ready.error(), request->request_id));
    }
    handler(request, [self, use, action, request, respond](HttpResponse response) {
      const auto outcome = outcome_of(use, response.status);
      if (!outcome) return respond(std::move(response));
      AccessEntry entry = use_entry_of(*request, action);
      entry.detail->outcome = *outcome;
      entry.detail->status = response.status;
      const bool was_changed = use != RouteUse::read && *outcome == UseOutcome::allowed;
      if (was_changed) entry.detail->result_id = id_of_reply(response);
      auto waiting = std::make_shared<HttpResponse>(std::move(response));
      self->parts_.recorder.record(std::move(entry), [waiting, respond, request, was_changed](const Status& stored) {
        if (stored) return respond(std::move(*waiting));
        const Error error = was_changed ? unrecorded_change(stored.error()) : stored.error();
        respond(error_response(request->error_shape, error, request->request_id));
      });
    });
  };
}

void UseRecording::record_query(AccessEntry entry, std::string_view query, std::function<void(Status)> done) const {
  if (!records(RouteUse::read)) return done({});
  entry.query_params.emplace_back("query", query);
  entry.timestamp = parts_.clock.now();
  parts_.recorder.record(std::move(entry), std::move(done));
}

void UseRecording::record_refusal(const RefusedUse& refused) {
  // What is refused is worth knowing where anything is recorded, also at routes that read.
  if (!records(RouteUse::change)) return;
  AccessEntry entry;
  entry.tenant = tenant_of_refused(refused.principal);
  const auto left_out = budget_.try_take(entry.tenant, parts_.clock.monotonic());
  if (!left_out) return;
  entry.timestamp = parts_.clock.now();
  if (refused.principal != nullptr) {
    entry.user_id = refused.principal->id;
    entry.token_id = refused.principal->token_id;
  }
  entry.action = refused.route.operation_id;
  entry.resource_path = refused.head.path;
  entry.query_params = parse_query_text(refused.head.query);
  if (const auto named = refused.head.headers.find("X-Tenant-ID"))
    entry.query_params.emplace_back("X-Tenant-ID", *named);
  entry.ip_address = refused.client_address;
  entry.request_id = refused.request_id;
  entry.detail = {.principal_kind = std::string(kind_name(refused.principal)),
                  .method = refused.head.method,
                  .outcome = UseOutcome::denied,
                  .status = refused.refusal.status,
                  .result_id = {},
                  .peer_address = {},
                  .left_out = *left_out};
  if (refused.peer_address != refused.client_address) entry.detail->peer_address = refused.peer_address;
  parts_.recorder.record(std::move(entry), [](const Status& stored) {
    if (stored) return;
    log(LogLevel::warning, "server", "a refused call could not be recorded", {{"reason", stored.error().message()}});
  });
}

void record_uses(RouteTable& routes, const std::shared_ptr<UseRecording>& recording) {
  for (Route& route : routes) {
    if (route.permission == Permission::open || route.use == RouteUse::none || route.use == RouteUse::own) continue;
    route.handler = UseRecording::recorded(recording, route.use, route.operation_id, std::move(route.handler));
  }
}

AccessEntry use_entry_of(const HttpRequest& request, std::string_view action) {
  AccessEntry entry = access_entry_of(request, action);
  add_body_members(entry, request);
  UseDetail& detail = entry.detail.emplace();
  detail.principal_kind = kind_name(request.principal.get());
  detail.method = request.method;
  if (request.peer_address != entry.ip_address) detail.peer_address = request.peer_address;
  return entry;
}

}  // namespace dendro
