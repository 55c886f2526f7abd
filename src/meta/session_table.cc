#include "meta/session_table.h"

namespace dendro {
namespace {

constexpr std::string_view kSessionSelect =
    "SELECT id, secret_hash, kind, subject, document, peer, created, expires, last_used FROM sessions ";

SessionRow session_row_of(const MetaRow& cells) {
  return {cells.text(0),
          cells.text(1),
          cells.text(2),
          cells.text(3),
          cells.text(4),
          cells.text(5),
          Timestamp(cells.integer(6)),
          Timestamp(cells.integer(7)),
          Timestamp(cells.integer(8))};
}

}  // namespace

Status SessionTable::insert(const SessionRow& row) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("DELETE FROM sessions WHERE expires <= ?", {row.created.number() - kKeptAfterExpiryNs}));
    DENDRO_TRY(
        meta.change("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE kind = ? AND subject = ? "
                    "ORDER BY last_used DESC LIMIT -1 OFFSET ?)",
                    {row.kind, row.subject, static_cast<std::int64_t>(kPerSubjectMax - 1)}));
    DENDRO_TRY_ASSIGN(const auto count, meta.row("SELECT COUNT(*) FROM sessions"));
    if (count->integer(0) >= static_cast<std::int64_t>(kSessionsMax)) {
      return Error(ErrorCode::resource_exhausted, "there are " + std::to_string(kSessionsMax) + " open sessions");
    }
    DENDRO_TRY(
        meta.change("INSERT INTO sessions (id, secret_hash, kind, subject, document, peer, created, expires, "
                    "last_used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    {row.id, row.secret_hash, row.kind, row.subject, row.document, row.peer, row.created.number(),
                     row.expires.number(), row.last_used.number()}));
    return {};
  });
}

Result<std::optional<SessionRow>> SessionTable::find(const std::string& secret_hash) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::optional<SessionRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.row(std::string(kSessionSelect) + "WHERE secret_hash = ?", {secret_hash}));
    if (!found) return std::optional<SessionRow>();
    return std::optional(session_row_of(*found));
  });
}

Result<std::vector<SessionRow>> SessionTable::list(const std::string& kind, const std::string& subject) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<std::vector<SessionRow>> {
    DENDRO_TRY_ASSIGN(const auto found, meta.rows(std::string(kSessionSelect) +
                                                      "WHERE kind = ? AND subject = ? ORDER BY created DESC, id",
                                                  {kind, subject}));
    std::vector<SessionRow> all;
    for (const MetaRow& cells : found) all.push_back(session_row_of(cells));
    return all;
  });
}

Status SessionTable::remove(const std::string& id) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY_ASSIGN(const std::uint64_t changed, meta.change("DELETE FROM sessions WHERE id = ?", {id}));
    if (changed == 0) return Error(ErrorCode::not_found, "no session with the id \"" + id + "\"");
    return {};
  });
}

Status SessionTable::remove_all(const std::string& kind, const std::string& subject) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("DELETE FROM sessions WHERE kind = ? AND subject = ?", {kind, subject}));
    return {};
  });
}

Status SessionTable::set_last_used(const std::map<std::string, Timestamp>& uses) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    for (const auto& [id, at] : uses) {
      DENDRO_TRY(meta.change("UPDATE sessions SET last_used = max(last_used, ?) WHERE id = ?", {at.number(), id}));
    }
    return {};
  });
}

}  // namespace dendro
