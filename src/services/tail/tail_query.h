#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "query/language/query_fault.h"
#include "query/plan/query_plan.h"
#include "record/record_block.h"
#include "services/access/restricted_snapshot.h"

namespace dendro {

/// What a reader asks to follow.
struct TailRequest {
  TenantId tenant = TenantId::default_tenant();
  std::string query;
  std::vector<std::string> fields;   ///< as QueryRequest
  std::string since;                 ///< cursor; empty: from now on
  std::uint64_t rows_per_s_max = 0;  ///< 0: the default
  std::uint64_t clip_bytes = 4096;   ///< as QueryRequest
  std::uint64_t epoch = 1;
  Timestamp now;  ///< when the request was read
  /// What the reader may see; null: everything.
  std::shared_ptr<const RecordRestriction> restriction = nullptr;
};

/// What names in the query of a tail stand for, as they are when it begins; null: such names are refused.
struct TailNames {
  std::shared_ptr<const LookupTables> lookup_tables = nullptr;
  std::shared_ptr<const GeoDatabase> geo_database = nullptr;
  std::shared_ptr<const SavedFilters> saved_filters = nullptr;
};

/// A query made ready to run over what arrives. Immutable; thread-safe; shared by all tails that ask the same.
class TailQuery {
 public:
  /// What `names` stand for is read here and now. Errors and `fault`: as prepare_query; invalid_argument for what
  /// cannot be followed: pipes that wait for the last record, queries inside the query, a range of time that is over.
  static Result<std::shared_ptr<const TailQuery>> prepare(const TailRequest& request, const TailNames& names,
                                                          QueryFault& fault);

  /// What the rows of a table are made of is asked of the store anew each time.
  bool is_table() const { return plan_->output.is_table; }
  /// True if other tails with the same text may share it: nothing in it depends on when it was asked.
  bool is_shareable() const { return is_shareable_; }
  const std::shared_ptr<const QueryPlan>& plan() const { return plan_; }
  /// `base` as its readers see it.
  std::shared_ptr<const Snapshot> seen(std::shared_ptr<const Snapshot> base) const;

  /// The records of a batch that the first filter keeps; nothing if it keeps none.
  std::optional<RecordBlock> select(const std::shared_ptr<const RecordBatch>& batch,
                                    SequenceNumber first_sequence) const;

 private:
  TailQuery(std::shared_ptr<const QueryPlan> plan, std::shared_ptr<const RecordRestriction> restriction);

  const std::shared_ptr<const QueryPlan> plan_;
  const std::shared_ptr<const RecordRestriction> restriction_;  // null: none
  const bool is_shareable_;
};

/// The rows of a block in a batch of their own: few of many must not hold all.
RecordBlock copy_out(const RecordBlock& block);

/// Text that equal requests of one tenant have in common: what is asked, and what may be seen.
std::string tail_query_key(const TailRequest& request);

}  // namespace dendro
