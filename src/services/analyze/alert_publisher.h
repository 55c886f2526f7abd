#pragma once

#include <string_view>

#include "base/result.h"

namespace dendro {

/// Where alerts go (SNS). Thread-safe. Blocks.
class AlertPublisher {
 public:
  virtual ~AlertPublisher() = default;
  /// Publishes one JSON text. Errors: permission_denied, unavailable, io_error, ...: the topic did not take it.
  virtual Status publish(std::string_view json) = 0;
};

}  // namespace dendro
