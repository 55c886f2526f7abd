#include "server/routes/credential_body.h"

#include <algorithm>

#include "base/json_document.h"

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

}  // namespace

Result<CredentialBody> CredentialBody::read(std::string_view text, const std::vector<std::string_view>& known) {
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(text));
  if (!document.is_object()) return Error(ErrorCode::invalid_argument, "the body must be an object");
  CredentialBody body;
  for (const auto& [name, value] : document.members()) {
    if (std::ranges::find(known, name) == known.end()) {
      std::string names;
      for (const std::string_view one : known) names.append(names.empty() ? "" : ", ").append(one);
      return Error(ErrorCode::invalid_argument, name + ": there is no such member; known are " + names);
    }
    if (!value.is_null()) DENDRO_TRY(read_member(name, value, body));
  }
  return body;
}

Status check_may_grant(const HttpRequest& request, const std::vector<std::string>& tenants, PermissionSet wanted) {
  if (!request.principal) {
    return Error(ErrorCode::permission_denied,
                 "nobody is asked who they are here: make the first credential on the server, by dendro admin key "
                 "create or dendro admin user create");
  }
  DENDRO_TRY(check_tenant_names(tenants));
  for (const std::string& name : tenants) {
    const Access* held = nullptr;
    if (name == kEveryTenant) {
      for (const Grant& grant : request.principal->grants) {
        if (!grant.tenant) held = grant.access.get();
      }
    } else {
      DENDRO_TRY_ASSIGN(const TenantId tenant, TenantId::parse(name));
      held = request.principal->access_to(tenant);
    }
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
