#include "server/loop.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

#include "base/hex.h"

namespace dendro {
namespace {

namespace asio = boost::asio;

/// RFC 9110, 5.6.7.
std::string http_date(Timestamp time) {
  static constexpr std::string_view kDays[] = {"Thu", "Fri", "Sat", "Sun",
                                               "Mon", "Tue", "Wed"};  // day 0 was a Thursday
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime civil = to_civil(time);
  const std::int64_t day = days_from_civil(civil.year, civil.month, civil.day);
  const auto two = [](unsigned number) {
    return std::string{static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
  };
  std::string text(kDays[static_cast<std::size_t>((day % 7 + 7) % 7)]);
  text += ", " + two(civil.day) + " ";
  text += kMonths[civil.month - 1];
  text += " " + std::to_string(civil.year) + " " + two(civil.hour) + ":" + two(civil.minute) + ":" + two(civil.second);
  return text + " GMT";
}

}  // namespace

class Loop::Impl {
 public:
  asio::io_context context{1};
  asio::steady_timer sweep_timer{context};
};

Loop::Loop(Clock& clock, RandomSource& random, std::chrono::milliseconds sweep_interval)
    : clock_(clock),
      random_(random),
      sweep_interval_(sweep_interval),
      impl_(std::make_unique<Impl>()),
      coarse_now_(clock.monotonic()) {
  look_at_clock();
}
Loop::~Loop() = default;

void Loop::post(std::function<void()> task) {
  MutexLock lock(mutex_);
  if (!is_closed_) asio::post(impl_->context, std::move(task));
}

void Loop::run() {
  schedule_sweep();
  const auto work = asio::make_work_guard(impl_->context);
  impl_->context.run();
}

void Loop::shut_down() {
  impl_->context.stop();
}

void Loop::close() {
  {
    MutexLock lock(mutex_);
    is_closed_ = true;
  }
  impl_->sweep_timer.cancel();
  impl_->context.restart();
  impl_->context.poll();
}

asio::io_context& Loop::context() {
  return impl_->context;
}

void Loop::add(LoopMember& member) {
  members_.insert(&member);
}
void Loop::remove(LoopMember& member) {
  members_.erase(&member);
}

// A member may remove itself (and only itself) while it is called, hence the copies.
void Loop::stop_members_softly() {
  const std::vector<LoopMember*> members(members_.begin(), members_.end());
  for (LoopMember* member : members) member->stop_softly();
}

void Loop::stop_members_hard() {
  const std::vector<LoopMember*> members(members_.begin(), members_.end());
  for (LoopMember* member : members) member->stop_hard();
}

void Loop::schedule_sweep() {
  impl_->sweep_timer.expires_after(sweep_interval_);
  impl_->sweep_timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    sweep_members();
    schedule_sweep();
  });
}

void Loop::sweep_members() {
  look_at_clock();
  const std::vector<LoopMember*> members(members_.begin(), members_.end());
  for (LoopMember* member : members) member->sweep(coarse_now_);
}

void Loop::look_at_clock() {
  coarse_now_ = clock_.monotonic();
  const Timestamp now = clock_.now();
  const std::int64_t second = now.number() / kNanosPerSecond;
  if (second == date_second_) return;
  date_second_ = second;
  date_text_ = http_date(now);
}

std::string Loop::make_request_id() {
  constexpr std::size_t kIdBytes = 16;
  if (random_used_ == random_bytes_.size()) {
    random_.fill(random_bytes_);
    random_used_ = 0;
  }
  const std::span<const std::uint8_t> id = std::span(random_bytes_).subspan(random_used_, kIdBytes);
  random_used_ += kIdBytes;
  return to_hex(id);
}

}  // namespace dendro
