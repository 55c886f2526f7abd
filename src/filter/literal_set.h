#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "filter/literal.h"

namespace dendro {

/// Whether a value equals one of many literals (query-language.md 6.2): by hash and by order where each is asked alone
/// otherwise. Immutable; thread-safe; borrows nothing.
class LiteralSet {
 public:
  LiteralSet() = default;
  explicit LiteralSet(const std::vector<Literal>& literals);
  /// As Literal::equals of any of them.
  bool contains(const Value& value) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> texts_;
  std::vector<Number> numbers_;  ///< sorted
  std::vector<Literal> others_;  ///< durations, sizes, times, addresses
};

}  // namespace dendro
