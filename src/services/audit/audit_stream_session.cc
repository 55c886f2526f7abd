#include "services/audit/audit_stream_session.h"

#include <utility>

#include "base/json_writer.h"
#include "base/log.h"
#include "services/audit/audit_ids.h"
#include "services/audit/audit_stream_hub.h"
#include "services/audit/limits.h"

namespace dendro {

const std::shared_ptr<const std::string>& AuditStreamLog::frame() {
  if (frame_ != nullptr) return frame_;
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  append_audit_log_members(json, stored_.log);
  json.member("message_id", audit_message_id(stored_.log.id));
  json.member("status", "stored");
  json.end_object();
  frame_ = std::make_shared<const std::string>(std::move(text));
  return frame_;
}

AuditStreamSession::AuditStreamSession(std::shared_ptr<AuditStreamHub> hub, AuditReader reader, AuditFilter filter,
                                       StoredPlace place, AuditStreamLimits limits, std::function<void()> wake)
    : hub_(std::move(hub)),
      reader_(std::move(reader)),
      limits_(limits),
      wake_(std::move(wake)),
      filter_(std::make_shared<const AuditFilter>(std::move(filter))),
      place_(place) {}

AuditStreamSession::~AuditStreamSession() {
  hub_->session_ended(reader_.tenant);
}

std::vector<std::shared_ptr<const std::string>> AuditStreamSession::take(std::size_t bytes_max) {
  std::vector<std::shared_ptr<const std::string>> frames;
  bool wants_work = false;
  {
    MutexLock lock(mutex_);
    if (queue_.empty() && dropped_.count > 0) append_dropped_locked();
    for (std::size_t bytes = 0; !queue_.empty() && (frames.empty() || bytes + queue_.front()->size() <= bytes_max);) {
      bytes += queue_.front()->size();
      queue_bytes_ -= queue_.front()->size();
      frames.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    reader_waits_ = frames.empty();
    wants_work = state_ == State::catching_up && queue_.empty() && !is_working_;
    if (wants_work) is_working_ = true;
  }
  if (wants_work) hub_->schedule(shared_from_this());
  return frames;
}

bool AuditStreamSession::has_failed() const {
  MutexLock lock(mutex_);
  return state_ == State::failed && queue_.empty();
}

void AuditStreamSession::set_filter(AuditFilter filter) {
  auto shared = std::make_shared<const AuditFilter>(std::move(filter));
  MutexLock lock(mutex_);
  filter_ = std::move(shared);
}

void AuditStreamSession::close() {
  cancel_.cancel();
  MutexLock lock(mutex_);
  state_ = State::closed;
  wake_ = nullptr;
  queue_.clear();
  queue_bytes_ = 0;
}

std::shared_ptr<const AuditFilter> AuditStreamSession::filter() const {
  MutexLock lock(mutex_);
  return filter_;
}

std::function<void()> AuditStreamSession::waker_locked() {
  const bool has_news = !queue_.empty() || state_ == State::failed;
  if (!reader_waits_ || !has_news) return nullptr;
  reader_waits_ = false;
  return wake_;
}

bool AuditStreamSession::has_room_locked(std::size_t frames, std::size_t bytes) const {
  return queue_.size() + frames <= limits_.frames_max && queue_bytes_ + bytes <= limits_.bytes_max;
}

void AuditStreamSession::append_locked(std::shared_ptr<const std::string> frame) {
  queue_bytes_ += frame->size();
  queue_.push_back(std::move(frame));
}

void AuditStreamSession::append_dropped_locked() {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("type", "dropped");
  json.member("count", dropped_.count);
  json.member("from", dropped_.from);
  json.member("to", dropped_.to);
  json.end_object();
  dropped_ = Dropped();
  append_locked(std::make_shared<const std::string>(std::move(text)));
}

void AuditStreamSession::push_locked(AuditStreamLog& log, bool may_drop) {
  const std::size_t bytes = log.frame()->size();
  const std::size_t frames = dropped_.count > 0 ? 2 : 1;
  if (may_drop && !has_room_locked(frames, bytes)) {
    if (dropped_.count++ == 0) dropped_.from = log.log().id;
    dropped_.to = log.log().id;
    return;
  }
  if (dropped_.count > 0) append_dropped_locked();
  append_locked(log.frame());
}

void AuditStreamSession::offer(std::vector<AuditStreamLog>& logs) {
  const auto wanted = filter();
  std::function<void()> wake;
  for (AuditStreamLog& log : logs) {
    if (!wanted->matches(log.log())) continue;
    MutexLock lock(mutex_);
    if (state_ == State::live && log.place() > place_) push_locked(log, true);
  }
  {
    MutexLock lock(mutex_);
    wake = waker_locked();
  }
  if (wake) wake();
}

void AuditStreamSession::catch_up() {
  StoredPlace after;
  {
    MutexLock lock(mutex_);
    if (state_ != State::catching_up) return;
    after = place_;
  }
  auto stored = hub_->store().read_stored(reader_, after, kAuditStreamPage, cancel_);
  if (!stored) return fail(stored.error());
  take_page(*stored);
  if (stored->at_end && join()) return;
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    is_working_ = state_ == State::catching_up && queue_.empty();
    if (is_working_) {
      wake = [self = shared_from_this()] { self->hub_->schedule(self); };
    } else {
      wake = waker_locked();  // the reader goes on reading once it took this
    }
  }
  if (wake) wake();
}

void AuditStreamSession::take_page(StoredAuditLogs& stored) {
  const auto wanted = filter();
  std::vector<AuditStreamLog> logs;
  for (StoredAuditLog& log : stored.logs) {
    if (wanted->matches(log.log)) logs.emplace_back(std::move(log));
  }
  MutexLock lock(mutex_);
  if (state_ != State::catching_up) return;
  for (AuditStreamLog& log : logs) push_locked(log, false);
  place_ = stored.through;
}

/// Live before the hub knows it, so that nothing is handed to a session that would not take it.
bool AuditStreamSession::join() {
  StoredPlace place;
  {
    MutexLock lock(mutex_);
    if (state_ != State::catching_up) return true;
    state_ = State::live;
    place = place_;
  }
  const bool has_joined = hub_->try_join(shared_from_this(), place);
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    if (!has_joined && state_ == State::live) state_ = State::catching_up;
    if (has_joined) {
      is_working_ = false;
      wake = waker_locked();
    }
  }
  if (wake) wake();
  return has_joined;
}

void AuditStreamSession::fail(const Error& error) {
  if (error.code() != ErrorCode::cancelled) {
    log(LogLevel::warning, "audit", "a stream cannot be read on",
        {{"tenant", reader_.tenant.text()}, {"error", error.message()}});
  }
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    if (state_ == State::closed) return;
    state_ = State::failed;
    is_working_ = false;
    wake = waker_locked();
  }
  if (wake) wake();
}

}  // namespace dendro
