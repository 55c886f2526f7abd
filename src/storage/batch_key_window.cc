#include "storage/batch_key_window.h"

#include <algorithm>

#include "base/bytes.h"

namespace dendro {

std::size_t BatchKeyWindow::IdHash::operator()(const Bytes16& id) const noexcept {
  return load_le<std::size_t>(id.data());  // an id is a hash already
}

Result<std::optional<CommitReply>> BatchKeyWindow::find(const BatchKey& key, std::chrono::nanoseconds now) const {
  const auto found = entries_.find(key.id);
  if (found == entries_.end() || now - found->second.committed >= limits_.age_max) return std::optional<CommitReply>();
  if (found->second.content_hash != key.content_hash) {
    return Error(ErrorCode::already_exists, "a request with this key but other content was stored before");
  }
  CommitReply reply = found->second.reply;
  reply.replayed = true;
  return std::optional<CommitReply>(reply);
}

void BatchKeyWindow::add(const KeyedReply& entry, std::chrono::nanoseconds committed, std::chrono::nanoseconds now) {
  drop_old(now);
  committed = last_committed_ = std::max(committed, last_committed_);
  Entry& kept = entries_[entry.key.id];
  kept = {entry.key.content_hash, entry.reply, committed};
  oldest_first_.push_back(entry.key.id);
  while (entries_.size() > limits_.keys_max) {
    entries_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
}

void BatchKeyWindow::drop_old(std::chrono::nanoseconds now) {
  while (!oldest_first_.empty()) {
    const auto found = entries_.find(oldest_first_.front());
    if (found != entries_.end()) {
      if (now - found->second.committed < limits_.age_max) return;
      entries_.erase(found);
    }
    oldest_first_.pop_front();
  }
}

}  // namespace dendro
