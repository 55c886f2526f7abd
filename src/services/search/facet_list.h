#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "query/plan/query_engine.h"

namespace dendro {

inline constexpr std::uint64_t kFacetFieldsMax = 200;
inline constexpr std::uint64_t kFacetListValuesMax = 1000;

struct FacetListRequest {
  QueryRequest query;               ///< limit, cursor, order and its own fields mean nothing here
  std::vector<std::string> fields;  ///< these, in this order; empty: those that most records have
  std::uint64_t top = 20;           ///< fields of the answer where none are named, 1 to kFacetFieldsMax
  std::uint64_t values = 10;        ///< of each field, 1 to kFacetListValuesMax
  std::string find;                 ///< only fields whose name holds this text, whatever the case; empty: all
};

struct FacetField {
  std::string name;
  std::string type;  ///< number, string, bool, list, time; string where values differ; of too many values that of the
                     ///< newest; "" without one
  std::uint64_t records = 0;   ///< that have it
  std::uint64_t distinct = 0;  ///< values; a lower bound unless distinct_exact
  bool distinct_exact = true;
  std::vector<std::pair<std::string, std::uint64_t>> values;  ///< most frequent first; none unless distinct_exact
};

/// Which fields the matching records have, and what stands in them (ui.md 11.4).
struct FacetList {
  std::vector<FacetField> fields;
  std::uint64_t fields_total = 0;  ///< that some matching record has and `find` lets pass
  bool complete = true;
  std::string reason = "end";
};

/// Counts every matching record, on the calling thread. Times and ids are no facets.
/// Errors: as prepare_query with `fault`; those of opening the input.
Result<FacetList> list_facets(const FacetListRequest& request, const std::shared_ptr<QueryInput>& input,
                              const QueryRunOptions& options, const Clock& clock, QueryFault& fault);

}  // namespace dendro
