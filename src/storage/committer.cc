#include "storage/committer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "storage/limits.h"

namespace dendro {

Committer::Committer(WalWriter& wal, TenantTable& tenants, WriteGate& gate, std::uint64_t queue_bytes_max,
                     SequenceNumber next_sequence)
    : wal_(wal), tenants_(tenants), gate_(gate), queue_bytes_max_(queue_bytes_max), next_sequence_(next_sequence) {
  thread_ = std::jthread([this] { run(); });
}

Committer::~Committer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

Status Committer::reserve(std::uint64_t queue_bytes) {
  MutexLock lock(mutex_);
  if (stopping_) return Error(ErrorCode::unavailable, "the store is being closed");
  const std::uint64_t queued = queued_bytes_.load(std::memory_order_relaxed);
  if (queued + queue_bytes > queue_bytes_max_) {
    return Error(ErrorCode::resource_exhausted,
                 "the write queue is full: " + std::to_string(queued) + " bytes wait; send again later");
  }
  queued_bytes_ += queue_bytes;
  return {};
}

void Committer::enqueue(PendingRequest pending) {
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
    Group group = take();
    const bool is_last = group.empty() && is_stopping();
    process(std::move(group));
    rotate_if_asked();
    if (is_last) return;
  }
}

bool Committer::is_stopping() {
  MutexLock lock(mutex_);
  return stopping_ && queue_.empty();
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

Committer::Group Committer::take() {
  Group group;
  MutexLock lock(mutex_);
  while (queue_.empty() && !stopping_ && rotations_asked_ == rotations_done_) wake_.wait(mutex_);
  std::uint64_t bytes = 0;
  while (!queue_.empty() && (group.empty() || bytes + queue_.front().frame_bytes <= kMaxGroupBytes)) {
    bytes += queue_.front().frame_bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
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
  for (PendingRequest& pending : part) {
    CommitRequest& request = pending.request;
    CommitReply reply{next_sequence_, request.receive_time, request.accepted, request.rejected, false};
    for (const FrameDraft& draft : pending.frames) {
      next_sequence_ = next_sequence_.next(draft.record_count);
      records_ += draft.record_count;
    }
    replies.push_back(reply);
    committed.push_back({request.tenant, std::move(request.batches), request.key, reply});
  }
  tenants_.publish(std::move(committed), SequenceNumber(next_sequence_.number() - 1));
  for (std::size_t i = 0; i < part.size(); ++i) answer(part[i], replies[i]);
}

void Committer::answer(PendingRequest& pending, Result<CommitReply> reply) {
  queued_bytes_ -= pending.queue_bytes;
  pending.frames.clear();
  std::exchange(pending.done, nullptr)(std::move(reply));
}

void Committer::fail_all(std::span<PendingRequest> part, const Error& error) {
  for (PendingRequest& pending : part) answer(pending, error);
}

}  // namespace dendro
