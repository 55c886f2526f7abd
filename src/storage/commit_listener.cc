#include "storage/commit_listener.h"

#include <utility>

namespace dendro {

void CommitListeners::add(const TenantId& tenant, std::weak_ptr<CommitListener> listener) {
  MutexLock lock(mutex_);
  listeners_[tenant].push_back(std::move(listener));
}

void CommitListeners::notify(const TenantId& tenant, const std::vector<CommittedBatch>& batches) {
  std::vector<std::shared_ptr<CommitListener>> present;
  {
    MutexLock lock(mutex_);
    const auto found = listeners_.find(tenant);
    if (found == listeners_.end()) return;
    std::erase_if(found->second, [&present](const std::weak_ptr<CommitListener>& listener) {
      present.push_back(listener.lock());
      if (present.back() != nullptr) return false;
      present.pop_back();
      return true;
    });
    if (found->second.empty()) listeners_.erase(found);
  }
  for (const auto& listener : present) listener->on_commit(batches);
}

bool CommitListeners::any() const {
  MutexLock lock(mutex_);
  return !listeners_.empty();
}

}  // namespace dendro
