#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace dendro {

struct MailMessage {
  std::string from;  ///< an address: ops@example.org
  std::vector<std::string> to;
  std::string text;  ///< header and body, lines ended by CR LF
};

/// Sends mail. Thread-safe. Blocks, 30 s at most.
class MailSender {
 public:
  virtual ~MailSender() = default;
  /// The server has taken it for all addresses. Errors: unavailable, deadline_exceeded, permission_denied, io_error.
  virtual Status send(const MailMessage& message) = 0;
};

}  // namespace dendro
