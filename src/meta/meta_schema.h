#pragma once

#include <span>

#include "meta/meta_database.h"

namespace dendro {

/// The schema of `meta.db`, step by step. A step that was released never changes; new ones go to the end.
std::span<const MetaMigration> meta_schema();

}  // namespace dendro
