#include "apps/serve_access.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace dendro {
namespace {

/// All records of a tenant, dead letters too.
Result<std::uint64_t> count_records(Store& store, const TenantId& tenant) {
  DENDRO_TRY_ASSIGN(const auto snapshot, store.snapshot(tenant));
  const auto source = snapshot->scan({});
  std::uint64_t count = 0;
  while (true) {
    DENDRO_TRY_ASSIGN(const auto block, source->next());
    if (!block) return count;
    count += block->rows.size();
  }
}

TenantService::Use use_of(Permission permission) {
  return permission == Permission::ingest ? TenantService::Use::ingest : TenantService::Use::read;
}

}  // namespace

TenantStoreParts make_tenant_store_parts(Store& store, RetentionRule standard) {
  TenantStoreParts parts;
  parts.count_records = [&store](const TenantId& tenant) { return count_records(store, tenant); };
  parts.drop_records = [&store](const TenantId& tenant) -> Result<std::uint64_t> {
    DENDRO_TRY_ASSIGN(const std::uint64_t count, count_records(store, tenant));
    DENDRO_TRY(store.drop_tenant(tenant));
    return count;
  };
  parts.set_retention = [&store, standard](const TenantId& tenant, std::optional<std::uint32_t> days) {
    if (!days) return store.set_tenant_retention(tenant, std::nullopt);
    RetentionRule rule = standard;
    rule.max_age = std::chrono::hours(24) * *days;
    store.set_tenant_retention(tenant, rule);
  };
  return parts;
}

AccessParts ServeAccess::parts() {
  AccessParts parts;
  parts.authenticator = &identity_.authenticator();
  parts.is_on = [this] { return identity_.is_auth_configured(); };
  parts.roles_with = [this](Permission permission) { return roles_with(permission); };
  parts.tenant_admits = [this](const TenantId& tenant, Permission permission) {
    const TenantService::Verdict verdict = tenants_.admits(tenant, use_of(permission));
    if (!verdict.status) meters_.add(tenant, {.refusals = 1});
    return TenantAnswer{verdict.status, verdict.retry_after};
  };
  parts.count_body = [this](const TenantId& tenant, Permission permission, std::uint64_t bytes) {
    if (permission == Permission::ingest) count_body(tenant, bytes);
  };
  return parts;
}

Status ServeAccess::read_roles() {
  const std::uint64_t generation = identity_.authenticator().generation();
  DENDRO_TRY_ASSIGN(std::vector<Role> roles, identity_.roles().list());
  std::ranges::sort(roles, {}, &Role::name);
  MutexLock lock(mutex_);
  roles_ = std::move(roles);
  roles_generation_ = generation;
  return {};
}

std::vector<std::string> ServeAccess::roles_with(Permission permission) {
  std::vector<std::string> names;
  bool is_stale = false;
  {
    MutexLock lock(mutex_);
    for (const Role& role : roles_) {
      if (role.permissions.has(permission)) names.push_back(role.name);
    }
    const std::uint64_t generation = identity_.authenticator().generation();
    is_stale = std::exchange(roles_generation_, generation) != generation;
  }
  if (!is_stale) return names;
  // The text of this refusal may be behind by one change of the roles; the refusal itself is not.
  const Status queued = workers_.submit([this] {
    if (const Status read = read_roles(); !read) {
      log(LogLevel::warning, "apps", "the roles could not be read", {{"reason", read.error().message()}});
    }
  });
  if (!queued) {
    MutexLock lock(mutex_);
    --roles_generation_;
  }
  return names;
}

void ServeAccess::count_body(const TenantId& tenant, std::uint64_t bytes) {
  tenants_.count_ingested(tenant, bytes);
  {
    MutexLock lock(mutex_);
    if (clock_.monotonic() - usage_saved_ < kUsageSavedEvery) return;
    usage_saved_ = clock_.monotonic();
  }
  // A full pool: the next minute tries again.
  [[maybe_unused]] const Status queued = workers_.submit([this] {
    if (const Status saved = tenants_.save_usage(); !saved) {
      log(LogLevel::warning, "apps", "what tenants sent could not be written", {{"reason", saved.error().message()}});
    }
  });
}

}  // namespace dendro
