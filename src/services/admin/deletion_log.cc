#include "services/admin/deletion_log.h"

#include <algorithm>
#include <set>

#include "filter/predicate_codec.h"

namespace dendro {
namespace {

DeletionStatus status_of(const TombstoneInfo& tombstone) {
  const Result<Predicate> predicate = decode_predicate(tombstone.predicate);
  return {tombstone.id,     predicate ? deletion_text(*predicate) : std::string(),
          tombstone.range,  tombstone.created,
          tombstone.origin, false};
}

}  // namespace

Result<DeletionCount> DeletionLog::count(const TenantId& tenant, const PreparedDeletion& deletion,
                                         const CancelToken& cancel) {
  DENDRO_TRY_ASSIGN(const std::shared_ptr<const Snapshot> snapshot, store_.snapshot(tenant));
  return count_matches(*snapshot, deletion, cancel);
}

Result<StartedDeletion> DeletionLog::start(const TenantId& tenant, const PreparedDeletion& deletion,
                                           const CancelToken& cancel) {
  DENDRO_TRY_ASSIGN(const DeletionCount counted, count(tenant, deletion, cancel));
  DENDRO_TRY_ASSIGN(const TombstoneId id, store_.delete_records(tenant, deletion.range, deletion.predicate));
  const DeletionStatus status{id,           deletion_text(deletion.predicate), deletion.range,
                              clock_.now(), TombstoneOrigin::request,          false};
  MutexLock lock(mutex_);
  known_.push_back({tenant, status});
  if (known_.size() > kMaxDoneDeletions) known_.pop_front();  // one that is pending is known to the store
  return StartedDeletion{id, counted};
}

std::vector<DeletionStatus> DeletionLog::list(const TenantId& tenant) const {
  std::vector<DeletionStatus> known;
  {
    MutexLock lock(mutex_);
    for (const Known& one : known_) {
      if (one.tenant == tenant) known.push_back(one.status);
    }
  }
  // Asked for behind the copy: what is not pending now, and was made before, is done.
  std::vector<DeletionStatus> items;
  std::set<TombstoneId> pending;
  for (const TombstoneInfo& tombstone : store_.pending_deletions(tenant)) {
    pending.insert(tombstone.id);
    items.push_back(status_of(tombstone));
  }
  for (DeletionStatus& status : known) {
    if (pending.contains(status.id)) continue;
    status.is_done = true;
    items.push_back(std::move(status));
  }
  std::sort(items.begin(), items.end(), [](const DeletionStatus& a, const DeletionStatus& b) { return a.id > b.id; });
  return items;
}

}  // namespace dendro
