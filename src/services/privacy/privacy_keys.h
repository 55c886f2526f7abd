#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "meta/privacy_key_table.h"
#include "services/privacy/value_sealer.h"

namespace dendro {

/// Secrets that keys of tenants are encrypted with: texts of at least kBytesMin bytes.
struct MasterKeys {
  static constexpr std::size_t kBytesMin = 32;
  std::string current;   ///< empty: there is none
  std::string previous;  ///< what it encrypted is encrypted with `current` at opening; empty: none
};

/// The keys of tenants. Each is 32 random bytes, made when it is first needed, kept encrypted with the master key
/// (AES-256-SIV, bound to tenant and version). Erasing a tenant's keys makes its tokens unreadable for ever, in every
/// copy of the records. Thread-safe.
class PrivacyKeys {
 public:
  /// All but `master` outlives this.
  PrivacyKeys(PrivacyKeyTable& table, MasterKeys master, const Clock& clock, RandomSource& random);

  /// Reads the keys, and encrypts anew what the previous master key did. Keys that neither opens stay unread: their
  /// tenants get `unavailable`, and the own log says so. Errors: those of the table.
  Status open();
  /// True if there is a master key.
  bool can_seal() const { return !master_.current.empty(); }

  /// What seals values of the tenant; makes its first key if there is none, then waits for the disk.
  /// Errors: unavailable (no master key, or one that does not open the tenant's keys); those of the table.
  Result<std::shared_ptr<const ValueSealer>> sealer(const TenantId& tenant);
  /// The same without making a key; null if the tenant has none.
  Result<std::shared_ptr<const ValueSealer>> find(const TenantId& tenant) const;
  /// Erases the tenant's keys, here and on disk; how many there were. Waits for the disk.
  Result<std::uint64_t> erase(const TenantId& tenant);
  /// Forgets what the table does not hold any more.
  void forget(const TenantId& tenant);

 private:
  struct Held {
    std::map<std::uint8_t, std::string> secrets;
    std::shared_ptr<const ValueSealer> sealer;  ///< null: a key could not be read
  };
  std::string wrap(const PrivacyKeyRow& row, std::string_view secret) const;
  Status add_key(const TenantId& tenant);

  PrivacyKeyTable& table_;
  const MasterKeys master_;
  const Clock& clock_;
  RandomSource& random_;
  Mutex changes_;  ///< held while the disk is waited for
  mutable Mutex mutex_;
  std::map<TenantId, Held> held_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
