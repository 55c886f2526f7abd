#include "services/audit/audit_stream_hub.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace dendro {
namespace {

/// Of a tenant, before the next one has its turn: 200,000 logs a second at most.
constexpr int kPagesATurn = 8;

}  // namespace

AuditStreamHub::AuditStreamHub(AuditStore& store, WorkerPool& workers, AuditStreamOptions options)
    : store_(store), workers_(workers), options_(options) {}

std::shared_ptr<AuditStreamHub> AuditStreamHub::start(AuditStore& store, WorkerPool& workers,
                                                      AuditStreamOptions options) {
  std::shared_ptr<AuditStreamHub> hub(new AuditStreamHub(store, workers, options));
  hub->thread_ = std::jthread([raw = hub.get()] { raw->run(); });
  ::pthread_setname_np(hub->thread_.native_handle(), "dendro-audit");
  return hub;
}

AuditStreamHub::~AuditStreamHub() {
  stop();
}

void AuditStreamHub::stop() {
  std::vector<std::shared_ptr<AuditStreamSession>> scheduled;
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    scheduled.swap(scheduled_);
    wake_.notify_all();
    pace_.notify_all();
  }
  cancel_.cancel();
  if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id()) thread_.join();
}

std::size_t AuditStreamHub::open_streams() const {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [tenant, streams] : open_) count += streams;
  return count;
}

Result<std::shared_ptr<AuditStreamSession>> AuditStreamHub::open(const AuditStreamRequest& request,
                                                                 std::function<void()> wake) {
  const AuditReader reader(request.tenant, request.restriction);
  DENDRO_TRY_ASSIGN(StoredPlace place, store_.newest_place(request.tenant));
  if (!request.after.empty()) {
    DENDRO_TRY_ASSIGN(const std::optional<StoredPlace> after, store_.place_of(reader, request.after));
    if (!after) return Error(ErrorCode::not_found, "after: no such log");
    place = *after;
  }
  {
    MutexLock lock(mutex_);
    if (is_stopping_) return Error(ErrorCode::unavailable, "the server is shutting down");
    if (open_[request.tenant] >= options_.streams_per_tenant_max) {
      return Error(ErrorCode::resource_exhausted, "too many streams of this tenant");
    }
    ++open_[request.tenant];
  }
  auto session = std::make_shared<AuditStreamSession>(shared_from_this(), reader, request.filter, place,
                                                      options_.limits, std::move(wake));
  schedule(session);
  return session;
}

void AuditStreamHub::session_ended(const TenantId& tenant) {
  MutexLock lock(mutex_);
  if (--open_[tenant] == 0) open_.erase(tenant);
}

void AuditStreamHub::schedule(const std::shared_ptr<AuditStreamSession>& session) {
  if (workers_.submit([session] { session->catch_up(); })) return;
  MutexLock lock(mutex_);
  if (is_stopping_) return;
  scheduled_.push_back(session);
  wake_.notify_all();
}

bool AuditStreamHub::try_join(const std::shared_ptr<AuditStreamSession>& session, StoredPlace place) {
  MutexLock lock(mutex_);
  if (is_stopping_) return true;  // nothing will come any more
  const auto [entry, is_new] = feeds_.try_emplace(session->reader().key(), Feed{session->reader()});
  Feed& feed = entry->second;
  if (is_new) {
    feed.through = place;
    feed.listening = listen(entry->first);
    has_news_ = true;  // what was stored before it listened
    wake_.notify_all();
  }
  if (place < feed.through) return false;
  feed.members.push_back(session);
  return true;
}

/// Under the hub's lock, so that no feed is without its listener; the store calls back without any lock of ours.
std::shared_ptr<void> AuditStreamHub::listen(const FeedKey& key) {
  return store_.listen(key.first, [weak = weak_from_this(), key] {
    if (const auto hub = weak.lock()) hub->note_news(key);
  });
}

void AuditStreamHub::note_news(const FeedKey& key) {
  MutexLock lock(mutex_);
  const auto feed = feeds_.find(key);
  if (feed == feeds_.end()) return;
  feed->second.has_news = has_news_ = true;
  wake_.notify_all();
}

void AuditStreamHub::run() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!is_stopping_ && !has_news_ && scheduled_.empty()) wake_.wait(mutex_);
      if (is_stopping_) return;
      has_news_ = false;
    }
    run_turn();
    MutexLock lock(mutex_);
    if (!is_stopping_) pace_.wait_for(mutex_, kAuditStreamTurn);
  }
}

void AuditStreamHub::run_turn() {
  std::vector<FeedKey> with_news;
  std::vector<std::shared_ptr<AuditStreamSession>> scheduled;
  {
    MutexLock lock(mutex_);
    scheduled.swap(scheduled_);
    for (auto& [key, feed] : feeds_) {
      if (std::exchange(feed.has_news, false)) with_news.push_back(key);
    }
  }
  for (const auto& session : scheduled) session->catch_up();
  for (const FeedKey& key : with_news) {
    bool has_more = true;
    for (int page = 0; page < kPagesATurn && has_more; ++page) has_more = advance(key);
    if (has_more) note_news(key);  // the others first
  }
}

bool AuditStreamHub::advance(const FeedKey& key) {
  StoredPlace after;
  AuditReader reader;
  {
    MutexLock lock(mutex_);
    const auto feed = feeds_.find(key);
    if (feed == feeds_.end()) return false;
    std::erase_if(feed->second.members, [](const auto& member) { return member.expired(); });
    if (feed->second.members.empty()) {
      feeds_.erase(feed);
      return false;
    }
    after = feed->second.through;
    reader = feed->second.reader;
  }
  auto stored = store_.read_stored(reader, after, kAuditStreamPage, cancel_);
  if (!stored) {
    if (stored.error().code() == ErrorCode::cancelled) return false;
    log(LogLevel::warning, "audit", "the stream cannot be read, trying again",
        {{"tenant", key.first.text()}, {"error", stored.error().message()}});
    return true;
  }
  std::vector<AuditStreamLog> logs;
  for (StoredAuditLog& one : stored->logs) logs.emplace_back(std::move(one));
  std::vector<std::shared_ptr<AuditStreamSession>> members;
  {
    // Both at once: who joins later has read up to here by itself.
    MutexLock lock(mutex_);
    Feed& feed = feeds_.find(key)->second;
    feed.through = stored->through;
    for (const auto& member : feed.members) {
      if (auto session = member.lock()) members.push_back(std::move(session));
    }
  }
  for (const auto& session : members) session->offer(logs);
  return !stored->at_end;
}

}  // namespace dendro
