#pragma once

#include "apps/command.h"

namespace dendro {

Command version_command();

}  // namespace dendro
