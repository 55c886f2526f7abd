#include "meta/api_key_table.h"

#include "meta/text_list.h"

namespace dendro {
namespace {

constexpr std::string_view kKeySelect =
    "SELECT id, secret_hash, name, tenants, scopes, roles, certificate, created, expires, revoked, last_used "
    "FROM api_keys ";

Result<ApiKeyRow> key_row_of(const MetaRow& cells) {
  ApiKeyRow row;
  row.id = cells.text(0);
  row.secret_hash = cells.text(1);
  row.name = cells.text(2);
  DENDRO_TRY_ASSIGN(row.tenants, decode_text_list(cells.text(3)));
  DENDRO_TRY_ASSIGN(row.scopes, decode_text_list(cells.text(4)));
  DENDRO_TRY_ASSIGN(row.roles, decode_text_list(cells.text(5)));
  row.certificate = cells.text(6);
  row.created = Timestamp(cells.integer(7));
  row.expires = Timestamp(cells.integer(8));
  row.revoked = Timestamp(cells.integer(9));
  row.last_used = Timestamp(cells.integer(10));
  return row;
}

/// The key that the condition, about `value`, picks out.
Result<std::optional<ApiKeyRow>> find_key(MetaDatabase& database, std::string_view condition,
                                          const std::string& value) {
  return database.transact([&](MetaTransaction& meta) -> Result<std::optional<ApiKeyRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.row(std::string(kKeySelect) + std::string(condition), {value}));
    if (!found) return std::optional<ApiKeyRow>();
    DENDRO_TRY_ASSIGN(ApiKeyRow row, key_row_of(*found));
    return std::optional(std::move(row));
  });
}

constexpr std::string_view kOfTenant = "EXISTS (SELECT 1 FROM json_each(api_keys.tenants) WHERE value = ?)";

/// Lets one that is of no more use go if the tenant, or everybody together, has `limit` keys.
Status make_room(MetaTransaction& meta, const std::string& tenant, std::size_t limit, Timestamp now) {
  const std::string of_tenant = "(? = '' OR " + std::string(kOfTenant) + ")";
  DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM api_keys WHERE " + of_tenant, {tenant, tenant}));
  if (count->integer(0) < static_cast<std::int64_t>(limit)) return {};
  DENDRO_TRY_ASSIGN(const std::uint64_t removed,
                    meta.change("DELETE FROM api_keys WHERE id = (SELECT id FROM api_keys WHERE " + of_tenant +
                                    " AND (revoked <> 0 OR (expires <> 0 AND expires <= ?)) ORDER BY created LIMIT 1)",
                                {tenant, tenant, now.number()}));
  if (removed > 0) return {};
  return Error(ErrorCode::resource_exhausted, (tenant.empty() ? "there are " : "tenant \"" + tenant + "\" has ") +
                                                  std::to_string(limit) + " keys in use; revoke one first");
}

}  // namespace

Status ApiKeyTable::insert(const ApiKeyRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const std::string& tenant : row.tenants) DENDRO_TRY(make_room(meta, tenant, kPerTenantMax, row.created));
    DENDRO_TRY(make_room(meta, "", kKeysMax, row.created));
    DENDRO_TRY(
        meta.change("INSERT INTO api_keys (id, secret_hash, name, tenants, scopes, roles, certificate, created, "
                    "expires, revoked, last_used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    {row.id, row.secret_hash, row.name, encode_text_list(row.tenants), encode_text_list(row.scopes),
                     encode_text_list(row.roles), row.certificate.empty() ? MetaValue() : MetaValue(row.certificate),
                     row.created.number(), row.expires.number(), row.revoked.number(), row.last_used.number()}));
    return {};
  });
}

Result<std::optional<ApiKeyRow>> ApiKeyTable::find(const std::string& id) const {
  return find_key(database_, "WHERE id = ?", id);
}

Result<std::optional<ApiKeyRow>> ApiKeyTable::find_by_certificate(const std::string& name) const {
  return find_key(database_, "WHERE certificate = ? AND revoked = 0", name);
}

Result<std::vector<ApiKeyRow>> ApiKeyTable::list(const std::string& tenant) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<ApiKeyRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.rows(std::string(kKeySelect) + "WHERE (? = '' OR " +
                                                      std::string(kOfTenant) + ") ORDER BY created, id",
                                                  {tenant, tenant}));
    std::vector<ApiKeyRow> all;
    for (const MetaRow& cells : found) {
      DENDRO_TRY_ASSIGN(ApiKeyRow row, key_row_of(cells));
      all.push_back(std::move(row));
    }
    return all;
  });
}

Status ApiKeyTable::revoke(const std::string& id, Timestamp now) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const auto found, meta.row("SELECT revoked FROM api_keys WHERE id = ?", {id}));
    if (!found) return Error(ErrorCode::not_found, "no API key with the id \"" + id + "\"");
    if (found->integer(0) != 0) return {};
    DENDRO_TRY(meta.change("UPDATE api_keys SET revoked = ? WHERE id = ?", {now.number(), id}));
    return {};
  });
}

Status ApiKeyTable::set_last_used(const std::map<std::string, Timestamp>& uses) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const auto& [id, at] : uses) {
      DENDRO_TRY(meta.change("UPDATE api_keys SET last_used = max(last_used, ?) WHERE id = ?", {at.number(), id}));
    }
    return {};
  });
}

}  // namespace dendro
