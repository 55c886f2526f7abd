#include "meta/privacy_key_table.h"

#include <utility>

namespace dendro {

Result<std::vector<PrivacyKeyRow>> PrivacyKeyTable::list() const {
  return database_.transact([](MetaTransaction& meta) -> Result<std::vector<PrivacyKeyRow>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows("SELECT tenant, version, wrapped, created FROM privacy_keys "
                                                 "ORDER BY tenant, version"));
    std::vector<PrivacyKeyRow> keys;
    for (const MetaRow& row : rows) {
      DENDRO_TRY_ASSIGN(TenantId tenant, TenantId::parse(row.text(0)));
      keys.push_back(
          {std::move(tenant), static_cast<std::uint32_t>(row.integer(1)), row.text(2), Timestamp(row.integer(3))});
    }
    return keys;
  });
}

Status PrivacyKeyTable::add(const PrivacyKeyRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(
        meta.change("INSERT INTO privacy_keys VALUES (?, ?, ?, ?)",
                    {row.tenant.text(), static_cast<std::int64_t>(row.version), row.wrapped, row.created.number()}));
    return {};
  });
}

Status PrivacyKeyTable::rewrap(const std::vector<PrivacyKeyRow>& rows) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const PrivacyKeyRow& row : rows) {
      DENDRO_TRY(meta.change("UPDATE privacy_keys SET wrapped = ? WHERE tenant = ? AND version = ?",
                             {row.wrapped, row.tenant.text(), static_cast<std::int64_t>(row.version)}));
    }
    return {};
  });
}

Result<std::uint64_t> PrivacyKeyTable::erase(const TenantId& tenant) {
  const auto erased = database_.transact([&](MetaTransaction& meta) -> Result<std::uint64_t> {
    return meta.change("DELETE FROM privacy_keys WHERE tenant = ?", {tenant.text()});
  });
  if (!erased) return erased.error();
  DENDRO_TRY(database_.scrub());
  return *erased;
}

Result<std::string> PrivacyKeyTable::default_rules() const {
  return database_.transact([](MetaTransaction& meta) -> Result<std::string> {
    DENDRO_TRY_ASSIGN(const auto row, meta.row("SELECT rules FROM masking_default"));
    return row ? row->text(0) : std::string("[]");
  });
}

Status PrivacyKeyTable::set_default_rules(const std::string& rules) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("UPDATE masking_default SET rules = ? WHERE rules <> ?", {rules, rules}));
    return {};
  });
}

}  // namespace dendro
