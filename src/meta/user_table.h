#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

struct UserGrantRow {
  std::string tenant;  ///< "*": every one
  std::vector<std::string> roles;
};
struct UserRow {
  std::string id;             ///< 16 hexadecimal digits
  std::string email;          ///< folded; unique
  std::string password_hash;  ///< of base/crypto_password.h
  std::vector<UserGrantRow> grants;
  bool is_disabled = false;
  Timestamp created;
  Timestamp last_sign_in;  ///< 0: never
};

/// What the end of the last account with the role admin in every tenant is refused with.
inline constexpr std::string_view kLastAdminText =
    "this is the last account with the role admin in every tenant: make another one first";

/// Local accounts. Thread-safe; every call may wait for the disk. What takes rights from a user ends its sessions in
/// the same transaction. What would leave accounts, but none that administers every tenant, where there was one, is
/// refused: permission_denied with kLastAdminText.
class UserTable {
 public:
  static constexpr std::size_t kUsersMax = 10'000;

  explicit UserTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  /// Errors: already_exists (the e-mail address), resource_exhausted (kUsersMax).
  Status insert(const UserRow& row);
  Result<std::optional<UserRow>> find(const std::string& id) const;
  Result<std::optional<UserRow>> find_by_email(const std::string& email) const;
  /// By e-mail address; those with a grant for `tenant`, or all ("").
  Result<std::vector<UserRow>> list(const std::string& tenant) const;

  // Errors of these: not_found.
  /// Ends its sessions.
  Status set_password(const std::string& id, const std::string& password_hash);
  /// Disabling ends its sessions.
  Status set_disabled(const std::string& id, bool is_disabled);
  Status set_grants(const std::string& id, const std::vector<UserGrantRow>& grants);
  Status set_last_sign_in(const std::string& id, Timestamp at);
  /// With its sessions.
  Status remove(const std::string& id);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
