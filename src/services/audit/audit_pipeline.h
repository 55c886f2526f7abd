#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/field_fault.h"
#include "base/random.h"
#include "base/result.h"
#include "services/audit/audit_ids.h"
#include "services/audit/audit_settings.h"
#include "services/audit/audit_store.h"

namespace dendro {

/// What came in: by HTTP, or out of a queue.
struct AuditIntake {
  TenantId tenant = TenantId::default_tenant();
  std::string_view body;                 ///< borrowed during the call
  std::optional<std::string> retry_key;  ///< Idempotency-Key
  Timestamp receive_time;
  std::string request_id;
};

/// One log of a bulk that was not taken.
struct RejectedAuditLog {
  std::uint64_t index = 0;
  FieldFaults faults;
};

/// What became of it: an error, or faults and nothing queued, or ids of what is durable now.
struct AuditIntakeOutcome {
  std::optional<Error> error;            ///< those of AuditStore::put; too_large (a bulk of too many)
  FieldFaults faults;                    ///< of the request, or of every log of a bulk
  std::vector<std::string> message_ids;  ///< of the logs taken, in their order
  std::vector<RejectedAuditLog> rejected;
  bool replayed = false;
};
using AuditIntakeDone = std::function<void(AuditIntakeOutcome)>;

/// The way of logs from their sender to the store: validate, mask, dedupe by retry key, store, the bad ones of a bulk
/// to the dead letters. The arguments outlive it. Thread-safe.
class AuditPipeline {
 public:
  AuditPipeline(AuditStore& store, RandomSource& random, AuditSettingsOf settings_of);

  /// One log. `done` is called exactly once, perhaps before this returns, perhaps on a thread of the store's.
  void create(const AuditIntake& intake, AuditIntakeDone done);
  /// `{"logs":[..]}`, all that are right or none.
  void create_bulk(const AuditIntake& intake, AuditIntakeDone done);

  std::uint64_t logs_taken() const { return logs_taken_; }
  std::uint64_t logs_rejected() const { return logs_rejected_; }

 private:
  /// An intake on its way to the store.
  struct Draft {
    AuditPut put;
    AuditIntakeOutcome outcome;
  };
  std::optional<Draft> begin(const AuditIntake& intake, const AuditIntakeDone& done) const;
  void add_log(Draft& draft, AuditLog log, std::uint64_t index);
  void store(Draft draft, AuditIntakeDone done);
  AuditTenantSettings settings(const TenantId& tenant) const;

  AuditStore& store_;
  const AuditSettingsOf settings_of_;
  AuditIdSource ids_;
  std::atomic<std::uint64_t> logs_taken_{0}, logs_rejected_{0};
};

}  // namespace dendro
