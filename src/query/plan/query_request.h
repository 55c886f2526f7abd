#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "query/language/saved_filters.h"
#include "query/plan/geo_database.h"
#include "query/plan/lookup_tables.h"
#include "record/record_block.h"

namespace dendro {

/// Whether the answer is the plan instead of rows (output/explain_writer.h).
enum class ExplainMode : std::uint8_t {
  no,
  plan,     ///< the plan alone: nothing is read
  analyze,  ///< the query runs: the plan, and what each part of it did
};

/// What a caller asks (ui.md 11.2). Values, checked by prepare_query.
struct QueryRequest {
  std::string query;  ///< query-language.md
  /// Instants as after `_time:` (`2026-11-20T10:00:00Z`, `now-1h`, `1700000000`); empty = open. Half-open: [start,
  /// end).
  std::string start, end;
  std::string tz;  ///< empty or "UTC", "Z", "+01:00"; "Europe/Berlin"
  /// Rows of the answer. Nothing: 1,000 records, all rows of a table. 0: all.
  std::optional<std::uint64_t> limit;
  std::string cursor;  ///< `next_cursor` of the page before, of the same query
  ScanOrder order = ScanOrder::newest_first;
  std::vector<std::string> fields;  ///< only these keys, in this order; empty: all
  std::uint64_t clip_bytes = 4096;  ///< longer texts are cut and named in `_clipped`; 0: never
  std::chrono::milliseconds timeout{30'000};
  std::string default_field;                          ///< field of text filters without one; empty: every value
  bool exact = true;                                  ///< numbers a double cannot hold become strings
  bool progress = true;                               ///< `_progress` lines
  std::shared_ptr<const SavedFilters> saved_filters;  ///< what `$name` stands for; null: an error
  std::shared_ptr<const LookupTables> lookup_tables;  ///< what `lookup` reads; null: an error
  std::shared_ptr<const GeoDatabase> geo_database;    ///< what `geoip` asks; null: an error
  ExplainMode explain = ExplainMode::no;
  Timestamp now;  ///< when the request was read
};

enum class OutputFormat : std::uint8_t { ndjson, json, csv, text, table };
/// "ndjson" "json" "csv" "text" "table".
std::optional<OutputFormat> parse_output_format(std::string_view name);
/// Content-Type of an answer.
std::string_view content_type_of(OutputFormat format);

}  // namespace dendro
