#include "meta/user_table.h"

#include "base/json_document.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::string_view kUserSelect =
    "SELECT id, email, password_hash, grants, disabled, created, last_sign_in FROM users ";

std::string encode_grants(const std::vector<UserGrantRow>& grants) {
  std::string cell;
  JsonWriter json(cell);
  json.begin_array();
  for (const UserGrantRow& grant : grants) {
    json.begin_object();
    json.member("tenant", grant.tenant);
    json.member("roles", grant.roles);
    json.end_object();
  }
  json.end_array();
  return cell;
}

Result<std::vector<UserGrantRow>> decode_grants(const std::string& cell) {
  const Error damaged(ErrorCode::corruption, "meta database: a cell holds no grants");
  const Result<JsonValue> list = parse_json_document(cell);
  if (!list || !list->is_array()) return damaged;
  std::vector<UserGrantRow> grants;
  for (const JsonValue& element : list->elements()) {
    const JsonValue* const tenant = element.find("tenant");
    const JsonValue* const roles = element.find("roles");
    if (tenant == nullptr || roles == nullptr || !tenant->is_string()) return damaged;
    UserGrantRow grant{std::string(*tenant->as_string()), {}};
    for (const JsonValue& role : roles->elements()) grant.roles.emplace_back(role.as_string().value_or(""));
    grants.push_back(std::move(grant));
  }
  return grants;
}

Result<UserRow> user_row_of(const MetaRow& cells) {
  UserRow row;
  row.id = cells.text(0);
  row.email = cells.text(1);
  row.password_hash = cells.text(2);
  DENDRO_TRY_ASSIGN(row.grants, decode_grants(cells.text(3)));
  row.is_disabled = cells.integer(4) != 0;
  row.created = Timestamp(cells.integer(5));
  row.last_sign_in = Timestamp(cells.integer(6));
  return row;
}

Result<std::optional<UserRow>> find_user(MetaDatabase& database, std::string_view condition, const std::string& value) {
  return database.transact([&](MetaTransaction& meta) -> Result<std::optional<UserRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.row(std::string(kUserSelect) + std::string(condition), {value}));
    if (!found) return std::optional<UserRow>();
    DENDRO_TRY_ASSIGN(UserRow row, user_row_of(*found));
    return std::optional(std::move(row));
  });
}

Status change_user(MetaTransaction& meta, std::string_view sql, const MetaValue& value, const std::string& id) {
  DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change(sql, {value, id}));
  if (changed == 0) return Error(ErrorCode::not_found, "no user with the id \"" + id + "\"");
  return {};
}

Status end_sessions_of_user(MetaTransaction& meta, const std::string& id) {
  DENDRO_TRY(meta.change("DELETE FROM sessions WHERE kind = 'user' AND subject = ?", {id}));
  return {};
}

/// Accounts that can sign in and administer every tenant.
Result<std::int64_t> count_admins(MetaTransaction& meta) {
  DENDRO_TRY_ASSIGN(const auto count,
                    meta.row("SELECT COUNT(*) FROM users WHERE disabled = 0 AND EXISTS (SELECT 1 FROM "
                             "json_each(users.grants) AS g, json_each(json_extract(g.value, '$.roles')) AS r WHERE "
                             "json_extract(g.value, '$.tenant') = '*' AND r.value = 'admin')"));
  return count->integer(0);
}

/// Carries out a change unless it ends the last of them.
template <typename Change>
Status change_but_keep_an_admin(MetaDatabase& database, Change&& change) {
  return database.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::int64_t before, count_admins(meta));
    DENDRO_TRY(change(meta));
    DENDRO_TRY_ASSIGN(const std::int64_t after, count_admins(meta));
    if (before > 0 && after == 0) return Error(ErrorCode::permission_denied, std::string(kLastAdminText));
    return {};
  });
}

}  // namespace

Status UserTable::insert(const UserRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM users"));
    if (count->integer(0) >= static_cast<std::int64_t>(kUsersMax)) {
      return Error(ErrorCode::resource_exhausted, "there are " + std::to_string(kUsersMax) + " users");
    }
    const Result<std::uint64_t> inserted = meta.change(
        "INSERT INTO users (id, email, password_hash, grants, disabled, created, last_sign_in) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        {row.id, row.email, row.password_hash, encode_grants(row.grants), std::int64_t{row.is_disabled},
         row.created.number(), row.last_sign_in.number()});
    if (!inserted && inserted.error().code() == ErrorCode::already_exists) {
      return Error(ErrorCode::already_exists, "there is a user \"" + row.email + "\" already");
    }
    DENDRO_TRY(inserted);
    return {};
  });
}

Result<std::optional<UserRow>> UserTable::find(const std::string& id) const {
  return find_user(database_, "WHERE id = ?", id);
}

Result<std::optional<UserRow>> UserTable::find_by_email(const std::string& email) const {
  return find_user(database_, "WHERE email = ?", email);
}

Result<std::vector<UserRow>> UserTable::list(const std::string& tenant) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<UserRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.rows(std::string(kUserSelect) +
                                                      "WHERE (? = '' OR EXISTS (SELECT 1 FROM json_each(users.grants) "
                                                      "WHERE json_extract(value, '$.tenant') = ?)) ORDER BY email",
                                                  {tenant, tenant}));
    std::vector<UserRow> all;
    for (const MetaRow& cells : found) {
      DENDRO_TRY_ASSIGN(UserRow row, user_row_of(cells));
      all.push_back(std::move(row));
    }
    return all;
  });
}

Status UserTable::set_password(const std::string& id, const std::string& password_hash) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(change_user(meta, "UPDATE users SET password_hash = ? WHERE id = ?", password_hash, id));
    return end_sessions_of_user(meta, id);
  });
}

Status UserTable::set_disabled(const std::string& id, bool is_disabled) {
  return change_but_keep_an_admin(database_, [&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(change_user(meta, "UPDATE users SET disabled = ? WHERE id = ?", std::int64_t{is_disabled}, id));
    return is_disabled ? end_sessions_of_user(meta, id) : Status();
  });
}

Status UserTable::set_grants(const std::string& id, const std::vector<UserGrantRow>& grants) {
  return change_but_keep_an_admin(database_, [&](MetaTransaction& meta) -> Status {
    return change_user(meta, "UPDATE users SET grants = ? WHERE id = ?", encode_grants(grants), id);
  });
}

Status UserTable::set_last_sign_in(const std::string& id, Timestamp at) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    return change_user(meta, "UPDATE users SET last_sign_in = ? WHERE id = ?", at.number(), id);
  });
}

Status UserTable::remove(const std::string& id) {
  return change_but_keep_an_admin(database_, [&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(end_sessions_of_user(meta, id));
    DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change("DELETE FROM users WHERE id = ?", {id}));
    if (changed == 0) return Error(ErrorCode::not_found, "no user with the id \"" + id + "\"");
    return {};
  });
}

}  // namespace dendro
