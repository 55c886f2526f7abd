#pragma once

#include <string_view>

#include "record/severity.h"

namespace dendro {

/// Severity that stands in the text of a body whose sender gave none: the first severity word among its first 64 bytes
/// that is a whole upper-case token (`2026-11-20 10:00:00 ERROR x`, `WARN: x`) or stands in square brackets in any case
/// (`[error]`). A guess, to be flagged as one; kSeverityUnset if there is none.
SeverityNumber severity_in_body(std::string_view body);

}  // namespace dendro
