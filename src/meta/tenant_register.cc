#include "meta/tenant_register.h"

#include <array>
#include <utility>

namespace dendro {
namespace {

constexpr std::array<std::string_view, 4> kTenantStates = {"active", "suspended", "deleting", "deleted"};

std::string state_text(TenantState state) {
  return std::string(kTenantStates[static_cast<std::size_t>(state)]);
}

Result<TenantState> parse_state(std::string_view text) {
  for (std::size_t i = 0; i < kTenantStates.size(); ++i) {
    if (kTenantStates[i] == text) return static_cast<TenantState>(i);
  }
  return Error(ErrorCode::corruption, "meta: a tenant's state is \"" + std::string(text) + "\"");
}

Result<TenantRow> tenant_of(const MetaRow& row) {
  DENDRO_TRY_ASSIGN(TenantId id, TenantId::parse(row.text(0)));
  DENDRO_TRY_ASSIGN(const TenantState state, parse_state(row.text(5)));
  return TenantRow{std::move(id), row.text(1), row.text(2), row.text(3),
                   row.text(4),   state,       row.text(6), Timestamp(row.integer(7))};
}

}  // namespace

Result<std::vector<TenantRow>> TenantRegister::list() const {
  return database_.transact([](MetaTransaction& meta) -> Result<std::vector<TenantRow>> {
    DENDRO_TRY_ASSIGN(const auto rows,
                      meta.rows("SELECT tenant_id, object_id, name, settings, api_key_hash, state, proof, created "
                                "FROM tenants ORDER BY tenant_id"));
    std::vector<TenantRow> tenants;
    for (const MetaRow& row : rows) {
      DENDRO_TRY_ASSIGN(TenantRow tenant, tenant_of(row));
      tenants.push_back(std::move(tenant));
    }
    return tenants;
  });
}

Status TenantRegister::create(const TenantRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("DELETE FROM tenants WHERE tenant_id = ? AND state = 'deleted'", {row.id.text()}));
    DENDRO_TRY(meta.change("INSERT INTO tenants VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                           {row.id.text(), row.object_id, row.name, row.settings, row.api_key_hash,
                            state_text(row.state), row.proof, row.created.number()}));
    return {};
  });
}

Status TenantRegister::replace(const TenantRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed,
                      meta.change("UPDATE tenants SET name = ?, settings = ?, state = ?, proof = ? WHERE tenant_id = ?",
                                  {row.name, row.settings, state_text(row.state), row.proof, row.id.text()}));
    if (changed == 0) return Error(ErrorCode::not_found, "no tenant \"" + row.id.text() + "\"");
    return {};
  });
}

Result<std::uint64_t> TenantRegister::erase_rows_of(const TenantId& tenant) {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::uint64_t> {
    // Asked of the schema, so that no table can be forgotten.
    DENDRO_TRY_ASSIGN(const auto tables,
                      meta.rows("SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
                                "WHERE m.type = 'table' AND c.name = 'tenant' ORDER BY m.name"));
    std::uint64_t erased = 0;
    for (const MetaRow& table : tables) {
      DENDRO_TRY_ASSIGN(const std::uint64_t changed,
                        meta.change("DELETE FROM \"" + table.text(0) + "\" WHERE tenant = ?", {tenant.text()}));
      erased += changed;
    }
    return erased;
  });
}

Result<std::map<TenantId, TenantUsageRow>> TenantRegister::usage() const {
  return database_.transact([](MetaTransaction& meta) -> Result<std::map<TenantId, TenantUsageRow>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows("SELECT tenant, day, ingested_bytes FROM tenant_usage"));
    std::map<TenantId, TenantUsageRow> usage;
    for (const MetaRow& row : rows) {
      DENDRO_TRY_ASSIGN(TenantId tenant, TenantId::parse(row.text(0)));
      usage.emplace(std::move(tenant), TenantUsageRow{row.integer(1), static_cast<std::uint64_t>(row.integer(2))});
    }
    return usage;
  });
}

Status TenantRegister::save_usage(const std::map<TenantId, TenantUsageRow>& usage) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const auto& [tenant, row] : usage) {
      DENDRO_TRY(meta.change("INSERT OR REPLACE INTO tenant_usage VALUES (?, ?, ?)",
                             {tenant.text(), row.day, static_cast<std::int64_t>(row.ingested_bytes)}));
    }
    return {};
  });
}

}  // namespace dendro
