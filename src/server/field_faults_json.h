#pragma once

#include <string>

#include "base/field_fault.h"
#include "server/profile.h"

namespace dendro {

/// The array of faults for ErrorExtras::errors_json, as the shape wants it (five-systems.md 1.5).
std::string field_faults_json(ErrorShape shape, const FieldFaults& faults);

}  // namespace dendro
