#include "services/tail/tail_hub.h"

#include <pthread.h>

#include <utility>

#include "services/tail/sequence_input.h"
#include "services/tail/tail_tables.h"

namespace dendro {
namespace {

/// Half of kTailFrameTime: a row waits at most half as long again as it should.
constexpr std::chrono::milliseconds kTickTime{50};

}  // namespace

TailHub::TailHub(TailParts parts, TailOptions options)
    : parts_(std::move(parts)),
      options_(options),
      memory_(std::make_shared<const TailMemory>(options_.memory_bytes_max)),
      tables_(make_tail_tables(parts_.lookup_tables, memory_)) {
  if (!options_.ticks_by_itself) return;
  ticker_ = std::jthread([this] { run_ticks(); });
  ::pthread_setname_np(ticker_.native_handle(), "dendro-tail");
}

TailHub::~TailHub() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = is_shut_down_ = true;
    wake_.notify_all();
  }
  if (ticker_.joinable()) ticker_.join();
  for (const auto& feed : feeds()) {
    feed->stop();
    for (const auto& session : feed->sessions()) session->close();
  }
}

Result<std::shared_ptr<TailSession>> TailHub::open(const TailRequest& request, QueryFault& fault) {
  std::optional<SequenceNumber> since;
  if (!request.since.empty()) {
    since = parse_tail_cursor(request.since);
    if (!since) return Error(ErrorCode::invalid_argument, "since: not a cursor of this server");
  }
  if (request.rows_per_s_max > kTailRowsPerSecondMax) {
    return Error(ErrorCode::invalid_argument, "rows_per_s_max: at most " + std::to_string(kTailRowsPerSecondMax));
  }
  const std::shared_ptr<TailFeed> feed = feed_of(request.tenant);
  if (feed == nullptr) return Error(ErrorCode::unavailable, "the server is shutting down");
  DENDRO_TRY_ASSIGN(auto query, query_of(*feed, request, fault));
  auto session = std::make_shared<TailSession>(parts_, options_, request, std::move(query), feed, memory_);
  DENDRO_TRY(session->start(since));
  MutexLock lock(mutex_);
  if (is_shut_down_) session->end(TailEnd::shutdown);  // shut_down() may have gone through the tails before it joined
  return session;
}

std::shared_ptr<TailFeed> TailHub::feed_of(const TenantId& tenant) {
  std::shared_ptr<TailFeed> feed;
  {
    MutexLock lock(mutex_);
    if (is_shut_down_) return nullptr;
    std::weak_ptr<TailFeed>& known = feeds_[tenant];
    feed = known.lock();
    if (feed != nullptr) return feed;
    feed = std::make_shared<TailFeed>(parts_.workers, options_.feed_bytes_max, memory_);
    known = feed;
    std::erase_if(feeds_, [](const auto& entry) { return entry.second.expired(); });
    // Under the lock, so that whoever finds the feed finds it listening.
    parts_.listeners.add(tenant, feed);
  }
  return feed;
}

Result<std::shared_ptr<const TailQuery>> TailHub::query_of(TailFeed& feed, const TailRequest& request,
                                                           QueryFault& fault) {
  const std::string key = tail_query_key(request);
  if (auto known = feed.find_query(key)) return known;
  TailNames names{tables_, parts_.geo_database};
  if (parts_.saved_filters_of) names.saved_filters = parts_.saved_filters_of(request.tenant);
  DENDRO_TRY_ASSIGN(auto query, TailQuery::prepare(request, names, fault));
  if (query->is_shareable()) feed.remember_query(key, query);
  return query;
}

std::vector<std::shared_ptr<TailFeed>> TailHub::feeds() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<TailFeed>> present;
  for (const auto& [tenant, known] : feeds_) {
    if (auto feed = known.lock()) present.push_back(std::move(feed));
  }
  return present;
}

void TailHub::shut_down() {
  {
    MutexLock lock(mutex_);
    is_shut_down_ = true;
  }
  for (const auto& feed : feeds()) {
    for (const auto& session : feed->sessions()) session->end(TailEnd::shutdown);
  }
}

void TailHub::tick() {
  for (const auto& feed : feeds()) {
    feed->tick();
    for (const auto& session : feed->sessions()) session->tick();
  }
}

std::size_t TailHub::open_tails() const {
  std::size_t count = 0;
  for (const auto& feed : feeds()) count += feed->sessions().size();
  return count;
}

void TailHub::run_ticks() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      if (is_stopping_) return;
      wake_.wait_for(mutex_, kTickTime);
      if (is_stopping_) return;
    }
    tick();
  }
}

}  // namespace dendro
