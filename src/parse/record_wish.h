#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/shape.h"

namespace dendro {

/// What a reader of records will look at, so that the rest need not be made. Every record still comes, in its place,
/// with its time, and is counted and refused as if nothing were left out:
///
/// - Of a record only the leaves and labels wished for are there, without the objects around them, and perhaps others.
/// - Its severity is there if `severity`; otherwise perhaps.
/// - Of each layout (names and nesting) the first record of a batch is there whole, so that who goes by the batch's
///   shapes still learns every name.
/// - A record that holds none of `required_texts` may come without any leaf: whoever wishes so lets none of them pass.
struct RecordWish {
  bool is_all = true;              ///< every leaf, label and severity
  std::vector<std::string> paths;  ///< of attributes, labels, and parts of a body (with or without the body's own path)
  std::uint32_t roles = 0;         ///< leaves of these roles, a bit each
  bool all_labels = false;
  bool severity = false;
  /// Leaves and labels in which one of these stands, byte for byte, whatever their path. Not empty, each of them.
  std::vector<std::string> searched_texts;
  /// Texts of which one at least stands, byte for byte, in some string or number of each record that is looked at.
  /// Empty: nothing is known.
  std::vector<std::string> required_texts;

  bool has_path(std::string_view path) const {
    return is_all || std::find(paths.begin(), paths.end(), path) != paths.end();
  }
  bool has_role(LeafRole role) const { return is_all || (roles & bit(role)) != 0; }
  void add(LeafRole role) { roles |= bit(role); }
  /// Nothing but every record, whole.
  bool is_void() const { return is_all && required_texts.empty(); }

 private:
  static std::uint32_t bit(LeafRole role) { return std::uint32_t{1} << static_cast<unsigned>(role); }
};

}  // namespace dendro
