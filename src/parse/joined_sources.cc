#include "parse/joined_sources.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"

namespace dendro {
namespace {

/// Inputs are taken by threads in their order; each thread reads its input to the end before it takes another. The
/// first input that is not read up (`first_`) is always some thread's, or free to be taken, so the reader never waits
/// in vain.
class JoinedSource final : public RecordSource {
 public:
  JoinedSource(std::vector<JoinedInput> inputs, JoinedOrder order, std::size_t threads)
      : inputs_(std::move(inputs)), order_(order), ahead_max_(2 * threads), lanes_(inputs_.size()) {
    DENDRO_CHECK(threads > 0);
    threads = std::min(threads, inputs_.size());
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { read_inputs(); });
  }
  ~JoinedSource() override {
    {
      const MutexLock lock(mutex_);
      is_abandoned_ = true;
    }
    changed_.notify_all();
  }
  JoinedSource(const JoinedSource&) = delete;
  JoinedSource& operator=(const JoinedSource&) = delete;

  Result<std::shared_ptr<const RecordBatch>> next() override {
    for (;;) {
      std::shared_ptr<const RecordBatch> batch;
      FileFindings findings;
      std::size_t ended = 0;
      {
        const MutexLock lock(mutex_);
        while (!find_batch(batch) && !is_first_done()) changed_.wait(mutex_);
        if (batch != nullptr) {
          changed_.notify_all();
          return batch;
        }
        if (first_ == lanes_.size()) return batch;
        Lane& lane = lanes_[first_];
        if (lane.failure) return *lane.failure;
        findings = lane.findings;
        ended = first_;
      }
      // Outside of the lock: it may call what it likes.
      if (inputs_[ended].on_end) inputs_[ended].on_end(findings);
      const MutexLock lock(mutex_);
      ++first_;
      changed_.notify_all();
    }
  }

 private:
  /// What is known of one input.
  struct Lane {
    std::deque<std::shared_ptr<const RecordBatch>> batches;
    bool is_done = false;
    std::optional<Error> failure;
    FileFindings findings;
  };

  bool find_batch(std::shared_ptr<const RecordBatch>& batch) DENDRO_REQUIRES(mutex_) {
    const std::size_t last = order_ == JoinedOrder::any ? taken_ : std::min(first_ + 1, lanes_.size());
    for (std::size_t i = first_; i < last; ++i) {
      if (lanes_[i].batches.empty()) continue;
      batch = std::move(lanes_[i].batches.front());
      lanes_[i].batches.pop_front();
      return true;
    }
    return false;
  }
  /// There will be no more of the first input; true behind the last one, too.
  bool is_first_done() const DENDRO_REQUIRES(mutex_) { return first_ == lanes_.size() || lanes_[first_].is_done; }

  void read_inputs() {
    for (;;) {
      std::size_t index = 0;
      {
        const MutexLock lock(mutex_);
        // Not ever further ahead: small inputs would pile up.
        while (taken_ < lanes_.size() && taken_ >= first_ + ahead_max_ && !is_abandoned_) changed_.wait(mutex_);
        if (is_abandoned_ || taken_ == lanes_.size()) return;
        index = taken_++;
      }
      if (!read_input(index)) return;
    }
  }

  /// False: nobody wants more.
  bool read_input(std::size_t index) {
    auto source = inputs_[index].open();
    if (!source) return end_lane(index, source.error(), {});
    for (;;) {
      auto batch = (*source)->next();
      if (!batch) return end_lane(index, batch.error(), (*source)->findings());
      if (*batch == nullptr) return end_lane(index, std::nullopt, (*source)->findings());
      const MutexLock lock(mutex_);
      Lane& lane = lanes_[index];
      while (lane.batches.size() >= kJoinedBatchesAhead && !is_abandoned_) changed_.wait(mutex_);
      if (is_abandoned_) return false;
      lane.batches.push_back(std::move(*batch));
      changed_.notify_all();
    }
  }
  /// True unless it failed: what is behind a failure is not read.
  bool end_lane(std::size_t index, std::optional<Error> failure, FileFindings findings) {
    const MutexLock lock(mutex_);
    const bool goes_on = !failure && !is_abandoned_;
    lanes_[index].failure = std::move(failure);
    lanes_[index].findings = findings;
    lanes_[index].is_done = true;
    changed_.notify_all();
    return goes_on;
  }

  const std::vector<JoinedInput> inputs_;
  const JoinedOrder order_;
  const std::size_t ahead_max_;  ///< inputs, behind the first
  Mutex mutex_;
  CondVar changed_;
  std::vector<Lane> lanes_ DENDRO_GUARDED_BY(mutex_);
  std::size_t first_ DENDRO_GUARDED_BY(mutex_) = 0;  ///< input that is not read up; changed by the reader only
  std::size_t taken_ DENDRO_GUARDED_BY(mutex_) = 0;  ///< inputs that threads have taken
  bool is_abandoned_ DENDRO_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace

std::unique_ptr<RecordSource> make_joined_source(std::vector<JoinedInput> inputs, JoinedOrder order,
                                                 std::size_t threads) {
  return std::make_unique<JoinedSource>(std::move(inputs), order, threads);
}

}  // namespace dendro
