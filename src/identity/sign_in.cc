#include "identity/sign_in.h"

#include "identity/credential_error.h"

namespace dendro {
namespace {

Error locked_account(Timestamp until) {
  return Error(ErrorCode::resource_exhausted, "too many failed sign-ins; try again after " + to_rfc3339(until, 0) +
                                                  ", or ask an administrator to unlock the account");
}

}  // namespace

Result<OpenedSession> SignIn::sign_in(const std::string& email, const std::string& password, const std::string& peer) {
  if (email.size() > Users::kEmailBytesMax || password.size() > kPasswordBytesMax) {
    return unauthenticated(kWrongPasswordText);
  }
  const std::string account = failure_account(email);
  DENDRO_TRY(check_lock(account));
  DENDRO_TRY_ASSIGN(const auto user, users_.find_by_email(fold_email(email)));
  DENDRO_TRY_ASSIGN(const bool is_right, user ? hasher_.is_password(password, user->password_hash)
                                              : hasher_.is_password_of_nobody(password));
  if (!is_right) return count_failure(account);
  if (user->is_disabled) {
    return Error(ErrorCode::permission_denied, "this account is disabled; ask an administrator");
  }
  DENDRO_TRY(failures_.clear(account));
  DENDRO_TRY_ASSIGN(OpenedSession opened, sessions_.open_for_user(user->id, peer));
  DENDRO_TRY(users_.set_last_sign_in(user->id, clock_.now()));
  return opened;
}

Status SignIn::check_lock(const std::string& account) const {
  DENDRO_TRY_ASSIGN(const SignInFailures failures, failures_.find(account));
  return failures.locked_until > clock_.now() ? locked_account(failures.locked_until) : Status();
}

Error SignIn::count_failure(const std::string& account) {
  const auto failures = failures_.add(account, clock_.now(), limits_.failures_max, limits_.lock);
  if (!failures) return failures.error();
  if (failures->locked_until > clock_.now()) return locked_account(failures->locked_until);
  return unauthenticated(kWrongPasswordText);
}

}  // namespace dendro
