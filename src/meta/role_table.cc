#include "meta/role_table.h"

#include "meta/text_list.h"

namespace dendro {
namespace {

constexpr std::string_view kRoleSelect =
    "SELECT name, permissions, row_filter, hidden_fields, masked_fields, updated FROM roles ";

Result<RoleRow> role_row_of(const MetaRow& cells) {
  RoleRow row;
  row.name = cells.text(0);
  DENDRO_TRY_ASSIGN(row.permissions, decode_text_list(cells.text(1)));
  row.row_filter = cells.text(2);
  DENDRO_TRY_ASSIGN(row.hidden_fields, decode_text_list(cells.text(3)));
  DENDRO_TRY_ASSIGN(row.masked_fields, decode_text_list(cells.text(4)));
  row.updated = Timestamp(cells.integer(5));
  return row;
}

}  // namespace

Result<std::vector<RoleRow>> RoleTable::list() const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<RoleRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.rows(std::string(kRoleSelect) + "ORDER BY name"));
    std::vector<RoleRow> all;
    for (const MetaRow& cells : found) {
      DENDRO_TRY_ASSIGN(RoleRow row, role_row_of(cells));
      all.push_back(std::move(row));
    }
    return all;
  });
}

Result<std::optional<RoleRow>> RoleTable::find(const std::string& name) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::optional<RoleRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.row(std::string(kRoleSelect) + "WHERE name = ?", {name}));
    if (!found) return std::optional<RoleRow>();
    DENDRO_TRY_ASSIGN(RoleRow row, role_row_of(*found));
    return std::optional(std::move(row));
  });
}

Status RoleTable::put(const RoleRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const auto others, meta.row("SELECT COUNT(*) FROM roles WHERE name <> ?", {row.name}));
    if (others->integer(0) >= static_cast<std::int64_t>(kRolesMax)) {
      return Error(ErrorCode::resource_exhausted,
                   "there are " + std::to_string(kRolesMax) + " roles; remove one first");
    }
    DENDRO_TRY(
        meta.change("INSERT OR REPLACE INTO roles (name, permissions, row_filter, hidden_fields, masked_fields, "
                    "updated) VALUES (?, ?, ?, ?, ?, ?)",
                    {row.name, encode_text_list(row.permissions), row.row_filter, encode_text_list(row.hidden_fields),
                     encode_text_list(row.masked_fields), row.updated.number()}));
    return {};
  });
}

Status RoleTable::remove(const std::string& name) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change("DELETE FROM roles WHERE name = ?", {name}));
    if (changed == 0) return Error(ErrorCode::not_found, "no role \"" + name + "\" was made here");
    return {};
  });
}

}  // namespace dendro
