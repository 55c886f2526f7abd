#pragma once

#include <string>
#include <vector>

#include "server/profile.h"

namespace dendro {

/// One fault of a request's contents.
struct LocatedFault {
  std::vector<std::string> location;  ///< "body", "query", "header" or "path", then the names; numbers are indexes
  std::string message;
  std::string type;  ///< "missing", "value_error", ...
};

/// The array of faults as five-systems.md 1.5 wants it: {"loc","msg","type"} in the shape `detail`,
/// {"field","message","loc","type"} in problem details.
std::string located_faults_json(ErrorShape shape, const std::vector<LocatedFault>& faults);

}  // namespace dendro
