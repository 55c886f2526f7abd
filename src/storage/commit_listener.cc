#include "storage/commit_listener.h"

#include <utility>

namespace dendro {
namespace {

/// Those that are still there; forgets the others.
template <typename Listener>
std::vector<std::shared_ptr<Listener>> take_present(std::vector<std::weak_ptr<Listener>>& listeners) {
  std::vector<std::shared_ptr<Listener>> present;
  std::erase_if(listeners, [&present](const std::weak_ptr<Listener>& listener) {
    present.push_back(listener.lock());
    if (present.back() != nullptr) return false;
    present.pop_back();
    return true;
  });
  return present;
}

}  // namespace

void CommitListeners::add(const TenantId& tenant, std::weak_ptr<CommitListener> listener) {
  MutexLock lock(mutex_);
  listeners_[tenant].push_back(std::move(listener));
}

void CommitListeners::add_to_all(std::weak_ptr<EveryCommitListener> listener) {
  MutexLock lock(mutex_);
  every_.push_back(std::move(listener));
}

void CommitListeners::notify(const TenantId& tenant, const std::vector<CommittedBatch>& batches) {
  std::vector<std::shared_ptr<CommitListener>> present;
  std::vector<std::shared_ptr<EveryCommitListener>> every;
  {
    MutexLock lock(mutex_);
    every = take_present(every_);
    if (const auto found = listeners_.find(tenant); found != listeners_.end()) {
      present = take_present(found->second);
      if (found->second.empty()) listeners_.erase(found);
    }
  }
  for (const auto& listener : present) listener->on_commit(batches);
  for (const auto& listener : every) listener->on_commit(tenant, batches);
}

bool CommitListeners::any() const {
  MutexLock lock(mutex_);
  return !listeners_.empty() || !every_.empty();
}

}  // namespace dendro
