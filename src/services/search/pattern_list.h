#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "query/plan/query_engine.h"
#include "query/stats/window_change.h"
#include "services/search/pattern_text.h"
#include "storage/snapshot.h"

namespace dendro {

inline constexpr std::size_t kPatternTrendBuckets = 30;
inline constexpr std::uint64_t kPatternsMax = 1000;
/// Bodies that tell what stands in the slots of one template.
inline constexpr std::uint64_t kPatternBodiesMax = 10'000;

/// The window that the range of a query is compared with: instants as of a query, both given.
struct PatternBaseline {
  std::string start, end;
};

struct PatternListRequest {
  QueryRequest query;         ///< fields and order mean nothing here
  std::uint64_t limit = 100;  ///< templates of the answer, 1 to kPatternsMax
  std::uint64_t offset = 0;   ///< templates of the pages before
  std::optional<PatternBaseline> compare;
  std::string by;  ///< a field: each template with each of its values is a row; empty: none
};

/// A template of bodies and the records that have it (ui.md 11.5).
struct PatternRow {
  std::string id;
  std::optional<std::string> value;  ///< of the field of `by`; nothing: records without it
  std::vector<PatternPart> parts;
  std::vector<std::string> slot_types;  ///< one a slot, of the newest record: number, time, .. any
  std::string severity;                 ///< the one most of them have; "" = none
  std::uint64_t count = 0;
  double share = 0;  ///< of all records that have a template
  Timestamp first_seen, last_seen;
  std::array<std::uint64_t, kPatternTrendBuckets> trend{};  ///< equal parts of the range
  std::string sample_ids;                                   ///< JSON array of the newest records' ids
  std::optional<std::uint64_t> baseline_count;              ///< of a comparison
  WindowChange change = WindowChange::same;                 ///< of a comparison
  std::optional<double> ratio;  ///< of the count to what the baseline leads to expect; nothing where that is 0
};

struct PatternList {
  std::uint64_t total_records = 0;    ///< that match
  std::uint64_t covered_records = 0;  ///< of them those with a text as body
  std::vector<PatternRow> patterns;   ///< most frequent first; of a comparison, those that are gone at the end
  bool has_more = false;
  bool complete = true;
  std::string reason = "end";
};

/// Counts on the calling thread; every matching record counts, none is sampled. The trend covers the range of the
/// query; where it is open, from the oldest to the newest record that matches. A comparison takes the same filter over
/// the other window, whose templates that are gone come with a count of 0.
/// Errors: as prepare_query with `fault`; those of the snapshot; invalid_argument (a comparison of an open range, or
/// with an empty one).
Result<PatternList> list_patterns(const PatternListRequest& request, const std::shared_ptr<const Snapshot>& snapshot,
                                  const QueryRunOptions& options, const Clock& clock, QueryFault& fault);

}  // namespace dendro
