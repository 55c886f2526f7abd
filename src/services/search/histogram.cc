#include "services/search/histogram.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "filter/number.h"
#include "query/run/query_table.h"
#include "services/search/row_scope.h"
#include "services/search/time_edges.h"

namespace dendro {
namespace {

class HistogramCount {
 public:
  HistogramCount(const HistogramRequest& request, ScopedQueries queries)
      : request_(request), queries_(std::move(queries)) {}

  Result<Histogram> run() {
    DENDRO_TRY(count());
    histogram_.complete = histogram_.exact = queries_.is_complete();
    histogram_.reason = queries_.reason();
    return std::move(histogram_);
  }

 private:
  Status count() {
    const QueryPlan& plan = queries_.plan();
    TimeRange range = plan.range;
    if (plan.is_empty_range) return {};
    DENDRO_TRY_ASSIGN(const bool is_closed, close_range(range));
    if (!is_closed) return {};
    const TimeEdges edges = choose_time_edges(range, *plan.zone, request_.buckets_max);
    histogram_.bucket_ns = edges.step_ns;
    histogram_.starts = edges.starts;
    return edges.starts.empty() ? Status() : count_buckets();
  }

  /// Open ends become the oldest and the newest record that matches. False: none does, or the time is up.
  Result<bool> close_range(TimeRange& range) {
    if (range.first == kTimestampMin) {
      DENDRO_TRY_ASSIGN(const auto oldest, find_end(ScanOrder::oldest_first));
      if (!oldest) return false;
      range.first = *oldest;
    }
    if (range.last == kTimestampMax) {
      DENDRO_TRY_ASSIGN(const auto newest, find_end(ScanOrder::newest_first));
      if (!newest) return false;
      range.last = *newest == kTimestampMax ? *newest : newest->next();
    }
    return true;
  }
  Result<std::optional<Timestamp>> find_end(ScanOrder order) {
    LimitPipe one;
    one.count = 1;
    QueryRequest request = queries_.request({one});
    request.order = order;
    request.fields = {"_time"};
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run(std::move(request)));
    if (table.rows.empty() || !queries_.is_complete()) return std::optional<Timestamp>();
    return std::optional(Timestamp(table.rows[0][0].value().integer));
  }

  /// The language's buckets shorter than a day begin at multiples since 1970; those that must begin elsewhere are added
  /// up from shorter ones which divide them.
  Bucket counted_bucket() const {
    Bucket bucket;
    bucket.kind = BucketKind::duration;
    if (histogram_.bucket_ns >= kNanosPerDay) {
      bucket.width_ns = kNanosPerDay;
      bucket.text = "1d";
      return bucket;
    }
    const auto divides_edges = [this](std::int64_t width) {
      return std::all_of(histogram_.starts.begin(), histogram_.starts.end(),
                         [width](Timestamp start) { return start.number() % width == 0; });
    };
    bucket.width_ns = kNanosPerSecond;
    for (const std::int64_t seconds : {histogram_.bucket_ns / kNanosPerSecond, std::int64_t{900}, std::int64_t{60}}) {
      if (seconds * kNanosPerSecond > histogram_.bucket_ns || !divides_edges(seconds * kNanosPerSecond)) continue;
      bucket.width_ns = seconds * kNanosPerSecond;
      break;
    }
    bucket.text = std::to_string(bucket.width_ns / kNanosPerSecond) + "s";
    return bucket;
  }

  Status count_buckets() {
    StatsPipe stats;
    stats.groups.push_back({"_time", counted_bucket(), "t"});
    stats.groups.push_back({request_.by, {}, "k"});
    Aggregate hits;
    hits.function = "count";
    hits.column = "n";
    stats.aggregates.push_back(hits);
    DENDRO_TRY_ASSIGN(const QueryTable table, queries_.run({stats}));
    histogram_.warnings = table.outcome.warnings;
    std::map<std::string, std::vector<std::uint64_t>, std::less<>> by_key;
    std::string scratch;
    for (const std::vector<Cell>& row : table.rows) {
      const std::string_view key = row[1].is_missing() ? std::string_view() : value_text(row[1].value(), scratch);
      auto known = by_key.find(key);
      if (known == by_key.end())
        known = by_key.emplace(std::string(key), std::vector<std::uint64_t>(histogram_.starts.size())).first;
      known->second[bucket_of(Timestamp(row[0].value().integer))] += count_of(row[2]);
    }
    take(by_key);
    return {};
  }
  std::size_t bucket_of(Timestamp at) const {
    const auto behind = std::upper_bound(histogram_.starts.begin(), histogram_.starts.end(), at);
    return behind == histogram_.starts.begin() ? 0 : static_cast<std::size_t>(behind - histogram_.starts.begin() - 1);
  }
  static std::uint64_t count_of(const Cell& cell) {
    const auto number = number_of_value(cell.value());
    return number && number->is_int64() ? static_cast<std::uint64_t>(number->int64()) : 0;
  }

  void take(std::map<std::string, std::vector<std::uint64_t>, std::less<>>& by_key) {
    struct Key {
      std::uint64_t sum = 0;
      const std::string* text = nullptr;
      std::vector<std::uint64_t>* counts = nullptr;
    };
    std::vector<Key> keys;
    for (auto& [text, counts] : by_key) {
      Key& key = keys.emplace_back();
      for (const std::uint64_t n : counts) key.sum += n;
      key.text = &text;
      key.counts = &counts;
      histogram_.total += key.sum;
    }
    std::sort(keys.begin(), keys.end(),
              [](const Key& a, const Key& b) { return a.sum != b.sum ? a.sum > b.sum : *a.text < *b.text; });
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i < kHistogramKeys) {
        histogram_.series.push_back({*keys[i].text, false, std::move(*keys[i].counts)});
        continue;
      }
      if (i == kHistogramKeys)
        histogram_.series.push_back({"other", true, std::vector<std::uint64_t>(histogram_.starts.size())});
      std::vector<std::uint64_t>& rest = histogram_.series.back().counts;
      for (std::size_t b = 0; b < rest.size(); ++b) rest[b] += (*keys[i].counts)[b];
    }
  }

  const HistogramRequest& request_;
  ScopedQueries queries_;
  Histogram histogram_;
};

}  // namespace

Result<Histogram> count_histogram(const HistogramRequest& request, std::shared_ptr<QueryInput> input,
                                  const QueryRunOptions& options, const Clock& clock, QueryFault& fault) {
  if (request.by.empty() || request.by == "_time" || request.by == "time" || request.by == "_id") {
    return Error(ErrorCode::invalid_argument, "by: \"" + request.by + "\" is no field to tell records apart by");
  }
  if (request.buckets_max == 0 || request.buckets_max > kHistogramBucketsMax) {
    return Error(ErrorCode::invalid_argument, "buckets_max: must be 1 to " + std::to_string(kHistogramBucketsMax));
  }
  QueryRequest query = request.query;
  query.cursor.clear();
  query.fields.clear();
  DENDRO_TRY_ASSIGN(PreparedQuery prepared, prepare_query(query, fault));
  return HistogramCount(request, {std::move(prepared), std::move(input), options, clock}).run();
}

}  // namespace dendro
