#pragma once

#include "base/result.h"
#include "services/alerts/alert_notification.h"

namespace dendro {

/// Where messages about alerts go: a webhook, a mailbox, a topic. Thread-safe. Calls block, 30 s at most.
class AlertReceiver {
 public:
  virtual ~AlertReceiver() = default;
  /// The other side has it. A message may come again with the same dedupe key.
  /// Errors, all of them worth another try: unavailable, deadline_exceeded, io_error, permission_denied; the text holds
  /// no secret.
  virtual Status deliver(const AlertNotification& notification) = 0;
};

}  // namespace dendro
