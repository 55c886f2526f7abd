#pragma once

#include "apps/command.h"

namespace dendro {

Command man_command();

}  // namespace dendro
