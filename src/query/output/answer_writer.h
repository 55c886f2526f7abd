#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/output/record_writer.h"
#include "query/plan/query_engine.h"
#include "query/plan/query_plan.h"

namespace dendro {

/// One output format (query-language.md 9.4): appends the parts of an answer to a caller's string. Not thread-safe.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  virtual void begin(std::string& out) = 0;
  virtual void row(std::string& out, const RowBatch& rows, std::size_t index) = 0;
  virtual void progress(std::string&, double /*scanned_share*/, std::uint64_t /*matched*/) {}
  virtual void end(std::string& out, const QueryOutcome& outcome) = 0;
};

/// `plan` outlives the writer.
std::unique_ptr<AnswerWriter> make_answer_writer(const QueryPlan& plan, const QueryRunOptions& options);

/// As start_query, with rows going to `writer` instead of one of the formats.
std::unique_ptr<QueryRun> start_query_into(PreparedQuery query, std::shared_ptr<QueryInput> input,
                                           QueryRunOptions options, const Clock& clock,
                                           std::unique_ptr<AnswerWriter> writer);

// The formats, one file each.
std::unique_ptr<AnswerWriter> make_ndjson_writer(const QueryPlan& plan, const QueryRunOptions& options);
std::unique_ptr<AnswerWriter> make_json_writer(const QueryPlan& plan, const QueryRunOptions& options);
std::unique_ptr<AnswerWriter> make_csv_writer(const QueryPlan& plan);
std::unique_ptr<AnswerWriter> make_text_writer(const QueryPlan& plan);
std::unique_ptr<AnswerWriter> make_table_writer(const QueryPlan& plan, std::size_t width);

/// Keys of the rows that a table view shows: those of a table, those of the last `fields`, or the common ones.
std::vector<std::string> answer_columns(const QueryPlan& plan);
/// `{"kind":"records",...}`: the value of `_meta`.
std::string meta_json(const QueryPlan& plan);
/// `{"complete":true,...}`: the value of `_status`.
std::string status_json(const QueryOutcome& outcome, std::string_view request_id);

/// Cells of a row in the order of answer_columns(), for csv, text and table. Not thread-safe.
class RowCells {
 public:
  explicit RowCells(const QueryPlan& plan);
  std::size_t count() const { return is_table_ ? column_count_ : fields_.size(); }
  /// Valid until the next call for the same column.
  Value cell(const RowBatch& rows, std::size_t index, std::size_t column);

 private:
  bool is_table_;
  std::size_t column_count_;
  std::vector<std::unique_ptr<RowField>> fields_;
};

}  // namespace dendro
