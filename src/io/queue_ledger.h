#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong_int.h"

namespace dendro {

/// A message of one queue; later ones are larger. The first is 1.
using QueueMessageId = StrongInt<struct QueueMessageIdTag, std::uint64_t>;

// States of a message in a QueueLedger:
//   waiting   take (its time has come) -> leased
//   leased    acknowledge -> gone; extend, release -> leased until another time; its time has passed -> waiting, or
//             dead if it was received kQueueReceivesMax times
//   dead      revive -> waiting; remove -> gone

/// Who holds which message of a queue, in memory. What every Queue of ours shares; where the messages lie is the
/// queue's. Times are of one monotonic clock. Not thread-safe.
class QueueLedger {
 public:
  /// `first_lease`: receipts of another ledger's leases are not taken for ours if the numbers differ.
  explicit QueueLedger(std::uint64_t first_lease) : next_lease_(first_lease) {}

  enum class Place : std::uint8_t { waiting, dead };
  void add(QueueMessageId id, std::uint32_t receive_count = 0, Place place = Place::waiting);
  void remove(QueueMessageId id) { rows_.erase(id); }

  struct Taken {
    QueueMessageId id;
    std::uint32_t receive_count = 0;  ///< this one included
    std::string receipt;
  };
  /// Up to `count_max` messages whose time has come, the oldest first, leased until `now + visibility`. Bury first.
  std::vector<Taken> take(std::size_t count_max, std::chrono::nanoseconds visibility, std::chrono::nanoseconds now);
  /// Those that came back for the last time are dead now; gives them.
  std::vector<QueueMessageId> bury(std::chrono::nanoseconds now);
  /// The message whose last lease this receipt is of.
  std::optional<QueueMessageId> holder(std::string_view receipt) const;
  void set_visible_at(QueueMessageId id, std::chrono::nanoseconds when);

  /// The oldest first.
  std::vector<QueueMessageId> dead(std::size_t count_max) const;
  std::uint32_t receive_count(QueueMessageId id) const;
  bool is_dead(QueueMessageId id) const;
  /// Gives those that were dead.
  std::vector<QueueMessageId> revive();

  struct Counts {
    std::uint64_t waiting = 0, leased = 0, dead = 0;
  };
  Counts counts(std::chrono::nanoseconds now) const;

 private:
  struct Row {
    std::uint32_t receive_count = 0;
    bool is_dead = false;
    std::uint64_t lease = 0;                ///< 0: it was never leased
    std::chrono::nanoseconds visible_at{};  ///< 0 before the first lease
  };
  std::map<QueueMessageId, Row> rows_;
  std::uint64_t next_lease_;
};

}  // namespace dendro
