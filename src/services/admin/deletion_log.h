#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/result.h"
#include "services/admin/deletion_request.h"
#include "storage/store.h"

namespace dendro {

/// A deletion that was ordered.
struct DeletionStatus {
  TombstoneId id;
  std::string query;  ///< the filter in its canonical form
  TimeRange range;
  Timestamp created;  ///< 0: an earlier version did not say
  TombstoneOrigin origin = TombstoneOrigin::request;
  bool is_done = false;  ///< no segment and no WAL file holds a match any more
};

struct StartedDeletion {
  TombstoneId id;
  DeletionCount count;  ///< of just before
};

/// Deletions by query: readers follow them at once, files little by little. Thread-safe.
class DeletionLog {
 public:
  /// Both outlive this.
  DeletionLog(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Durable when this returns. Blocks for as long as counting takes.
  /// Errors: cancelled (nothing was deleted), and those of Store::delete_records.
  Result<StartedDeletion> start(const TenantId& tenant, const PreparedDeletion& deletion, const CancelToken& cancel);
  /// Errors: cancelled, io_error.
  Result<DeletionCount> count(const TenantId& tenant, const PreparedDeletion& deletion, const CancelToken& cancel);
  /// Those pending, and of this process's own the last kMaxDoneDeletions that are done: on the disk nothing is kept of
  /// a deletion that is done, since its filter names what was deleted. Newest first.
  std::vector<DeletionStatus> list(const TenantId& tenant) const;

 private:
  struct Known {
    TenantId tenant = TenantId::default_tenant();
    DeletionStatus status;
  };
  Store& store_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::deque<Known> known_ DENDRO_GUARDED_BY(mutex_);  ///< oldest first
};

inline constexpr std::size_t kMaxDoneDeletions = 1'000;

}  // namespace dendro
