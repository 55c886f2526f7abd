#include "storage/committer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "storage/limits.h"

namespace dendro {
namespace {

/// How long a flush that made room may go unnoticed.
constexpr std::chrono::milliseconds kRoomLookInterval{20};

}  // namespace

Committer::Committer(WalWriter& wal, TenantTable& tenants, CommitListeners& listeners, WriteGate& gate, Clock& clock,
                     Limits limits, SequenceNumber next_sequence)
    : wal_(wal),
      tenants_(tenants),
      listeners_(listeners),
      gate_(gate),
      clock_(clock),
      queue_share_{limits.queue_bytes_max},
      memtable_share_{limits.memtable_bytes_max},
      room_wait_max_(limits.room_wait_max),
      next_sequence_(next_sequence) {
  thread_ = std::jthread([this] { run(); });
}

Committer::~Committer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

Status Committer::reserve(const TenantId& tenant, std::uint64_t queue_bytes) {
  MutexLock lock(mutex_);
  if (stopping_) return Error(ErrorCode::unavailable, "the store is being closed");
  const std::uint64_t queued = queued_bytes_.load(std::memory_order_relaxed);
  const auto known = queued_by_tenant_.find(tenant);
  const std::uint64_t of_tenant = known == queued_by_tenant_.end() ? 0 : known->second;
  if (!queue_share_.admits(queued, of_tenant, queue_bytes)) {
    return Error(ErrorCode::resource_exhausted, "the write queue is full: " + std::to_string(queued) + " bytes wait, " +
                                                    std::to_string(of_tenant) + " of this tenant; send again later");
  }
  queued_by_tenant_[tenant] += queue_bytes;
  queued_bytes_ += queue_bytes;
  return {};
}

void Committer::enqueue(PendingRequest pending) {
  pending.queued_at = clock_.monotonic();
  bool was_empty = false;
  {
    MutexLock lock(mutex_);
    was_empty = queue_.empty();
    queue_.push_back(std::move(pending));
  }
  if (was_empty) wake_.notify_one();
}

Committer::Figures Committer::figures() const {
  return {records_.load(std::memory_order_relaxed), groups_.load(std::memory_order_relaxed),
          wal_bytes_.load(std::memory_order_relaxed), replayed_.load(std::memory_order_relaxed)};
}

void Committer::run() {
  for (;;) {
    Taken taken = take();
    const bool is_last = taken.group.empty() && is_stopping();
    fail_all(taken.refused,
             Error(ErrorCode::resource_exhausted,
                   "records come faster than they are flushed, and memory for them is used up; send again later"));
    process(std::move(taken.group));
    rotate_if_asked();
    if (is_last) return;
  }
}

bool Committer::is_stopping() {
  MutexLock lock(mutex_);
  return stopping_ && queue_.empty() && waiting_.empty();
}

Status Committer::rotate_wal() {
  MutexLock lock(mutex_);
  if (stopping_) return Error(ErrorCode::unavailable, "the store is being closed");
  const std::uint64_t rotation = ++rotations_asked_;
  wake_.notify_one();
  while (rotations_done_ < rotation) rotated_.wait(mutex_);
  return last_rotation_;
}

void Committer::rotate_if_asked() {
  std::uint64_t rotation = 0;
  {
    MutexLock lock(mutex_);
    if (rotations_asked_ == rotations_done_) return;
    rotation = rotations_asked_;
  }
  Status rotated = gate_.check_open();
  if (rotated) {
    rotated = wal_.rotate();
    if (!rotated && rotated.error().code() != ErrorCode::storage_full) gate_.stop(rotated.error());
  }
  MutexLock lock(mutex_);
  rotations_done_ = rotation;
  last_rotation_ = std::move(rotated);
  rotated_.notify_all();
}

Committer::Taken Committer::take() {
  Taken taken;
  MutexLock lock(mutex_);
  for (;;) {
    std::uint64_t frame_bytes = 0;
    std::uint64_t memory_bytes = 0;
    take_waiting_locked(taken, frame_bytes, memory_bytes);
    take_queued_locked(taken, frame_bytes, memory_bytes);
    const bool has_requests = !taken.group.empty() || !taken.refused.empty();
    if (has_requests || stopping_ || rotations_asked_ != rotations_done_) return taken;
    if (waiting_.empty()) {
      wake_.wait(mutex_);
    } else {
      wake_.wait_for(mutex_, kRoomLookInterval);
    }
  }
}

void Committer::take_waiting_locked(Taken& taken, std::uint64_t& frame_bytes, std::uint64_t& memory_bytes) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  for (auto of_tenant = waiting_.begin(); of_tenant != waiting_.end();) {
    std::deque<PendingRequest>& requests = of_tenant->second;
    while (!requests.empty()) {
      PendingRequest& first = requests.front();
      if (has_room_locked(first, memory_bytes)) {
        if (!taken.group.empty() && frame_bytes + first.frame_bytes > kMaxGroupBytes) return;
        frame_bytes += first.frame_bytes;
        memory_bytes += first.memory_bytes;
        taken.group.push_back(std::move(first));
      } else if (now - first.queued_at >= room_wait_max_) {
        taken.refused.push_back(std::move(first));
      } else {
        break;
      }
      requests.pop_front();
    }
    of_tenant = requests.empty() ? waiting_.erase(of_tenant) : std::next(of_tenant);
  }
}

void Committer::take_queued_locked(Taken& taken, std::uint64_t& frame_bytes, std::uint64_t& memory_bytes) {
  while (!queue_.empty()) {
    PendingRequest& first = queue_.front();
    if (!taken.group.empty() && frame_bytes + first.frame_bytes > kMaxGroupBytes) return;
    const bool waits_behind = !waiting_.empty() && waiting_.contains(first.request.tenant);
    if (!waits_behind && has_room_locked(first, memory_bytes)) {
      frame_bytes += first.frame_bytes;
      memory_bytes += first.memory_bytes;
      taken.group.push_back(std::move(first));
    } else {
      waiting_[first.request.tenant].push_back(std::move(first));
    }
    queue_.pop_front();
  }
}

bool Committer::has_room_locked(const PendingRequest& pending, std::uint64_t taken_bytes) const {
  const std::uint64_t held = tenants_.unflushed_bytes() + taken_bytes;
  if (held == 0 || stopping_) return true;  // it would never fit; it was promised an answer
  if (!memtable_share_.is_scarce(held, pending.memory_bytes)) return true;
  return memtable_share_.admits(held, tenants_.unflushed_bytes_of(pending.request.tenant) + taken_bytes,
                                pending.memory_bytes);
}

void Committer::process(Group group) {
  while (!group.empty()) {
    Group repeats;
    commit_in_parts(settle_keys(std::move(group), repeats));
    group =
        std::move(repeats);  // their first is settled now: found in the window, or it failed and the next one may try
  }
}

Committer::Group Committer::settle_keys(Group group, Group& repeats) {
  Group fresh;
  std::set<std::pair<TenantId, Bytes16>> keys;
  for (PendingRequest& pending : group) {
    const auto& key = pending.request.key;
    if (!key) {
      fresh.push_back(std::move(pending));
      continue;
    }
    Result<std::optional<CommitReply>> known = tenants_.find_key(pending.request.tenant, *key);
    if (!known) {
      answer(pending, known.error());
    } else if (known->has_value()) {
      ++replayed_;
      answer(pending, **known);
    } else if (keys.emplace(pending.request.tenant, key->id).second) {
      fresh.push_back(std::move(pending));
    } else {
      repeats.push_back(std::move(pending));
    }
  }
  return fresh;
}

void Committer::commit_in_parts(Group group) {
  if (group.empty()) return;
  Status open = gate_.check_open();
  if (open) open = gate_.check_space();
  if (!open) return fail_all(group, open.error());
  for (std::size_t first = 0; first < group.size();) {
    Result<std::size_t> count = fill_part(group, first);
    const Status committed = count ? commit_part(std::span(group).subspan(first, *count)) : Status(count.error());
    if (!committed) {
      const bool is_full = committed.error().code() == ErrorCode::storage_full;
      is_full ? gate_.set_full(committed.error()) : gate_.stop(committed.error());
      return fail_all(std::span(group).subspan(first), committed.error());
    }
    first += *count;
  }
}

Result<std::size_t> Committer::fill_part(const Group& group, std::size_t first) {
  if (!wal_.fits(group[first].frame_bytes)) DENDRO_TRY(wal_.rotate());
  std::uint64_t bytes = group[first].frame_bytes;
  std::size_t last = first + 1;
  while (last < group.size() && bytes + group[last].frame_bytes <= wal_.room()) bytes += group[last++].frame_bytes;
  return last - first;
}

Status Committer::commit_part(std::span<PendingRequest> part) {
  std::vector<FramePlace> frames;
  SequenceNumber sequence = next_sequence_;
  for (PendingRequest& pending : part) {
    std::size_t following = pending.frames.size();
    for (FrameDraft& draft : pending.frames) {
      frames.push_back({&draft, sequence, static_cast<std::uint16_t>(--following)});
      sequence = sequence.next(draft.record_count);
    }
  }
  DENDRO_TRY(wal_.commit(frames));
  ++groups_;
  wal_bytes_.store(wal_.bytes_written(), std::memory_order_relaxed);
  publish_part(part);
  return {};
}

void Committer::publish_part(std::span<PendingRequest> part) {
  std::vector<CommittedRequest> committed;
  committed.reserve(part.size());
  std::vector<CommitReply> replies;
  replies.reserve(part.size());
  std::uint64_t bytes = 0;  // of those before
  for (PendingRequest& pending : part) {
    CommitRequest& request = pending.request;
    CommitReply reply{next_sequence_, request.receive_time, request.accepted, request.rejected, false};
    for (const FrameDraft& draft : pending.frames) {
      next_sequence_ = next_sequence_.next(draft.record_count);
      records_ += draft.record_count;
    }
    replies.push_back(reply);
    committed.push_back({request.tenant, batches_of(pending, bytes), request.key, reply});
    bytes += pending.memory_bytes;
  }
  tenants_.publish(std::move(committed), SequenceNumber(next_sequence_.number() - 1));
  if (listeners_.any()) tell_listeners(part, replies.front().first_sequence);
  for (std::size_t i = 0; i < part.size(); ++i) answer(part[i], replies[i]);
}

std::vector<MemtableBatch> Committer::batches_of(const PendingRequest& pending, std::uint64_t bytes_before) const {
  std::vector<MemtableBatch> batches;
  batches.reserve(pending.frames.size());
  const bool wants_packed = tenants_.wants_packed(bytes_before + pending.memory_bytes);
  for (std::size_t i = 0; i < pending.frames.size(); ++i) {
    const FrameDraft& draft = pending.frames[i];
    batches.push_back(memtable_batch(pending.request.batches[i], draft.codec, draft.batch_bytes(), wants_packed));
  }
  return batches;
}

void Committer::tell_listeners(std::span<PendingRequest> part, SequenceNumber first) {
  std::map<TenantId, std::vector<CommittedBatch>> batches;
  for (const PendingRequest& pending : part) {
    for (const auto& batch : pending.request.batches) {
      batches[pending.request.tenant].push_back({batch, first});
      first = first.next(batch->size());
    }
  }
  for (const auto& [tenant, own] : batches) listeners_.notify(tenant, own);
}

void Committer::answer(PendingRequest& pending, Result<CommitReply> reply) {
  {
    MutexLock lock(mutex_);
    queued_bytes_ -= pending.queue_bytes;
    const auto of_tenant = queued_by_tenant_.find(pending.request.tenant);
    of_tenant->second -= pending.queue_bytes;
    if (of_tenant->second == 0) queued_by_tenant_.erase(of_tenant);
  }
  pending.frames.clear();
  std::exchange(pending.done, nullptr)(std::move(reply));
}

void Committer::fail_all(std::span<PendingRequest> part, const Error& error) {
  for (PendingRequest& pending : part) answer(pending, error);
}

}  // namespace dendro
