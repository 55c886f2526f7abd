#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

/// A piece of a template: constant text, or a slot where bodies differ.
struct PatternPart {
  std::string text;                 ///< constant; blanks around it are inside
  std::optional<std::size_t> slot;  ///< from 0
};

/// Cuts a template's text, as the `pattern` pipe shows it, at its variables.
std::vector<PatternPart> split_pattern(std::string_view shown);

/// What a body has in each slot. Blanks of the template stand for any blanks, or none where punctuation was parted;
/// neighbouring slots share at blanks. Nothing if the body does not follow the template in full (several lines, text
/// folded otherwise). Borrowed from `body`.
std::optional<std::vector<std::string_view>> align_pattern(const std::vector<PatternPart>& parts,
                                                           std::string_view body);

/// number, time, ip, uuid, hex, word or any: what a value of a slot looks like.
std::string_view slot_type(std::string_view value);

}  // namespace dendro
