#include "io/queue.h"

namespace dendro {

std::size_t QueueMessage::bytes() const {
  std::size_t total = body.size();
  for (const auto& [name, value] : attributes) total += name.size() + value.size();
  return total;
}

Status check_queue_messages(std::span<const QueueMessage> messages) {
  if (messages.empty()) return Error(ErrorCode::invalid_argument, "queue: there is no message to send");
  for (const QueueMessage& message : messages) {
    if (message.attributes.size() > kQueueAttributesMax) {
      return Error(ErrorCode::invalid_argument, "queue: a message has " + std::to_string(message.attributes.size()) +
                                                    " attributes, at most " + std::to_string(kQueueAttributesMax) +
                                                    " are taken");
    }
    if (message.bytes() > kQueueMessageBytesMax) {
      return Error(ErrorCode::too_large, "queue: a message has " + std::to_string(message.bytes()) +
                                             " bytes, at most " + std::to_string(kQueueMessageBytesMax) + " are taken");
    }
  }
  return {};
}

}  // namespace dendro
