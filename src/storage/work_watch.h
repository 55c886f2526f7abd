#pragma once

#include <cstdint>
#include <functional>

#include "base/cancel.h"

namespace dendro {

/// How somebody follows long work, and ends it.
struct WorkWatch {
  CancelToken cancel;  ///< looked at between files or slices: then the work ends with `cancelled`
  /// Called on the thread that works, with what is done and what is known to be due; may be empty.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;

  void tell(std::uint64_t done, std::uint64_t total) const {
    if (on_progress) on_progress(done, total);
  }
};

}  // namespace dendro
