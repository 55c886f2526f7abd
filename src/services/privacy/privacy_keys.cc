#include "services/privacy/privacy_keys.h"

#include <array>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/log.h"

namespace dendro {
namespace {

constexpr std::size_t kSecretBytes = 32;

SivKey wrapping_key(const std::string& master) {
  return SivKey(derive_key(master, "privacy keys of tenants", SivKey::kKeyBytes));
}

std::string wrapping_context(const PrivacyKeyRow& row) {
  return row.tenant.text() + '\0' + std::to_string(row.version);
}

std::optional<std::string> unwrapped(const PrivacyKeyRow& row, const std::string& master) {
  if (master.empty()) return std::nullopt;
  const auto sealed = decode_base64(row.wrapped);
  if (!sealed) return std::nullopt;
  return wrapping_key(master).open(*sealed, wrapping_context(row));
}

}  // namespace

PrivacyKeys::PrivacyKeys(PrivacyKeyTable& table, MasterKeys master, const Clock& clock, RandomSource& random)
    : table_(table), master_(std::move(master)), clock_(clock), random_(random) {}

std::string PrivacyKeys::wrap(const PrivacyKeyRow& row, std::string_view secret) const {
  std::string wrapped;
  append_base64(wrapped, wrapping_key(master_.current).seal(secret, wrapping_context(row)));
  return wrapped;
}

Status PrivacyKeys::open() {
  DENDRO_TRY_ASSIGN(std::vector<PrivacyKeyRow> rows, table_.list());
  std::map<TenantId, Held> held;
  std::map<TenantId, bool> is_unread;
  std::vector<PrivacyKeyRow> rewrapped;
  for (PrivacyKeyRow& row : rows) {
    auto secret = unwrapped(row, master_.current);
    if (!secret && can_seal()) {
      secret = unwrapped(row, master_.previous);
      if (secret) {
        row.wrapped = wrap(row, *secret);
        rewrapped.push_back(row);
      }
    }
    Held& of_tenant = held[row.tenant];
    if (secret) {
      of_tenant.secrets.emplace(static_cast<std::uint8_t>(row.version), std::move(*secret));
    } else {
      is_unread[row.tenant] = true;
    }
  }
  if (!rewrapped.empty()) {
    DENDRO_TRY(table_.rewrap(rewrapped));
    log(LogLevel::info, "privacy", "keys of tenants are encrypted with the new privacy.key",
        {{"keys", std::to_string(rewrapped.size())}});
  }
  for (auto& [tenant, of_tenant] : held) {
    if (is_unread.contains(tenant)) {
      log(LogLevel::error, "privacy",
          "the keys of a tenant cannot be read with privacy.key or privacy.key_previous: records that its rules would "
          "hash or tokenize are refused, its tokens cannot be unmasked",
          {{"tenant", tenant.text()}});
    } else {
      of_tenant.sealer = std::make_shared<const ValueSealer>(tenant, of_tenant.secrets);
    }
  }
  MutexLock lock(mutex_);
  held_ = std::move(held);
  return {};
}

Result<std::shared_ptr<const ValueSealer>> PrivacyKeys::find(const TenantId& tenant) const {
  MutexLock lock(mutex_);
  const auto found = held_.find(tenant);
  if (found == held_.end()) return std::shared_ptr<const ValueSealer>();
  if (found->second.sealer != nullptr) return found->second.sealer;
  return Error(ErrorCode::unavailable, "the keys of tenant " + tenant.text() +
                                           " cannot be read: start dendro with the "
                                           "privacy.key that it had, or as privacy.key_previous beside a new one");
}

Result<std::shared_ptr<const ValueSealer>> PrivacyKeys::sealer(const TenantId& tenant) {
  DENDRO_TRY_ASSIGN(auto known, find(tenant));
  if (known != nullptr) return known;
  if (!can_seal()) {
    return Error(ErrorCode::unavailable, "tenant " + tenant.text() +
                                             " has masking rules that hash or tokenize, and "
                                             "there is no privacy.key: set privacy.key_file");
  }
  DENDRO_TRY(add_key(tenant));
  return find(tenant);
}

Status PrivacyKeys::add_key(const TenantId& tenant) {
  MutexLock changing(changes_);
  DENDRO_TRY_ASSIGN(const auto known, find(tenant));
  if (known != nullptr) return {};  // another thread was faster
  std::array<std::uint8_t, kSecretBytes> random{};
  random_.fill(random);
  const std::string secret(reinterpret_cast<const char*>(random.data()), random.size());
  PrivacyKeyRow row{tenant, 1, {}, clock_.now()};
  row.wrapped = wrap(row, secret);
  DENDRO_TRY(table_.add(row));
  Held made;
  made.secrets.emplace(std::uint8_t{1}, secret);
  made.sealer = std::make_shared<const ValueSealer>(tenant, made.secrets);
  MutexLock lock(mutex_);
  held_.insert_or_assign(tenant, std::move(made));
  return {};
}

Result<std::uint64_t> PrivacyKeys::erase(const TenantId& tenant) {
  MutexLock changing(changes_);
  DENDRO_TRY_ASSIGN(const std::uint64_t erased, table_.erase(tenant));
  forget(tenant);
  return erased;
}

void PrivacyKeys::forget(const TenantId& tenant) {
  MutexLock lock(mutex_);
  held_.erase(tenant);
}

}  // namespace dendro
