#include "services/tail/tail_feed.h"

#include <algorithm>
#include <utility>

#include "services/tail/tail_session.h"

namespace dendro {
namespace {

/// Then other work of the pool has its turn.
constexpr std::size_t kBatchesAtOnce = 32;

}  // namespace

TailFeed::TailFeed(WorkerPool& workers, std::size_t queue_bytes_max, std::shared_ptr<const TailMemory> memory)
    : workers_(workers), queue_bytes_max_(queue_bytes_max), memory_(std::move(memory)) {}

void TailFeed::on_commit(const std::vector<CommittedBatch>& batches) {
  MutexLock lock(mutex_);
  if (is_stopped_ || groups_->empty()) return;
  for (const CommittedBatch& committed : batches) {
    const SequenceNumber last = committed.first_sequence.next(committed.batch->size() - 1);
    const std::size_t bytes = TailMemory::bytes_of(*committed.batch);
    auto batch = waiting_bytes_ + bytes <= queue_bytes_max_ ? memory_->hold(committed.batch) : nullptr;
    if (batch != nullptr) {
      waiting_bytes_ += bytes;
      waiting_.push_back({std::move(batch), committed.first_sequence, last});
    } else if (!waiting_.empty() && waiting_.back().batch == nullptr) {
      waiting_.back().last = last;
    } else {
      waiting_.push_back({nullptr, committed.first_sequence, last});
    }
  }
  start_pump_locked();
}

bool TailFeed::add(const std::shared_ptr<const TailQuery>& query, const std::shared_ptr<TailSession>& session,
                   std::size_t sessions_max) {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const Group& group : *groups_) count += group.members.size();
  if (count >= sessions_max || is_stopped_) return false;
  auto groups = std::make_shared<Groups>(*groups_);
  auto group = std::find_if(groups->begin(), groups->end(), [&](const Group& g) { return g.query == query; });
  if (group == groups->end()) group = groups->insert(groups->end(), Group{query, {}});
  group->members.push_back({session.get(), session});
  groups_ = std::move(groups);
  return true;
}

void TailFeed::remove(const TailSession& session) {
  MutexLock lock(mutex_);
  auto groups = std::make_shared<Groups>(*groups_);
  for (Group& group : *groups) {
    std::erase_if(group.members, [&session](const Member& member) { return member.address == &session; });
  }
  std::erase_if(*groups, [](const Group& group) { return group.members.empty(); });
  groups_ = std::move(groups);
}

std::shared_ptr<const TailQuery> TailFeed::find_query(const std::string& key) const {
  MutexLock lock(mutex_);
  for (const auto& [known, query] : queries_) {
    if (known == key) return query.lock();
  }
  return nullptr;
}

void TailFeed::remember_query(const std::string& key, const std::shared_ptr<const TailQuery>& query) {
  MutexLock lock(mutex_);
  std::erase_if(queries_, [&key](const auto& entry) { return entry.first == key || entry.second.expired(); });
  queries_.emplace_back(key, query);
}

std::vector<std::shared_ptr<TailSession>> TailFeed::sessions() const {
  std::shared_ptr<const Groups> groups;
  {
    MutexLock lock(mutex_);
    groups = groups_;
  }
  std::vector<std::shared_ptr<TailSession>> sessions;
  for (const Group& group : *groups) {
    for (const Member& member : group.members) {
      if (auto session = member.session.lock()) sessions.push_back(std::move(session));
    }
  }
  return sessions;
}

void TailFeed::tick() {
  MutexLock lock(mutex_);
  if (!waiting_.empty()) start_pump_locked();
}

void TailFeed::stop() {
  MutexLock lock(mutex_);
  is_stopped_ = true;
  waiting_.clear();
  waiting_bytes_ = 0;
}

void TailFeed::start_pump_locked() {
  if (is_pumping_ || is_stopped_) return;
  is_pumping_ = true;
  // A full pool: the next tick tries again.
  if (!workers_.submit([self = shared_from_this()] { self->pump(); })) is_pumping_ = false;
}

void TailFeed::pump() {
  for (std::size_t handed_out = 0; handed_out < kBatchesAtOnce; ++handed_out) {
    Waiting waiting;
    std::shared_ptr<const Groups> groups;
    {
      MutexLock lock(mutex_);
      if (waiting_.empty()) {
        is_pumping_ = false;
        return;
      }
      // Both at once: a session that joins later has what it missed in its snapshot.
      waiting = std::move(waiting_.front());
      groups = groups_;
      waiting_.pop_front();
      if (waiting.batch != nullptr) waiting_bytes_ -= TailMemory::bytes_of(*waiting.batch);
    }
    hand_out(waiting, *groups);
  }
  MutexLock lock(mutex_);
  is_pumping_ = false;
  start_pump_locked();
}

/// The records that the query keeps; null if it keeps none.
std::shared_ptr<const RecordBlock> TailFeed::select(const TailQuery& query, const Waiting& waiting) const {
  if (waiting.batch == nullptr || query.is_table()) return nullptr;
  std::optional<RecordBlock> block = query.select(waiting.batch, waiting.first);
  if (!block) return nullptr;
  if (block->rows.size() * kTailCopyShare <= waiting.batch->size()) {
    RecordBlock copy = copy_out(*block);
    // Without room for the copy the batch stays, which is counted already.
    if (auto held = memory_->hold(copy.batch)) {
      copy.batch = std::move(held);
      block = std::move(copy);
    }
  }
  return std::make_shared<const RecordBlock>(std::move(*block));
}

void TailFeed::hand_out(const Waiting& waiting, const Groups& groups) const {
  for (const Group& group : groups) {
    const auto block = select(*group.query, waiting);
    for (const Member& member : group.members) {
      const auto session = member.session.lock();
      if (session == nullptr) continue;
      if (waiting.batch == nullptr) {
        session->miss(waiting.first, waiting.last);
      } else {
        session->offer(block, waiting.last);
      }
    }
  }
}

}  // namespace dendro
