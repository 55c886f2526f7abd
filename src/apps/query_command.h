#pragma once

#include "apps/command.h"

namespace dendro {

Command query_command();

}  // namespace dendro
