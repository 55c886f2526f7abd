#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "identity/password_hasher.h"
#include "identity/principal.h"
#include "identity/roles.h"
#include "meta/sign_in_failure_table.h"
#include "meta/user_table.h"

namespace dendro {

/// As accounts are told apart: without regard to the case of ASCII letters.
std::string fold_email(std::string_view email);

/// Local accounts, for administrators. Thread-safe; every call may wait for the disk, those with a password for its
/// hash too.
class Users {
 public:
  static constexpr std::size_t kEmailBytesMax = 254;

  /// All outlive this.
  Users(MetaDatabase& database, const Roles& roles, PasswordHasher& hasher, const Clock& clock, RandomSource& random)
      : table_(database), failures_(database), roles_(roles), hasher_(hasher), clock_(clock), random_(random) {}

  /// @param email  an e-mail address, or any other name without blanks and controls, of 1 to kEmailBytesMax bytes.
  /// @param grants  tenants, or "*", and known roles.
  /// Errors: invalid_argument, already_exists, resource_exhausted.
  Result<UserRow> create(const std::string& email, const std::string& password,
                         const std::vector<UserGrantRow>& grants);
  Result<std::optional<UserRow>> find(const std::string& id) const { return table_.find(id); }
  Result<std::optional<UserRow>> find_by_email(std::string_view email) const {
    return table_.find_by_email(fold_email(email));
  }
  /// Those with a grant for `tenant` itself, or all (""), by e-mail address.
  Result<std::vector<UserRow>> list(const std::string& tenant) const { return table_.list(tenant); }
  /// When failed sign-ins let it try again; nothing: it may.
  Result<std::optional<Timestamp>> locked_until(const UserRow& user) const;

  // Errors of these: not_found; permission_denied (kLastAdminText).
  /// Ends its sessions and unlocks it. Errors: invalid_argument too.
  Status set_password(const std::string& id, const std::string& password);
  /// Disabling ends its sessions.
  Status set_disabled(const std::string& id, bool is_disabled) { return table_.set_disabled(id, is_disabled); }
  /// Errors: invalid_argument too.
  Status set_grants(const std::string& id, const std::vector<UserGrantRow>& grants);
  /// Forgets failed sign-ins.
  Status unlock(const std::string& id);
  Status remove(const std::string& id) { return table_.remove(id); }

  /// For its sessions. Errors: unauthenticated (gone, or disabled).
  Result<PrincipalPtr> authenticate_id(const std::string& id) const;

 private:
  Result<std::vector<UserGrantRow>> checked(const std::vector<UserGrantRow>& grants) const;
  Result<UserRow> get(const std::string& id) const;
  mutable UserTable table_;
  mutable SignInFailureTable failures_;
  const Roles& roles_;
  PasswordHasher& hasher_;
  const Clock& clock_;
  RandomSource& random_;
};

/// What failed sign-ins of an e-mail address are counted under: its hash, so that what strangers type is not kept.
std::string failure_account(std::string_view email);

}  // namespace dendro
