#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_budget.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"
#include "query/language/query_fault.h"
#include "query/plan/query_input.h"
#include "query/plan/query_request.h"

namespace dendro {

class FileSystem;
struct QueryPlan;
struct QueryProfile;

/// A query that parsed and was planned, its relative times fixed. Immutable; thread-safe; cheap to copy.
class PreparedQuery {
 public:
  explicit PreparedQuery(std::shared_ptr<const QueryPlan> plan) : plan_(std::move(plan)) {}
  const QueryPlan& plan() const { return *plan_; }
  std::shared_ptr<const QueryPlan> shared_plan() const { return plan_; }
  /// The query in its one canonical form, which parses to the same tree; relative times are instants in it.
  std::string canonical_text() const;
  /// True if rows are those of a table (stats, top, ..), false if records.
  bool is_table() const;

 private:
  std::shared_ptr<const QueryPlan> plan_;
};

/// Parses, checks and plans. On failure `fault` says where; the returned error is `fault.to_error()`.
/// Errors: invalid_argument (syntax, bad tz, start, end, cursor or limit), unimplemented, too_large.
Result<PreparedQuery> prepare_query(const QueryRequest& request, QueryFault& fault);

/// Where operators put rows that memory has no room for: files that lose their names as soon as they are open.
struct SpillPlace {
  std::shared_ptr<FileSystem> files;
  std::string directory;  ///< made if missing
  /// Left free on its disk, whichever is more.
  std::uint64_t free_bytes_min = std::uint64_t{1} << 30;
  double free_share_min = 0.05;
};

/// What work may cost (query-language.md 9.2).
struct QueryLimits {
  std::uint64_t memory_bytes_max = std::uint64_t{512} << 20;
  std::shared_ptr<ByteBudget> shared_memory;  ///< what all queries may take together; null: no bound
  std::uint64_t groups_max = 1'000'000;       ///< in memory
  std::uint64_t sort_rows_max = 1'000'000;    ///< of a sort without limit, in memory
  std::uint64_t values_max = 10'000;          ///< elements of values() and uniq_values()
  std::uint64_t subquery_rows_max = 100'000;  ///< values of in(query), rows of the right side of a join or union
  std::shared_ptr<const SpillPlace> spill;    ///< null: what outgrows memory ends the query
  std::uint64_t spill_bytes_max = std::uint64_t{10} << 30;  ///< in files at a time
  std::uint64_t spill_above_bytes = 0;                      ///< of memory that is kept; 0: half of memory_bytes_max
};

/// What the answer would be if the input ended now.
struct QueryPreview {
  std::optional<std::string> rows;  ///< in the run's format, without an envelope; nothing: too many to say in between
  std::uint64_t matched = 0;
  std::uint64_t scanned_records = 0;
};
/// How often a preview is given.
inline constexpr std::chrono::milliseconds kPreviewTime{250};
/// Groups of a table that previews show.
inline constexpr std::size_t kPreviewGroupsMax = 10'000;

struct QueryRunOptions {
  OutputFormat format = OutputFormat::ndjson;
  /// ndjson: `_meta`, `_progress` and `_status` lines around the rows. False (a terminal, a pipe): rows only.
  bool envelope = true;
  CancelToken cancel;
  /// Ends the run as if its input ended here: what is known comes out, and the reason is `interrupted`.
  CancelToken interrupt;
  /// Called from next_piece() while a table is being made, once in kPreviewTime at most; may be empty.
  std::function<void(const QueryPreview&)> on_preview;
  std::string request_id;
  QueryLimits limits;
  std::size_t table_width = 0;  ///< table: columns of the terminal, rows are cut there; 0: never
};

struct QueryWarning {
  std::string code;  ///< unknown_field, dropped_field, unit_mismatch, ...
  std::string message;
  std::size_t offset = 0, size = 0;  ///< in the query
};

/// How an answer ended (query-language.md 9.3).
struct QueryOutcome {
  bool complete = false;
  std::string reason = "end";  ///< end, limit, timeout, memory, cancelled, interrupted, error
  std::uint64_t matched = 0;
  bool matched_exact = false;
  std::uint64_t returned = 0;
  std::uint64_t scanned_records = 0;
  std::uint64_t scanned_bytes = 0;
  std::uint64_t spilled_bytes = 0;  ///< written to temporary files
  std::int64_t elapsed_ms = 0;
  std::string next_cursor;               ///< empty: none
  TimeRange covered;                     ///< the part of the range that the rows answer for
  std::vector<std::string> approximate;  ///< columns
  std::vector<QueryWarning> warnings;
  std::optional<Error> error;                   ///< what was left out or failed
  std::shared_ptr<const QueryProfile> profile;  ///< null unless the request was to be explained by running it
};

/// One execution: pulls records and gives the encoded answer piece by piece. Not thread-safe; calls may come from
/// different threads one after the other. Blocks for up to about 50 ms (or one block of a slow disk): call it on a
/// worker.
class QueryRun {
 public:
  virtual ~QueryRun() = default;
  /// Some bytes of the answer, never none; nothing at the end. Never an error once the first piece is out: what goes
  /// wrong then stands in the status line. Errors before: io_error and the like of opening the input.
  virtual Result<std::optional<std::string>> next_piece() = 0;
  /// The last piece is out: next_piece() gives nothing any more.
  virtual bool is_finished() const = 0;
  /// Final once is_finished().
  virtual const QueryOutcome& outcome() const = 0;
};

/// `clock` outlives the run; `input` is kept by it.
std::unique_ptr<QueryRun> start_query(PreparedQuery query, std::shared_ptr<QueryInput> input, QueryRunOptions options,
                                      const Clock& clock);

}  // namespace dendro
