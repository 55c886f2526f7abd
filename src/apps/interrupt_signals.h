#pragma once

#include <csignal>

#include "base/cancel.h"

namespace dendro {

/// SIGINT and SIGTERM cancel the token while this lives; a second one ends the process as it would without. One at a
/// time in a process.
class InterruptSignals {
 public:
  explicit InterruptSignals(CancelToken& token);
  ~InterruptSignals();
  InterruptSignals(const InterruptSignals&) = delete;
  InterruptSignals& operator=(const InterruptSignals&) = delete;

 private:
  struct sigaction old_int_{}, old_term_{};
};

}  // namespace dendro
