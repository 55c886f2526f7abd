#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filter/field_source.h"
#include "filter/predicate.h"
#include "filter/record_filter.h"

namespace dendro {

/// What running a filter taught about one of its fields.
struct FieldFinding {
  std::string field;
  bool was_seen = false;       ///< some record looked at has it
  bool unit_mismatch = false;  ///< a literal with a unit met a plain number
};

/// A filter ready to run over batches and over single rows. Immutable but for its findings; thread-safe.
class CompiledFilter : public RecordFilter {
 public:
  virtual bool matches(const FieldSource& row) const = 0;
  /// One entry a field test, in the order of the predicate.
  virtual std::vector<FieldFinding> findings() const = 0;
};

struct FilterOptions {
  bool exclude_dead_letters = false;
};

/// `select` knows of a record what its batch knows: `_id` is missing to it, and `_observed` is the batch's receive
/// time.
std::shared_ptr<const CompiledFilter> compile_filter(const Predicate& predicate, FilterOptions options = {});

}  // namespace dendro
