#pragma once

#include "apps/command.h"

namespace dendro {

/// `dendro patterns`: the statements that log records come from, of a server, a data folder or files.
Command patterns_command();

}  // namespace dendro
