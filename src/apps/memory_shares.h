#pragma once

#include <cstdint>

#include "apps/settings.h"

namespace dendro {

/// The bytes all of `dendro serve` is to keep to where nothing is set: 40 % of what the machine (or container) has, at
/// most 8 GiB.
std::uint64_t default_memory_limit(std::uint64_t machine_bytes);

/// Divides `settings.memory_limit_bytes` (0: the default for this machine) among the parts that grow with load, and
/// lowers each part's own bound to its share; a bound set below its share stays. docs/configuration.md has the table.
/// Errors: invalid_argument (too little to work with).
Status divide_memory(Settings& settings);

}  // namespace dendro
