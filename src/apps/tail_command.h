#pragma once

#include "apps/command.h"

namespace dendro {

/// `dendro tail`: records of a server as they arrive.
Command tail_command();

}  // namespace dendro
