#include "meta/token_table.h"

#include "meta/text_list.h"

namespace dendro {
namespace {

constexpr std::string_view kTokenSelect = "SELECT jti, subject, tenants, roles, created, expires, revoked FROM tokens ";

Result<TokenRow> token_row_of(const MetaRow& cells) {
  TokenRow row;
  row.jti = cells.text(0);
  row.subject = cells.text(1);
  DENDRO_TRY_ASSIGN(row.tenants, decode_text_list(cells.text(2)));
  DENDRO_TRY_ASSIGN(row.roles, decode_text_list(cells.text(3)));
  row.created = Timestamp(cells.integer(4));
  row.expires = Timestamp(cells.integer(5));
  row.revoked = Timestamp(cells.integer(6));
  return row;
}

}  // namespace

Status TokenTable::insert(const TokenRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("DELETE FROM tokens WHERE expires < ?", {row.created.number() - kKeptAfterExpiryNs}));
    DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM tokens"));
    if (count->integer(0) >= static_cast<std::int64_t>(kTokensMax)) {
      return Error(ErrorCode::resource_exhausted,
                   "there are " + std::to_string(kTokensMax) + " tokens; one goes 30 days after it expired");
    }
    DENDRO_TRY(
        meta.change("INSERT INTO tokens (jti, subject, tenants, roles, created, expires, revoked) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    {row.jti, row.subject, encode_text_list(row.tenants), encode_text_list(row.roles),
                     row.created.number(), row.expires.number(), row.revoked.number()}));
    return {};
  });
}

Result<std::optional<TokenRow>> TokenTable::find(const std::string& jti) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::optional<TokenRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.row(std::string(kTokenSelect) + "WHERE jti = ?", {jti}));
    if (!found) return std::optional<TokenRow>();
    DENDRO_TRY_ASSIGN(TokenRow row, token_row_of(*found));
    return std::optional(std::move(row));
  });
}

Result<std::vector<TokenRow>> TokenTable::list(const std::string& tenant, const std::string& after_jti,
                                               std::size_t count_max) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<TokenRow>> {
    DENDRO_TRY_ASSIGN(
        const auto found,
        meta.rows(std::string(kTokenSelect) +
                      "WHERE (? = '' OR EXISTS (SELECT 1 FROM json_each(tokens.tenants) WHERE value = ?)) AND "
                      "(? = '' OR (created, jti) < (SELECT created, jti FROM tokens WHERE jti = ?)) "
                      "ORDER BY created DESC, jti DESC LIMIT ?",
                  {tenant, tenant, after_jti, after_jti, static_cast<std::int64_t>(count_max)}));
    std::vector<TokenRow> page;
    for (const MetaRow& cells : found) {
      DENDRO_TRY_ASSIGN(TokenRow row, token_row_of(cells));
      page.push_back(std::move(row));
    }
    return page;
  });
}

Status TokenTable::revoke(const std::string& jti, Timestamp now) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const auto found, meta.row("SELECT revoked FROM tokens WHERE jti = ?", {jti}));
    if (!found) return Error(ErrorCode::not_found, "no token with the jti \"" + jti + "\"");
    if (found->integer(0) != 0) return {};
    DENDRO_TRY(meta.change("UPDATE tokens SET revoked = ? WHERE jti = ?", {now.number(), jti}));
    return {};
  });
}

}  // namespace dendro
