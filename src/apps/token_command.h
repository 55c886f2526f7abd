#pragma once

#include "apps/command.h"

namespace dendro {

/// `dendro token`: tokens that this installation signs itself.
Command token_command();

}  // namespace dendro
