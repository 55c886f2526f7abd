#include "services/tenants/tenant_service.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/crypto_hash.h"
#include "base/hex.h"
#include "base/log.h"

namespace dendro {
namespace {

Error tenant_not_found() {
  return Error(ErrorCode::not_found, "Tenant not found");
}

std::string settings_text(const TenantSettings& settings) {
  std::string text;
  JsonWriter json(text);
  write_tenant_settings(json, settings);
  return text;
}

/// What a version wrote that knew settings which this one does not is read as far as it goes.
TenantSettings stored_settings(const TenantRow& row) {
  TenantSettings settings;
  FieldFaults faults;
  if (const auto document = parse_json_document(row.settings)) read_tenant_settings(*document, settings, faults);
  for (const FieldFault& fault : faults) {
    settings.is_masking_unreadable |= fault.field.starts_with("settings.masking");
    log(LogLevel::warning, "tenants", "a stored setting is not used",
        {{"tenant", row.id.text()}, {"field", fault.field}, {"reason", fault.message}});
  }
  return settings;
}

std::int64_t day_of(Timestamp now) {
  return day_start(now).number() / kNanosPerDay;
}

std::string proof_text(Timestamp now, std::uint64_t records, std::uint64_t rows) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("deleted_at", to_rfc3339(now, 6));
  json.member("records_deleted", records);
  json.member("records_left", 0);
  json.member("meta_rows_deleted", rows);
  json.end_object();
  return text;
}

}  // namespace

TenantService::TenantService(TenantRegister& table, TenantStoreParts store, const Clock& clock, RandomSource& random)
    : table_(table), store_(std::move(store)), clock_(clock), random_(random) {}

Status TenantService::open() {
  DENDRO_TRY_ASSIGN(const std::vector<TenantRow> rows, table_.list());
  DENDRO_TRY_ASSIGN(const auto usage, table_.usage());
  {
    MutexLock lock(mutex_);
    for (const auto& [tenant, row] : usage) meters_[tenant].usage = row;
  }
  for (const TenantRow& row : rows) {
    publish(row);
    if (row.state == TenantState::deleting) DENDRO_TRY(carry_out_removal(row));
  }
  return {};
}

void TenantService::publish(const TenantRow& row) {
  const bool is_there = row.state != TenantState::deleted;
  std::shared_ptr<const Tenant> tenant;
  if (is_there) {
    tenant = std::make_shared<const Tenant>(
        Tenant{row.id, row.object_id, row.name, stored_settings(row), row.state, row.proof, row.created});
  }
  const auto days = is_there ? std::optional(tenant->settings.retention_days) : std::nullopt;
  {
    MutexLock lock(mutex_);
    rows_.insert_or_assign(row.id, row);
    if (is_there) {
      tenants_.insert_or_assign(row.id, std::move(tenant));
    } else {
      tenants_.erase(row.id);
    }
  }
  store_.set_retention(row.id, days);
}

std::shared_ptr<const Tenant> TenantService::find(const TenantId& tenant) const {
  MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second;
}

std::shared_ptr<const Tenant> TenantService::find(std::string_view id) const {
  MutexLock lock(mutex_);
  std::shared_ptr<const Tenant> by_object_id;
  for (const auto& [tenant, row] : tenants_) {
    if (tenant.text() == id) return row;
    if (row->object_id == id) by_object_id = row;
  }
  return by_object_id;
}

TenantSettings TenantService::settings_of(const TenantId& tenant) const {
  const auto found = find(tenant);
  return found ? found->settings : TenantSettings();
}

std::vector<std::shared_ptr<const Tenant>> TenantService::list() const {
  std::vector<std::shared_ptr<const Tenant>> all;
  MutexLock lock(mutex_);
  for (const auto& [id, tenant] : tenants_) all.push_back(tenant);
  return all;
}

Result<std::shared_ptr<const Tenant>> TenantService::create(const Draft& draft) {
  if (!is_tenant_name(draft.tenant_id)) {
    return Error(ErrorCode::invalid_argument,
                 "tenant_id: 1 to 63 letters, digits, dots, hyphens and underscores, a letter or digit first");
  }
  DENDRO_TRY_ASSIGN(TenantId id, TenantId::parse(draft.tenant_id));
  std::array<std::uint8_t, 12> object_id{};
  random_.fill(object_id);
  const TenantRow row{std::move(id),
                      to_hex(object_id),
                      draft.name,
                      settings_text(draft.settings),
                      draft.api_key.empty() ? std::string() : to_hex(sha256(draft.api_key)),
                      TenantState::active,
                      {},
                      clock_.now()};
  MutexLock changing(changes_);
  if (const Status created = table_.create(row); !created) {
    if (created.error().code() != ErrorCode::already_exists) return created.error();
    return Error(ErrorCode::already_exists, "Tenant with ID " + draft.tenant_id + " already exists");
  }
  publish(row);
  return find(row.id);
}

Result<TenantRow> TenantService::row_of(const TenantId& tenant) const {
  MutexLock lock(mutex_);
  const auto found = rows_.find(tenant);
  if (found == rows_.end() || found->second.state == TenantState::deleted) return tenant_not_found();
  return found->second;
}

Status TenantService::store_row(const TenantRow& row) {
  DENDRO_TRY(table_.replace(row));
  publish(row);
  return {};
}

Result<std::shared_ptr<const Tenant>> TenantService::replace(const TenantId& tenant, std::string name,
                                                             TenantSettings settings) {
  MutexLock changing(changes_);
  DENDRO_TRY_ASSIGN(TenantRow row, row_of(tenant));
  row.name = std::move(name);
  row.settings = settings_text(settings);
  DENDRO_TRY(store_row(row));
  return find(tenant);
}

Result<std::shared_ptr<const Tenant>> TenantService::set_suspended(const TenantId& tenant, bool is_suspended) {
  MutexLock changing(changes_);
  DENDRO_TRY_ASSIGN(TenantRow row, row_of(tenant));
  if (row.state == TenantState::deleting) return Error(ErrorCode::permission_denied, "the tenant is being deleted");
  row.state = is_suspended ? TenantState::suspended : TenantState::active;
  DENDRO_TRY(store_row(row));
  return find(tenant);
}

Status TenantService::remove(const TenantId& tenant) {
  std::optional<TenantRow> row;
  {
    MutexLock changing(changes_);
    DENDRO_TRY_ASSIGN(row, row_of(tenant));
    row->state = TenantState::deleting;
    DENDRO_TRY(store_row(*row));  // from here on nothing is taken for it
  }
  return carry_out_removal(std::move(*row));
}

Status TenantService::carry_out_removal(TenantRow row) {
  DENDRO_TRY_ASSIGN(const std::uint64_t records, store_.drop_records(row.id));
  DENDRO_TRY_ASSIGN(const std::uint64_t erased, table_.erase_rows_of(row.id));
  if (store_.forget) store_.forget(row.id);
  DENDRO_TRY_ASSIGN(const std::uint64_t left, store_.count_records(row.id));
  if (left != 0) {
    return Error(ErrorCode::internal, "tenant " + row.id.text() + ": " + std::to_string(left) +
                                          " records are there after they were deleted");
  }
  row.state = TenantState::deleted;
  row.proof = proof_text(clock_.now(), records, erased);
  DENDRO_TRY(store_row(row));
  MutexLock lock(mutex_);
  meters_.erase(row.id);
  return {};
}

TenantService::Verdict TenantService::admits(const TenantId& tenant, Use use) {
  MutexLock lock(mutex_);
  const auto row = rows_.find(tenant);
  if (row == rows_.end()) return {};
  switch (row->second.state) {
    case TenantState::suspended:
      return {Error(ErrorCode::permission_denied, "Tenant " + tenant.text() + " is suspended")};
    case TenantState::deleting:
    case TenantState::deleted:
      return {Error(ErrorCode::permission_denied, "Tenant " + tenant.text() + " is deleted")};
    case TenantState::active:
      break;
  }
  return admits_locked(*tenants_.at(tenant), use);
}

TenantService::Verdict TenantService::admits_locked(const Tenant& tenant, Use use) {
  const TenantQuota& quota = tenant.settings.quota;
  if (quota.requests_per_s == 0 && quota.ingest_bytes_per_day == 0) return {};
  Meter& meter = meters_[tenant.id];
  const Timestamp now = clock_.now();
  if (use == Use::ingest && quota.ingest_bytes_per_day > 0 && meter.usage.day == day_of(now) &&
      meter.usage.ingested_bytes >= quota.ingest_bytes_per_day) {
    const std::int64_t rest = day_start(now).number() + kNanosPerDay - now.number();
    return {Error(ErrorCode::resource_exhausted, "Tenant " + tenant.id.text() + " has sent its " +
                                                     std::to_string(quota.ingest_bytes_per_day) + " bytes of today"),
            std::chrono::seconds(rest / kNanosPerSecond + 1)};
  }
  if (quota.requests_per_s == 0) return {};
  const std::chrono::nanoseconds tick = clock_.monotonic();
  const double rate = quota.requests_per_s;
  const double gained = std::chrono::duration<double>(tick - meter.tokens_at).count() * rate;
  meter.tokens = meter.is_begun ? std::min(2 * rate, meter.tokens + gained) : 2 * rate;
  meter.is_begun = true;
  meter.tokens_at = tick;
  if (meter.tokens < 1) {
    return {Error(ErrorCode::resource_exhausted, "Tenant " + tenant.id.text() + " may send " +
                                                     std::to_string(quota.requests_per_s) + " requests a second"),
            std::chrono::seconds(1)};
  }
  meter.tokens -= 1;
  return {};
}

void TenantService::count_ingested(const TenantId& tenant, std::uint64_t bytes) {
  MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || found->second->settings.quota.ingest_bytes_per_day == 0) return;
  Meter& meter = meters_[tenant];
  const std::int64_t today = day_of(clock_.now());
  if (meter.usage.day != today) meter.usage = {today, 0};
  meter.usage.ingested_bytes += bytes;
  meter.is_saved = false;
}

Status TenantService::save_usage() {
  std::map<TenantId, TenantUsageRow> changed;
  {
    MutexLock lock(mutex_);
    for (auto& [tenant, meter] : meters_) {
      if (!std::exchange(meter.is_saved, true)) changed.emplace(tenant, meter.usage);
    }
  }
  if (changed.empty()) return {};
  return table_.save_usage(changed);
}

}  // namespace dendro
