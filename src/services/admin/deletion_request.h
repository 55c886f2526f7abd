#pragma once

#include <cstdint>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "filter/predicate.h"
#include "query/language/query_fault.h"
#include "storage/snapshot.h"

namespace dendro {

/// What a caller wants to have deleted.
struct DeletionRequest {
  std::string query;       ///< a filter of the query language; `*` is every record
  std::string start, end;  ///< instants as of a query; empty = open. Half-open: [start, end)
  Timestamp now;           ///< when the request was read
};

/// A deletion that can be carried out. Values only.
struct PreparedDeletion {
  TimeRange range;
  Predicate predicate{Everything{}};
};

/// Parses and checks. What a query with the same text shows is what goes: dead letters stay unless the filter names
/// `dendro.source`. On failure `fault` says where in the query, if it is about the query.
/// Errors: invalid_argument (syntax, start or end, a pipe, `_id` or `_observed`, no query at all), unimplemented,
/// too_large.
Result<PreparedDeletion> prepare_deletion(const DeletionRequest& request, QueryFault& fault);

/// The filter, for people: without what stands for dead letters.
std::string deletion_text(const Predicate& predicate);

struct DeletionCount {
  std::uint64_t matched = 0;
  bool complete = true;  ///< false: a part of the store cannot be read
};
/// Counts what a deletion would take of a snapshot. Errors: cancelled, io_error.
Result<DeletionCount> count_matches(const Snapshot& snapshot, const PreparedDeletion& deletion,
                                    const CancelToken& cancel);

}  // namespace dendro
