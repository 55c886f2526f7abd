#include "meta/saved_queries.h"

#include <array>

#include "base/hex.h"

namespace dendro {
namespace {

constexpr std::string_view kSavedColumns = "id, name, query, settings, created, updated";

std::string select_saved(std::string_view where) {
  return "SELECT " + std::string(kSavedColumns) + " FROM saved_queries WHERE " + std::string(where);
}

SavedQuery saved_of(const MetaRow& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), Timestamp(row.integer(4)), Timestamp(row.integer(5))};
}

Status check_contents(const SavedQueries::Contents& contents) {
  if (contents.name.empty()) return Error(ErrorCode::invalid_argument, "name: is empty");
  const auto check_size = [](std::string_view what, const std::string& text, std::size_t bytes_max) -> Status {
    if (text.size() <= bytes_max) return {};
    return Error(ErrorCode::too_large, std::string(what) + ": has " + std::to_string(text.size()) + " bytes, at most " +
                                           std::to_string(bytes_max) + " are taken");
  };
  DENDRO_TRY(check_size("name", contents.name, SavedQueries::kNameBytesMax));
  DENDRO_TRY(check_size("query", contents.query, SavedQueries::kQueryBytesMax));
  return check_size("settings", contents.settings, SavedQueries::kSettingsBytesMax);
}

Error no_such_query(std::string_view id) {
  return Error(ErrorCode::not_found, "no saved query with the id \"" + std::string(id) + "\"");
}

Error name_taken(const Error& error, const std::string& name) {
  if (error.code() != ErrorCode::already_exists) return error;
  return Error(error.code(), "name: \"" + name + "\" is taken already");
}

}  // namespace

Result<std::vector<SavedQuery>> SavedQueries::list(const TenantId& tenant) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<SavedQuery>> {
    DENDRO_TRY_ASSIGN(const auto rows, meta.rows(select_saved("tenant = ? ORDER BY name"), {tenant.text()}));
    std::vector<SavedQuery> all;
    for (const MetaRow& row : rows) all.push_back(saved_of(row));
    return all;
  });
}

Result<SavedQuery> SavedQueries::get(const TenantId& tenant, std::string_view id) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<SavedQuery> {
    DENDRO_TRY_ASSIGN(const auto row,
                      meta.row(select_saved("tenant = ? AND id = ?"), {tenant.text(), std::string(id)}));
    if (!row) return no_such_query(id);
    return saved_of(*row);
  });
}

Result<std::optional<SavedQuery>> SavedQueries::find(const TenantId& tenant, std::string_view name) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::optional<SavedQuery>> {
    DENDRO_TRY_ASSIGN(const auto row,
                      meta.row(select_saved("tenant = ? AND name = ?"), {tenant.text(), std::string(name)}));
    if (!row) return std::optional<SavedQuery>();
    return std::optional(saved_of(*row));
  });
}

Result<SavedQuery> SavedQueries::create(const TenantId& tenant, const Contents& contents) {
  DENDRO_TRY(check_contents(contents));
  std::array<std::uint8_t, 8> id{};
  random_.fill(id);
  const Timestamp now = clock_.now();
  const SavedQuery saved{to_hex(id), contents.name, contents.query, contents.settings, now, now};
  auto created = database_.transact([&](MetaTransaction& meta) -> Result<SavedQuery> {
    DENDRO_TRY_ASSIGN(const auto count,
                      meta.row("SELECT COUNT(*) FROM saved_queries WHERE tenant = ?", {tenant.text()}));
    if (count->integer(0) >= static_cast<std::int64_t>(kPerTenantMax)) {
      return Error(ErrorCode::resource_exhausted,
                   "the tenant has " + std::to_string(kPerTenantMax) + " saved queries; delete one first");
    }
    DENDRO_TRY(
        meta.change("INSERT INTO saved_queries (id, tenant, name, query, settings, created, updated) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    {saved.id, tenant.text(), saved.name, saved.query, saved.settings, now.number(), now.number()}));
    return saved;
  });
  if (!created) return name_taken(created.error(), contents.name);
  return created;
}

Result<SavedQuery> SavedQueries::replace(const TenantId& tenant, std::string_view id, const Contents& contents) {
  DENDRO_TRY(check_contents(contents));
  auto replaced = database_.transact([&](MetaTransaction& meta) -> Result<SavedQuery> {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed,
                      meta.change("UPDATE saved_queries SET name = ?, query = ?, settings = ?, updated = ? "
                                  "WHERE tenant = ? AND id = ?",
                                  {contents.name, contents.query, contents.settings, clock_.now().number(),
                                   tenant.text(), std::string(id)}));
    if (changed == 0) return no_such_query(id);
    DENDRO_TRY_ASSIGN(const auto row,
                      meta.row(select_saved("tenant = ? AND id = ?"), {tenant.text(), std::string(id)}));
    return saved_of(*row);
  });
  if (!replaced) return name_taken(replaced.error(), contents.name);
  return replaced;
}

Status SavedQueries::remove(const TenantId& tenant, std::string_view id) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change("DELETE FROM saved_queries WHERE tenant = ? AND id = ?",
                                                               {tenant.text(), std::string(id)}));
    if (changed == 0) return no_such_query(id);
    return {};
  });
}

}  // namespace dendro
