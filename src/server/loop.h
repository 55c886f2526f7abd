#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"

namespace boost::asio {
class io_context;
}

namespace dendro {

/// Something that lives on a loop and is looked after by its sweep: a connection. All calls come on the loop's thread.
class LoopMember {
 public:
  virtual ~LoopMember() = default;
  /// Ends what took too long. `now` is of Clock::monotonic.
  virtual void sweep(std::chrono::nanoseconds now) = 0;
  /// Finishes what is begun and takes nothing new.
  virtual void stop_softly() = 0;
  /// Drops everything at once.
  virtual void stop_hard() = 0;
};

/// One thread's event loop with the coarse things its connections share: time, the text of Date, request ids, the
/// sweep. Held by shared_ptr: a late responder may still ask to `post` after the server is gone, which is then dropped.
/// `post` and `connections` are thread-safe, the rest is for the loop's own thread unless it says otherwise.
class Loop {
 public:
  /// `clock` and `random` outlive `run`.
  Loop(Clock& clock, RandomSource& random, std::chrono::milliseconds sweep_interval);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs `task` on the loop's thread, after what it does now. Dropped once the loop is closed.
  void post(std::function<void()> task);
  /// Body of the thread; returns after `shut_down`.
  void run();
  /// Makes `run` return. Any thread.
  void shut_down();
  /// After `run` returned: what is still posted runs here, what comes later is dropped.
  void close();

  boost::asio::io_context& context();

  void add(LoopMember& member);
  void remove(LoopMember& member);
  void stop_members_softly();
  void stop_members_hard();
  /// Connections here or on their way here; any thread.
  std::atomic<std::size_t>& connections() { return connections_; }

  /// Clock::monotonic of the last sweep: good for time-outs, costs nothing.
  std::chrono::nanoseconds coarse_now() const { return coarse_now_; }
  Timestamp now() const { return clock_.now(); }
  /// "Fri, 20 Nov 2026 10:00:00 GMT" as of the last sweep; borrowed until the next one.
  std::string_view date_text() const { return date_text_; }
  /// 32 hexadecimal digits.
  std::string make_request_id();

 private:
  class Impl;
  void schedule_sweep();
  void sweep_members();
  void look_at_clock();

  Clock& clock_;
  RandomSource& random_;
  const std::chrono::milliseconds sweep_interval_;
  const std::unique_ptr<Impl> impl_;
  std::atomic<std::size_t> connections_{0};

  Mutex mutex_;
  bool is_closed_ DENDRO_GUARDED_BY(mutex_) = false;

  // Of the loop's thread.
  std::set<LoopMember*> members_;
  std::chrono::nanoseconds coarse_now_;
  std::int64_t date_second_ = -1;
  std::string date_text_;
  std::array<std::uint8_t, 4096> random_bytes_{};
  std::size_t random_used_ = sizeof(random_bytes_);
};

}  // namespace dendro
