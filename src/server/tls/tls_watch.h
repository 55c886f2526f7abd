#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/listener_spec.h"
#include "server/tls/tls_keeper.h"

namespace dendro {

/// The certificates of all listeners, and the thread that looks whether their files changed. `keeper_of`, `readiness`
/// and `append_metrics` are thread-safe; the rest belongs to one thread.
class TlsWatch {
 public:
  static constexpr std::chrono::milliseconds kLookInterval{2'000};

  /// Errors: those of TlsKeeper::open. `clock` outlives this.
  static Result<std::unique_ptr<TlsWatch>> open(const std::vector<ListenerSpec>& listeners, const Clock& clock);
  ~TlsWatch() { stop(); }

  /// Starts the thread, if there is anything to look at. Once.
  void start(std::chrono::milliseconds interval = kLookInterval);
  void stop();

  /// Of the listener at that index; null: it speaks without TLS.
  std::shared_ptr<TlsKeeper> keeper_of(std::size_t listener) const { return keepers_[listener]; }
  bool empty() const;
  /// One sentence about each listener that will not go on like this, or "": for people who may be anybody.
  std::string trouble() const;
  /// Prometheus text: when certificates and lists run out, how often they were read.
  void append_metrics(std::string& out) const;

 private:
  explicit TlsWatch(const Clock& clock) : clock_(clock) {}
  std::vector<TlsKeeper::State> states() const;
  void run(std::chrono::milliseconds interval);

  const Clock& clock_;
  std::vector<std::shared_ptr<TlsKeeper>> keepers_;  // by listener; fixed after open

  Mutex mutex_;
  CondVar wake_;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace dendro
