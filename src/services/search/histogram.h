#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "query/plan/query_engine.h"

namespace dendro {

inline constexpr std::size_t kHistogramBucketsMax = 2000;
/// Keys with a series of their own; the rest is one more.
inline constexpr std::size_t kHistogramKeys = 5;

struct HistogramRequest {
  QueryRequest query;  ///< limit, cursor, fields and order mean nothing here
  std::string by = "severity";
  std::size_t buckets_max = 120;  ///< 1 to kHistogramBucketsMax
};

/// How many records match, over time (ui.md 11.4).
struct Histogram {
  struct Series {
    std::string key;  ///< value of the field as text, "" where records lack it
    bool is_rest = false;
    std::vector<std::uint64_t> counts;  ///< one a bucket
  };
  std::int64_t bucket_ns = 0;
  std::vector<Timestamp> starts;  ///< of the buckets, rising
  std::vector<Series> series;     ///< by falling sum, then key; the rest last
  std::uint64_t total = 0;        ///< sum of all counts: what the query calls `matched`
  bool exact = true;
  bool complete = true;
  std::string reason = "end";  ///< as QueryOutcome
  std::vector<QueryWarning> warnings;
};

/// Counts on the calling thread. Ends of the range that are open become those of the records that match.
/// Errors: as prepare_query with `fault` (of the user's query); invalid_argument (`by`, `buckets_max`); those of
/// opening the input.
Result<Histogram> count_histogram(const HistogramRequest& request, std::shared_ptr<QueryInput> input,
                                  const QueryRunOptions& options, const Clock& clock, QueryFault& fault);

}  // namespace dendro
