#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/language/pipe_ast.h"
#include "query/language/stats_ast.h"

namespace dendro {

// Pipes whose rows depend on other rows, and their tables, as values (query-language.md 8.3, 8.4). Part of
// query/language/query_ast.h.

/// What `context` sets: true of a record that matches, false of one beside it.
inline constexpr std::string_view kMatchField = "_match";
/// `context n`: what matches, and up to n records of its stream on either side.
struct ContextPipe {
  std::uint64_t count = 3;
  friend bool operator==(const ContextPipe&, const ContextPipe&) = default;
};
/// `flatten (a, b)`: elements of lists, and what is inside them, become fields `a.0`, `a.1.key`.
struct FlattenPipe {
  std::vector<std::string> names;
  friend bool operator==(const FlattenPipe&, const FlattenPipe&) = default;
};
/// `lookup "table.csv" by k as column fields (a) prefix "p."`: cells of the table's first row with equal keys.
struct LookupPipe {
  struct Key {
    std::string field, column;
    friend bool operator==(const Key&, const Key&) = default;
  };
  std::string table;
  std::vector<Key> keys;
  std::vector<NamePattern> fields;  ///< empty: all columns but the keys
  std::string prefix;
  friend bool operator==(const LookupPipe&, const LookupPipe&) = default;
};
/// True if the cells of that column become fields.
bool is_looked_up(const LookupPipe& pipe, std::string_view column);
/// What `geoip` can say of an address, by the names of OpenTelemetry (`geo.*`, `as.*`), in this order.
inline constexpr std::array<std::string_view, 10> kGeoFields = {
    "continent.code", "country.iso_code", "country.name", "region.iso_code", "locality.name",
    "postal_code",    "location.lat",     "location.lon", "as.number",       "as.organization.name"};
/// `geoip f fields (country.*) prefix "geo."`: where an address is.
struct GeoipPipe {
  std::string at;
  std::vector<NamePattern> fields;  ///< of kGeoFields; empty: all
  std::string prefix = "geo.";
  std::optional<Predicate> condition;
  friend bool operator==(const GeoipPipe&, const GeoipPipe&) = default;
};
bool is_geo_field_wanted(const GeoipPipe& pipe, std::string_view field);
/// `transaction by (k)`: runs of records that belong together, a row each.
struct TransactionPipe {
  std::vector<std::string> names;
  std::int64_t span_ns_max = 0, pause_ns_max = 0;  ///< 0: none
  std::string span, pause;                         ///< as they were written
  std::optional<Predicate> starts, ends;
  friend bool operator==(const TransactionPipe&, const TransactionPipe&) = default;
};
/// `eventstats`: each row with the results of its group; `streamstats`: with those of the rows up to it.
struct WithStatsPipe {
  StatsPipe stats;
  bool is_running = false;
  std::uint64_t window = 0;  ///< running: of the last so many rows of the group; 0: of all
  friend bool operator==(const WithStatsPipe&, const WithStatsPipe&) = default;
};
/// `delta f as d by (k)`: the value less that of the row before.
struct DeltaPipe {
  std::string field, to;
  std::vector<std::string> names;
  friend bool operator==(const DeltaPipe&, const DeltaPipe&) = default;
};

// Tables (8.4).

/// `timechart span 1m count() by x`: statistics by time without gaps. The first group is the time.
struct TimechartPipe {
  StatsPipe stats;
  friend bool operator==(const TimechartPipe&, const TimechartPipe&) = default;
};
/// `fill_gaps _time:1m by (x) with 0`: a row for every bucket.
struct FillGapsPipe {
  GroupKey time;
  std::vector<std::string> names;
  std::optional<std::string> filler;  ///< nothing: null
  friend bool operator==(const FillGapsPipe&, const FillGapsPipe&) = default;
};
/// `compare by f offset 1d`: what is more, less, new, gone against the time before.
struct ComparePipe {
  std::string name;            ///< empty: templates
  std::int64_t offset_ns = 0;  ///< 0: the length of the range
  std::string offset;          ///< as it was written
  friend bool operator==(const ComparePipe&, const ComparePipe&) = default;
};
/// `histogram 20 f`: how many values in buckets of one width.
struct HistogramPipe {
  std::uint64_t count = 20;  ///< buckets at most
  std::string name;
  friend bool operator==(const HistogramPipe&, const HistogramPipe&) = default;
};
struct StreamsPipe {
  friend bool operator==(const StreamsPipe&, const StreamsPipe&) = default;
};
/// `block_stats`: what each column of each row group takes on disk.
struct BlockStatsPipe {
  friend bool operator==(const BlockStatsPipe&, const BlockStatsPipe&) = default;
};
inline constexpr std::array<std::string_view, 11> kBlockStatsColumns = {
    "segment", "row_group", "first", "last", "records", "field", "type", "layout", "values", "bytes", "stored_bytes"};
/// `anomaly f`, `changepoint f`, `forecast n f`: a column of numbers in the order of the rows.
struct SeriesPipe {
  enum class Kind : std::uint8_t { anomaly, changepoint, forecast };
  Kind kind = Kind::anomaly;
  std::string name;
  std::uint64_t count = 0;  ///< forecast: rows
  friend bool operator==(const SeriesPipe&, const SeriesPipe&) = default;
};
/// `correlate f with (a, b)`: how columns go together.
struct CorrelatePipe {
  std::string name;
  std::vector<std::string> others;
  friend bool operator==(const CorrelatePipe&, const CorrelatePipe&) = default;
};

}  // namespace dendro
