#include "server/routes/session_document.h"

#include <map>

#include "base/json_writer.h"

namespace dendro {
namespace {

std::string_view kind_name(Principal::Kind kind) {
  constexpr std::string_view kNames[] = {"anonymous", "api_key", "token", "user", "certificate"};
  return kNames[static_cast<std::size_t>(kind)];
}

struct ShownTenant {
  std::string name;
  const Access* access = nullptr;
};

/// By id, each once: what is said of a tenant itself wins over what is said of every one.
std::map<std::string, ShownTenant> shown_tenants(const Principal& principal, const TenantService& tenants) {
  std::map<std::string, ShownTenant> shown;
  const auto add = [&](const TenantId& tenant) {
    const auto known = tenants.find(tenant);
    shown[tenant.text()] = {known ? known->name : tenant.text(), principal.access_to(tenant)};
  };
  for (const Grant& grant : principal.grants) {
    if (grant.tenant) add(*grant.tenant);
  }
  if (principal.holds_every_tenant()) {
    add(TenantId::default_tenant());
    for (const auto& tenant : tenants.list()) add(tenant->id);
  }
  return shown;
}

void write_shown_tenant(JsonWriter& json, const std::string& id, const std::string& name, std::string_view role,
                        PermissionSet permissions) {
  json.begin_object();
  json.member("id", id);
  json.member("name", name);
  json.member("role", role);
  json.key("permissions");
  json.begin_array();
  for (const Permission one : permissions.list()) {
    if (one != Permission::open) json.value(permission_name(one));
  }
  json.end_array();
  json.end_object();
}

std::string role_names(const Access& access) {
  std::string names;
  for (const std::string& role : access.roles) names.append(names.empty() ? "" : ", ").append(role);
  return names;
}

bool is_instance_admin(const Principal& principal) {
  for (const Grant& grant : principal.grants) {
    if (!grant.tenant && grant.access->permissions.has(Permission::admin)) return true;
  }
  return false;
}

void write_end(JsonWriter& json, bool is_admin, std::optional<Timestamp> expires) {
  json.member("instance_admin", is_admin);
  json.key("guest");
  json.raw(R"({"used":0,"limit":0})");  // nothing here is for guests yet
  json.key("expires_at");
  if (expires) {
    json.value(to_rfc3339(*expires, 0));
  } else {
    json.null();
  }
  json.end_object();
}

}  // namespace

std::string session_document(const Principal& principal, const TenantService& tenants) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("user");
  json.begin_object();
  json.member("id", principal.id);
  json.member("name", principal.name);
  json.member("kind", kind_name(principal.kind));
  json.end_object();
  json.key("tenants");
  json.begin_array();
  for (const auto& [id, tenant] : shown_tenants(principal, tenants)) {
    write_shown_tenant(json, id, tenant.name, role_names(*tenant.access), tenant.access->permissions);
  }
  json.end_array();
  write_end(json, is_instance_admin(principal), principal.expires);
  return text;
}

std::string open_session_document() {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("user");
  json.null();
  json.key("tenants");
  json.begin_array();
  const std::string id = TenantId::default_tenant().text();
  write_shown_tenant(json, id, id, "admin", PermissionSet::all());
  json.end_array();
  write_end(json, true, std::nullopt);
  return text;
}

}  // namespace dendro
