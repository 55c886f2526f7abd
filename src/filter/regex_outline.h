#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>

namespace dendro {

/// What can be said of an expression's matches without running it. Each statement errs on the safe side.
struct RegexOutline {
  /// False: the expression holds something this walk does not know; nothing else below is to be used.
  bool is_understood = false;
  /// False: every match has at least one byte.
  bool may_be_empty = true;
  /// True: whether a match counts may depend on where it stands (`^ $ \b \B \A \z`).
  bool has_assertion = true;
  /// Every byte that a match may hold.
  std::bitset<256> match_bytes;
  /// Bytes by bytes, in the syntax of hyperscan without flags: finds, in any text, at least one end offset inside (or
  /// at the end of) each stretch in which RE2 finds a match; and finds more. `ascii` says so of ASCII text only. Empty
  /// if there is no use in it: the expression may match nothing at all, or would grow too large.
  std::string wide_superset;
  std::string ascii_superset;
};

/// Walks over an expression that RE2 has accepted. Thread-safe.
RegexOutline outline_regex(std::string_view pattern);

}  // namespace dendro
