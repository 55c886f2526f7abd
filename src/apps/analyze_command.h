#pragma once

#include "apps/command.h"

namespace dendro {

/// `dendro analyze`, also installed as `analyze`: counts the error lines of a log by service (five-systems.md 2).
Command analyze_command();

}  // namespace dendro
