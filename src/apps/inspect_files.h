#pragma once

#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace dendro {

enum class InspectFormat : std::uint8_t { text, json };

/// What `dendro admin inspect` prints of a file, and whether it is damaged. The text ends with the damage, if there is
/// any.
struct Inspection {
  std::string text;
  bool is_damaged = false;
};

/// Errors of all three: those of opening and reading the file.
Result<Inspection> inspect_segment(FileSystem& files, const std::string& path, InspectFormat format);
Result<Inspection> inspect_wal(FileSystem& files, const std::string& path, InspectFormat format);
Result<Inspection> inspect_manifest(FileSystem& files, const std::string& path, InspectFormat format);

}  // namespace dendro
