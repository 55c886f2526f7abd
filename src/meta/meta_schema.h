#pragma once

#include <span>
#include <string>
#include <string_view>

#include "meta/meta_database.h"

namespace dendro {

/// Its name in a store's folder, or in a backup of one.
inline constexpr std::string_view kMetaDatabaseName = "meta.db";
/// Where a store's folder, or a backup of one, has its meta database.
inline std::string meta_database_path(const std::string& folder) {
  return folder + "/" + std::string(kMetaDatabaseName);
}

/// The schema of `meta.db`, step by step. A step that was released never changes; new ones go to the end.
std::span<const MetaMigration> meta_schema();

}  // namespace dendro
