#pragma once

#include "apps/command.h"

namespace dendro {

Command completion_command();

}  // namespace dendro
