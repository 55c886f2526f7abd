#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong_int.h"

namespace dendro {

/// A message of one queue; later ones are larger. The first is 1.
using QueueMessageId = StrongInt<struct QueueMessageIdTag, std::uint64_t>;

// States of a message in a QueueLedger:
//   waiting   take (its time has come) -> leased
//   leased    acknowledge -> gone; extend, release -> leased until another time; its time has passed -> waiting, or
//             dead if it was received kQueueReceivesMax times
//   dead      revive -> waiting; remove -> gone

/// As queues of ours write it: decimal digits. Nothing for what is none.
std::optional<QueueMessageId> parse_queue_message_id(std::string_view text);
/// The same of where a list of dead letters begins; empty: at the first. Errors: invalid_argument.
Result<QueueMessageId> parse_dead_letter_start(std::string_view after);
Error no_such_dead_letter(std::string_view id);

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
  /// Those of the receipts that still hold their message come back at `when`; gives how many.
  std::size_t extend(std::span<const std::string> receipts, std::chrono::nanoseconds when);
  /// As if take had not given it this time: it could not be read.
  void put_back(QueueMessageId id, std::chrono::nanoseconds now);

  /// The oldest first, those behind `after`.
  std::vector<QueueMessageId> dead(std::size_t count_max, QueueMessageId after = {}) const;
  /// The one of this id if it is dead; without one all that are.
  std::vector<QueueMessageId> choose_dead(std::optional<std::string_view> id) const;
  std::uint32_t receive_count(QueueMessageId id) const;
  bool is_dead(QueueMessageId id) const;
  /// One that is dead.
  void revive(QueueMessageId id);

  struct Counts {
    std::uint64_t waiting = 0, leased = 0, dead = 0;
    std::optional<QueueMessageId> oldest;  ///< of those that are not dead
    std::optional<QueueMessageId> oldest_dead;
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
