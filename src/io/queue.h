#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"

namespace dendro {

/// Bounds of one message: those of SQS, so that no implementation takes what another could not.
inline constexpr std::size_t kQueueMessageBytesMax = std::size_t{256} << 10;  ///< body, names and values together
inline constexpr std::size_t kQueueAttributesMax = 10;
/// Messages of one `receive`.
inline constexpr std::size_t kQueueReceiveMax = 10;
/// A message that was received so often and came back each time is a dead letter (five-systems.md 4.6).
inline constexpr std::uint32_t kQueueReceivesMax = 5;

struct QueueMessage {
  std::string body;  ///< any bytes; UTF-8 where the queue may be SQS
  std::vector<std::pair<std::string, std::string>> attributes;
  std::size_t bytes() const;
};

/// A message that the caller holds for as long as its lease runs.
struct ReceivedMessage {
  std::string id;       ///< of the message, the same at each receive
  std::string receipt;  ///< of this receive
  std::uint32_t receive_count = 1;
  QueueMessage message;
};

struct DeadLetter {
  std::string id;
  std::uint32_t receive_count = 0;
  Timestamp sent;
  QueueMessage message;
};

struct QueueDepth {
  std::uint64_t waiting = 0;  ///< can be received now, or when a delay has passed
  std::uint64_t leased = 0;
  std::uint64_t dead = 0;
  std::uint64_t bytes = 0;  ///< of all three
  Timestamp oldest;         ///< when the oldest of those that are not dead was sent; 0: there is none
  Timestamp oldest_dead;    ///< of the dead ones
};

/// Messages on their way, at least once: what `send` took is received until somebody acknowledges it, or is a dead
/// letter after kQueueReceivesMax receives. First in, first out, but for messages that come back. Thread-safe. Calls
/// may wait for a disk or a network: never on a loop thread.
///
/// Errors of every call: io_error, unavailable (given up after a failed write, or unreachable); of those that write,
/// storage_full.
class Queue {
 public:
  virtual ~Queue() = default;

  /// All of them or none; durable when it returns. Gives an id each, in order.
  /// Errors: invalid_argument (none, or too many attributes), too_large (one over kQueueMessageBytesMax),
  /// resource_exhausted (the queue holds as much as it may).
  virtual Result<std::vector<std::string>> send(std::span<const QueueMessage> messages) = 0;

  /// Up to `count_max` (at most kQueueReceiveMax) of those nobody holds, the oldest first; none: an empty answer at
  /// once. Each is held for `visibility`, then it can be received again.
  virtual Result<std::vector<ReceivedMessage>> receive(std::size_t count_max, std::chrono::milliseconds visibility) = 0;

  /// These are done. A receipt whose message was received again since, or is done, is left out. Gives how many held.
  virtual Result<std::size_t> acknowledge(std::span<const std::string> receipts) = 0;
  /// Held for `visibility` from now. Longer for work that takes long; for a failed one, the time until it is tried
  /// again. Gives how many held, as acknowledge does.
  virtual Result<std::size_t> extend(std::span<const std::string> receipts, std::chrono::milliseconds visibility) = 0;
  /// Can be received again at once.
  virtual Result<std::size_t> release(std::span<const std::string> receipts) = 0;

  virtual Result<QueueDepth> depth() = 0;
  /// The oldest first; with `after`, those behind the one of that id.
  virtual Result<std::vector<DeadLetter>> dead_letters(std::size_t count_max, std::string_view after = {}) = 0;
  /// Errors: not_found (no message of this id, or it is not dead).
  virtual Result<DeadLetter> dead_letter(std::string_view id) = 0;
  /// Puts dead letters back at their old places, as never received: the one of this id, or all. Durable when it
  /// returns. Gives how many.
  virtual Result<std::size_t> redrive(std::optional<std::string_view> id = std::nullopt) = 0;
  /// Forgets dead letters, as redrive chooses them.
  virtual Result<std::size_t> drop(std::optional<std::string_view> id = std::nullopt) = 0;
};

/// What `send` refuses whatever the implementation. Errors: invalid_argument, too_large.
Status check_queue_messages(std::span<const QueueMessage> messages);

}  // namespace dendro
