#pragma once

#include "apps/command.h"

namespace dendro {

Command serve_command();

}  // namespace dendro
