#pragma once

#include "apps/command.h"

namespace dendro {

Command ingest_command();

}  // namespace dendro
