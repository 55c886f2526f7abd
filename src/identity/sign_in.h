#pragma once

#include <chrono>
#include <string>

#include "identity/sessions.h"

namespace dendro {

struct SignInLimits {
  std::int64_t failures_max = 10;  ///< in a row
  std::chrono::seconds lock = std::chrono::minutes(15);
  std::size_t hashes_at_once_max = 2;
  std::size_t tries_per_minute = 30;  ///< of one address of the network; SignInRate
};

/// E-mail address and password against a session. Thread-safe; waits for disk and hash.
///
/// Who asks cannot learn whether there is an account: a wrong address and a wrong password give the same answer after
/// the same work, and both are locked after as many failures. A locked account's open sessions go on.
class SignIn {
 public:
  static constexpr std::size_t kPasswordBytesMax = 1'024;

  /// All outlive this.
  SignIn(MetaDatabase& database, Sessions& sessions, PasswordHasher& hasher, SignInLimits limits, const Clock& clock)
      : users_(database), failures_(database), sessions_(sessions), hasher_(hasher), limits_(limits), clock_(clock) {}

  /// @param peer  where it comes from, kept with the session for people to read.
  /// Errors: unauthenticated (address or password); resource_exhausted (locked: the text says until when; or too many
  /// hashes at once); permission_denied (the password is right, the account disabled).
  Result<OpenedSession> sign_in(const std::string& email, const std::string& password, const std::string& peer);

 private:
  Status check_lock(const std::string& account) const;
  Error count_failure(const std::string& account);
  UserTable users_;
  mutable SignInFailureTable failures_;
  Sessions& sessions_;
  PasswordHasher& hasher_;
  const SignInLimits limits_;
  const Clock& clock_;
};

}  // namespace dendro
