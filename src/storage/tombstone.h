#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "filter/compiled_filter.h"
#include "record/record_block.h"
#include "storage/tombstone_info.h"

namespace dendro {

/// What a deletion may ask for, as TombstoneInfo keeps it. Errors: invalid_argument (`_id` and `_observed`: where a
/// record stands and how it came is not what it is; over kMaxTombstonePredicateBytes).
Result<std::string> encode_tombstone_predicate(const Predicate& predicate);

/// A tombstone ready to run. Immutable; thread-safe.
class Tombstone {
 public:
  /// Errors: corruption, unimplemented (the predicate is of a later version).
  static Result<std::shared_ptr<const Tombstone>> open(TombstoneInfo info);
  const TombstoneInfo& info() const { return info_; }
  const std::shared_ptr<const CompiledFilter>& filter() const { return filter_; }
  /// False: it takes none of records with such times and sequence numbers from `first` on.
  bool may_take(Timestamp min, Timestamp max, SequenceNumber first) const {
    return info_.range.overlaps(min, max) && first <= info_.sequence;
  }
  /// Removes from `block.rows`, in any order, what it takes.
  void subtract(RecordBlock& block) const;

 private:
  Tombstone(TombstoneInfo info, std::shared_ptr<const CompiledFilter> filter)
      : info_(std::move(info)), filter_(std::move(filter)) {}
  const TombstoneInfo info_;
  const std::shared_ptr<const CompiledFilter> filter_;
};

/// The live ones of one tenant.
using TombstoneList = std::vector<std::shared_ptr<const Tombstone>>;

/// Removes from `block.rows` what any of them takes. Null: none does.
void subtract_deleted(const TombstoneList* tombstones, RecordBlock& block);

}  // namespace dendro
