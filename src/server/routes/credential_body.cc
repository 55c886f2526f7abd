#include "server/routes/credential_body.h"

#include <algorithm>
#include <charconv>

#include "base/json_document.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

Error bad_member(const std::string& name, std::string_view what) {
  return Error(ErrorCode::invalid_argument, name + ": must be " + std::string(what));
}

Status read_texts(const std::string& name, const JsonValue& value, std::vector<std::string>& member) {
  if (!value.is_array()) return bad_member(name, "a list of texts");
  for (const JsonValue& element : value.elements()) {
    const auto text = element.as_string();
    if (!text) return bad_member(name, "a list of texts");
    member.emplace_back(*text);
  }
  return {};
}

Status read_member(const std::string& name, const JsonValue& value, CredentialBody& body) {
  if (name == "tenants") return read_texts(name, value, body.tenants);
  if (name == "scopes") return read_texts(name, value, body.scopes);
  if (name == "roles") return read_texts(name, value, body.roles);
  if (name == "ttl_seconds") {
    body.ttl_seconds = value.as_int();
    return body.ttl_seconds && *body.ttl_seconds > 0 ? Status() : bad_member(name, "a whole number of seconds above 0");
  }
  const auto text = value.as_string();
  if (!text) return bad_member(name, "a text");
  if (name == "expires_at") {
    body.expires = parse_rfc3339(*text);
    return body.expires ? Status() : bad_member(name, "a time such as 2026-12-31T00:00:00Z");
  }
  (name == "name" ? body.name : body.subject) = *text;
  return {};
}

/// What the principal may do in a tenant, or in every one ("*"); null: nothing, or there is no such name.
const Access* held_access(const Principal& principal, const std::string& tenant) {
  if (tenant != kEveryTenant) {
    const Result<TenantId> id = TenantId::parse(tenant);
    return id ? principal.access_to(*id) : nullptr;
  }
  for (const Grant& grant : principal.grants) {
    if (!grant.tenant) return grant.access.get();
  }
  return nullptr;
}

}  // namespace

Result<CredentialBody> CredentialBody::read(std::string_view text, const std::vector<std::string_view>& known) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(text));
  if (!document.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  CredentialBody body;
  for (const auto& [name, value] : document.members()) {
    if (std::ranges::find(known, name) == known.end()) return unknown_member(name, known);
    if (!value.is_null()) DENDRO_TRY(read_member(name, value, body));
  }
  return body;
}

Error unknown_member(const std::string& name, const std::vector<std::string_view>& known) {
  std::string names;
  for (const std::string_view one : known) names.append(names.empty() ? "" : ", ").append(one);
  return Error(ErrorCode::invalid_argument, name + ": there is no such member; known are " + names);
}

Status check_may_grant(const HttpRequest& request, const std::vector<std::string>& tenants, PermissionSet wanted,
                       Permission by) {
  if (!request.principal) {
    return Error(ErrorCode::permission_denied,
                 "nobody is asked who they are here: make the first credential on the server, by dendro admin key "
                 "create or dendro admin user create");
  }
  DENDRO_TRY(check_tenant_names(tenants));
  wanted.add(by);
  for (const std::string& name : tenants) {
    const Access* const held = held_access(*request.principal, name);
    if (held == nullptr) {
      return Error(ErrorCode::permission_denied, "the caller does not hold the tenant " + name);
    }
    if (held->restricts_reading()) {
      return Error(ErrorCode::permission_denied, "a caller who sees some rows or fields only cannot make credentials");
    }
    for (const Permission permission : wanted.list()) {
      if (held->permissions.has(permission)) continue;
      return Error(ErrorCode::permission_denied, "the caller has no right to " +
                                                     std::string(permission_name(permission)) + " in the tenant " +
                                                     name + ", so it cannot hand it on");
    }
  }
  return {};
}

bool caller_has(const HttpRequest& request, const std::string& tenant, Permission permission) {
  if (!request.principal) return true;
  const Access* const held = held_access(*request.principal, tenant);
  return held != nullptr && held->permissions.has(permission);
}

Result<PermissionSet> permissions_of_roles(const Roles& roles, const std::vector<std::string>& names,
                                           const std::string& tenant) {
  DENDRO_TRY_ASSIGN(const std::vector<Role> named, roles.find(names));
  PermissionSet permissions;
  for (const Role& role : named) permissions.add(role.permissions);
  // The right to make and remove tenants counts of "*" only (role.h).
  if (tenant != kEveryTenant) permissions.remove(Permission::tenants);
  return permissions;
}

Result<CredentialPage> read_credential_page(const HttpRequest& request, std::size_t limit_max) {
  constexpr std::size_t kLimitDefault = 100;
  CredentialPage page{std::string(request.query_param("tenant").value_or("")), kLimitDefault,
                      std::string(request.query_param("cursor").value_or(""))};
  const auto text = request.query_param("limit");
  if (!text) return page;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), page.limit);
  const bool is_number = read.ec == std::errc() && read.ptr == text->data() + text->size();
  if (is_number && page.limit >= 1 && page.limit <= limit_max) return page;
  return Error(ErrorCode::invalid_argument, "limit: must be a whole number from 1 to " + std::to_string(limit_max));
}

std::vector<RouteParam> credential_page_params(std::size_t limit_max) {
  const std::string limit =
      R"({"type":"integer","minimum":1,"default":100,"maximum":)" + std::to_string(limit_max) + "}";
  return {{"tenant", ParamPlace::query, false, R"({"type":"string"})", "Only those of this tenant."},
          {"limit", ParamPlace::query, false, limit, "How many at most."},
          {"cursor", ParamPlace::query, false, R"({"type":"string"})", "`next_cursor` of the page before."}};
}

HttpResponse list_reply(const std::string& items, const std::string& next_cursor) {
  std::string text = R"({"items":[)" + items + "]";
  if (!next_cursor.empty()) {
    text += R"(,"next_cursor":)";
    append_json_string(text, next_cursor);
  }
  return json_response(200, text + "}");
}

bool is_of_tenant(const HttpRequest& request, const std::vector<std::string>& tenants) {
  if (std::ranges::find(tenants, kEveryTenant) != tenants.end()) {
    return request.principal && request.principal->holds_every_tenant();
  }
  return std::ranges::find(tenants, request.tenant.text()) != tenants.end();
}

std::string_view credential_state(Timestamp now, Timestamp expires, Timestamp revoked) {
  if (revoked != Timestamp()) return "revoked";
  return expires != Timestamp() && expires <= now ? "expired" : "active";
}

}  // namespace dendro
