#pragma once

#include <span>

#include "meta/meta_database.h"

namespace dendro {

/// Where a store's folder, or a backup of one, has its meta database.
inline std::string meta_database_path(const std::string& folder) {
  return folder + "/meta.db";
}

/// The schema of `meta.db`, step by step. A step that was released never changes; new ones go to the end.
std::span<const MetaMigration> meta_schema();

}  // namespace dendro
