#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace dendro {

/// A refusal before any handler runs.
struct GateRefusal {
  int status;
  std::string_view code;
  std::string detail;
  std::string required_roles =
      {};  ///< "admin, writer": the roles that would have passed; empty: nothing to do with roles
  std::chrono::seconds retry_after{0};  ///< 0: as every error of that status
  std::string missing_header = {};      ///< the header that had to be there, for the 422 of five-systems.md 4.1
};

}  // namespace dendro
