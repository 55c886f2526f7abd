#pragma once

#include <string>

namespace dendro {

/// Whether a store takes writes now.
struct StoreHealth {
  bool accepts_writes = true;
  std::string reason;  ///< why not, for an operator
};

}  // namespace dendro
