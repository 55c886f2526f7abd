#pragma once

#include <cstddef>
#include <string_view>

namespace dendro {

/// Levenshtein distance in bytes: insertions, deletions and replacements. Time and space a.size() * b.size(): for
/// names.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace dendro
