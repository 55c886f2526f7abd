#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// Filters that users saved under a name: `$name` in a query stands for one. Thread-safe.
class SavedFilters {
 public:
  virtual ~SavedFilters() = default;
  /// The text of the filter with that name, without the `$`; nothing if there is none.
  virtual std::optional<std::string> find(std::string_view name) const = 0;
};

}  // namespace dendro
