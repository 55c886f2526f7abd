#include "meta/sign_in_failure_table.h"

namespace dendro {

Result<SignInFailures> SignInFailureTable::find(const std::string& account) const {
  return database_.transact([&](MetaTransaction& meta) -> Result<SignInFailures> {
    DENDRO_TRY_ASSIGN(const auto found,
                      meta.row("SELECT failures, locked_until FROM sign_in_failures WHERE account = ?", {account}));
    if (!found) return SignInFailures();
    return SignInFailures{found->integer(0), Timestamp(found->integer(1))};
  });
}

Result<SignInFailures> SignInFailureTable::add(const std::string& account, Timestamp now, std::int64_t failures_max,
                                               std::chrono::nanoseconds lock_span) {
  return database_.transact([&](MetaTransaction& meta) -> Result<SignInFailures> {
    DENDRO_TRY(meta.change("DELETE FROM sign_in_failures WHERE last < ? AND locked_until < ?",
                           {now.number() - kNanosPerDay, now.number()}));
    DENDRO_TRY(
        meta.change("DELETE FROM sign_in_failures WHERE account IN (SELECT account FROM sign_in_failures "
                    "ORDER BY last DESC LIMIT -1 OFFSET ?)",
                    {static_cast<std::int64_t>(kAccountsMax - 1)}));
    DENDRO_TRY_ASSIGN(const auto found, meta.row("SELECT failures FROM sign_in_failures WHERE account = ?", {account}));
    SignInFailures failures{(found ? found->integer(0) : 0) + 1, Timestamp(0)};
    if (failures.count % failures_max == 0) failures.locked_until = Timestamp(now.number() + lock_span.count());
    DENDRO_TRY(
        meta.change("INSERT OR REPLACE INTO sign_in_failures (account, failures, last, locked_until) "
                    "VALUES (?, ?, ?, ?)",
                    {account, failures.count, now.number(), failures.locked_until.number()}));
    return failures;
  });
}

Status SignInFailureTable::clear(const std::string& account) {
  return database_.transact([&](MetaTransaction& meta) -> Status {
    DENDRO_TRY(meta.change("DELETE FROM sign_in_failures WHERE account = ?", {account}));
    return {};
  });
}

}  // namespace dendro
