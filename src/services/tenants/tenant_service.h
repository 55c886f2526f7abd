#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "services/tenants/tenant.h"

namespace dendro {

/// What the service needs of the store; the functions may wait for the disk and outlive it.
struct TenantStoreParts {
  /// Deletes everything that the tenant stored; the number of records it had.
  std::function<Result<std::uint64_t>(const TenantId&)> drop_records;
  /// Records that the tenant has now, for the proof.
  std::function<Result<std::uint64_t>(const TenantId&)> count_records;
  /// Days that the tenant's records are kept; nothing: as tenants that nobody created.
  std::function<void(const TenantId&, std::optional<std::uint32_t>)> set_retention;
  /// The tenant's rows are gone; empty: nobody wants to know.
  std::function<void(const TenantId&)> forget = {};
};

/// The tenants that somebody created. One that is only named by a credential is there too, with the values of
/// TenantSettings; `find` says null of it. Thread-safe. `find`, `list`, `settings_of` and `admits` never wait for the
/// disk; the others do: call them on a worker.
class TenantService {
 public:
  /// All of it outlives the service.
  TenantService(TenantRegister& table, TenantStoreParts store, const Clock& clock, RandomSource& random);

  /// Reads the rows, sets the retentions, carries out deletions that a kill interrupted. Errors: those of the table
  /// and of the store.
  Status open();

  /// Null: nobody created it, or it is deleted.
  std::shared_ptr<const Tenant> find(const TenantId& tenant) const;
  /// By tenant id or by object id.
  std::shared_ptr<const Tenant> find(std::string_view id) const;
  TenantSettings settings_of(const TenantId& tenant) const;
  /// By tenant id, without those deleted.
  std::vector<std::shared_ptr<const Tenant>> list() const;

  struct Draft {
    std::string tenant_id, name;
    TenantSettings settings;
    std::string api_key;  ///< or empty
  };
  /// Errors: invalid_argument (the id), already_exists ("Tenant with ID <id> already exists").
  Result<std::shared_ptr<const Tenant>> create(const Draft& draft);
  /// Errors: not_found ("Tenant not found").
  Result<std::shared_ptr<const Tenant>> replace(const TenantId& tenant, std::string name, TenantSettings settings);
  Result<std::shared_ptr<const Tenant>> set_suspended(const TenantId& tenant, bool is_suspended);
  /// Nothing is taken for it from now on; its records, its rows in the database go; then the proof is written. Errors:
  /// not_found; those of the store (the deletion stays decided and is tried again at the next start or call).
  Status remove(const TenantId& tenant);

  /// Whether the tenant's state and quotas take a request now.
  struct Verdict {
    Status status;
    std::chrono::seconds retry_after{0};
  };
  enum class Use : std::uint8_t { read, ingest };
  Verdict admits(const TenantId& tenant, Use use);
  /// Counts what was sent, for ingest_bytes_per_day.
  void count_ingested(const TenantId& tenant, std::uint64_t bytes);
  /// Writes what was counted since the last call; a restart in between forgets it.
  Status save_usage();

 private:
  struct Meter {
    TenantUsageRow usage;
    bool is_saved = true;
    double tokens = 0;  ///< of requests_per_s
    std::chrono::nanoseconds tokens_at{0};
    bool is_begun = false;
  };

  Status carry_out_removal(TenantRow row);
  Status store_row(const TenantRow& row);
  Result<TenantRow> row_of(const TenantId& tenant) const;
  void publish(const TenantRow& row);
  Verdict admits_locked(const Tenant& tenant, Use use) DENDRO_REQUIRES(mutex_);

  TenantRegister& table_;
  const TenantStoreParts store_;
  const Clock& clock_;
  RandomSource& random_;

  Mutex changes_;  // held while the disk is waited for: changes come one by one, readers never take it
  mutable Mutex mutex_;
  std::map<TenantId, TenantRow> rows_ DENDRO_GUARDED_BY(mutex_);
  std::map<TenantId, std::shared_ptr<const Tenant>> tenants_ DENDRO_GUARDED_BY(mutex_);
  std::map<TenantId, Meter> meters_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
