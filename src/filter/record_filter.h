#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "record/record_batch.h"

namespace dendro {

struct Predicate;

/// What a filter asks, for a reader that can tell it from columns.
struct FilterMeaning {
  const Predicate* predicate = nullptr;  ///< lives as long as the filter
  bool excludes_dead_letters = false;
};

/// A filter made ready to run. Immutable but for what it learns; thread-safe.
class RecordFilter {
 public:
  virtual ~RecordFilter() = default;
  /// Nothing: only select() knows. Otherwise select() keeps exactly the rows that this describes.
  virtual std::optional<FilterMeaning> meaning() const { return std::nullopt; }
  // A reader that goes by meaning() says what select() would have noticed:
  /// records have the field of this name;
  virtual void note_field_seen(std::string_view) const {}
  /// records of these shapes and streams were looked at.
  virtual void note_kinds(const std::vector<Shape>&, const std::vector<Stream>&) const {}
  /// False: time is up or nobody waits any more. Asked between row groups.
  virtual bool wants_more() const { return true; }
  /// Keeps those of `rows` (ascending indices into `batch`) that match, in order.
  virtual void select(const RecordBatch& batch, std::vector<std::uint32_t>& rows) const = 0;
};

}  // namespace dendro
