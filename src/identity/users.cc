#include "identity/users.h"

#include <algorithm>

#include "base/crypto_hash.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "identity/credential_error.h"
#include "identity/grant.h"

namespace dendro {
namespace {

constexpr std::size_t kUserIdBytes = 8;

Status check_email(std::string_view email) {
  const bool has_blank =
      std::ranges::any_of(email, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  if (!email.empty() && email.size() <= Users::kEmailBytesMax && !has_blank && is_valid_utf8(email)) return {};
  return Error(ErrorCode::invalid_argument, "e-mail address: 1 to " + std::to_string(Users::kEmailBytesMax) +
                                                " bytes of UTF-8 without blanks are taken");
}

}  // namespace

std::string fold_email(std::string_view email) {
  std::string folded(email);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

std::string failure_account(std::string_view email) {
  return to_hex(sha256(fold_email(email)));
}

Result<UserRow> Users::create(const std::string& email, const std::string& password,
                              const std::vector<UserGrantRow>& grants) {
  DENDRO_TRY(check_email(email));
  UserRow row;
  std::array<std::uint8_t, kUserIdBytes> id{};
  random_.fill(id);
  row.id = to_hex(id);
  row.email = fold_email(email);
  row.created = clock_.now();
  DENDRO_TRY_ASSIGN(row.grants, checked(grants));
  DENDRO_TRY(check_new_password(password, email));
  DENDRO_TRY_ASSIGN(row.password_hash, hasher_.hash(password));
  DENDRO_TRY(table_.insert(row));
  return row;
}

Result<std::optional<Timestamp>> Users::locked_until(const UserRow& user) const {
  DENDRO_TRY_ASSIGN(const SignInFailures failures, failures_.find(failure_account(user.email)));
  if (failures.locked_until <= clock_.now()) return std::optional<Timestamp>();
  return std::optional(failures.locked_until);
}

Status Users::set_password(const std::string& id, const std::string& password) {
  DENDRO_TRY_ASSIGN(const UserRow user, get(id));
  DENDRO_TRY(check_new_password(password, user.email));
  DENDRO_TRY_ASSIGN(const std::string hash, hasher_.hash(password));
  DENDRO_TRY(table_.set_password(id, hash));
  return failures_.clear(failure_account(user.email));
}

Status Users::set_grants(const std::string& id, const std::vector<UserGrantRow>& grants) {
  DENDRO_TRY_ASSIGN(const std::vector<UserGrantRow> merged, checked(grants));
  return table_.set_grants(id, merged);
}

Status Users::unlock(const std::string& id) {
  DENDRO_TRY_ASSIGN(const UserRow user, get(id));
  return failures_.clear(failure_account(user.email));
}

Result<PrincipalPtr> Users::authenticate_id(const std::string& id) const {
  DENDRO_TRY_ASSIGN(const auto user, table_.find(id));
  if (!user || user->is_disabled) return unauthenticated();
  auto principal = std::make_shared<Principal>();
  principal->kind = Principal::Kind::user;
  principal->id = "user:" + user->id;
  principal->name = user->email;
  for (const UserGrantRow& grant : user->grants) {
    DENDRO_TRY_ASSIGN(const std::vector<Role> roles, roles_.find(grant.roles));
    DENDRO_TRY_ASSIGN(const std::vector<Grant> made, make_grants(std::span(&grant.tenant, 1), roles));
    principal->grants.insert(principal->grants.end(), made.begin(), made.end());
  }
  return PrincipalPtr(std::move(principal));
}

/// One grant a tenant.
Result<std::vector<UserGrantRow>> Users::checked(const std::vector<UserGrantRow>& grants) const {
  std::vector<UserGrantRow> merged;
  std::vector<std::string> tenants;
  for (const UserGrantRow& grant : grants) {
    if (grant.roles.empty()) {
      return Error(ErrorCode::invalid_argument, "grants: tenant \"" + grant.tenant + "\" has no role");
    }
    DENDRO_TRY(roles_.check_known(grant.roles));
    const auto same = std::ranges::find(merged, grant.tenant, &UserGrantRow::tenant);
    if (same == merged.end()) {
      merged.push_back(grant);
      tenants.push_back(grant.tenant);
    } else {
      same->roles.insert(same->roles.end(), grant.roles.begin(), grant.roles.end());
    }
  }
  DENDRO_TRY(check_tenant_names(tenants));
  return merged;
}

Result<UserRow> Users::get(const std::string& id) const {
  DENDRO_TRY_ASSIGN(auto user, table_.find(id));
  if (!user) return Error(ErrorCode::not_found, "no user with the id \"" + id + "\"");
  return std::move(*user);
}

}  // namespace dendro
