#include "query/output/answer_writer.h"

#include "query/language/filter_chips.h"

#include "base/json_writer.h"
#include "query/output/explain_writer.h"

namespace dendro {
namespace {

void write_bound(JsonWriter& writer, std::string_view key, Timestamp bound, Timestamp open) {
  writer.key(key);
  if (bound == open) {
    writer.null();
  } else {
    writer.value(to_rfc3339(bound));
  }
}

void write_error(JsonWriter& writer, const Error& error) {
  writer.key("error");
  writer.begin_object();
  writer.member("status", http_status_of(error.code()));
  writer.member("code", error_code_name(error.code()));
  writer.member("detail", error.message());
  writer.end_object();
}

void write_warnings(JsonWriter& writer, const std::vector<QueryWarning>& warnings) {
  writer.key("warnings");
  writer.begin_array();
  for (const QueryWarning& warning : warnings) {
    writer.begin_object();
    writer.member("code", warning.code);
    writer.member("message", warning.message);
    writer.member("offset", warning.offset);
    writer.member("size", warning.size);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

std::vector<std::string> answer_columns(const QueryPlan& plan) {
  if (plan.output.is_table) return plan.output.columns;
  if (plan.output.kept() == nullptr) return {"_time", "severity", "service.name", "body"};
  std::vector<std::string> columns;
  for (const NamePattern& name : plan.output.kept_names()) {
    if (!name.is_prefix) columns.push_back(name.name);
  }
  return columns;
}

std::string meta_json(const QueryPlan& plan) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.member("kind", plan.output.is_table ? "table" : "records");
  write_bound(writer, "start", plan.range.first, kTimestampMin);
  write_bound(writer, "end", plan.range.last, kTimestampMax);
  writer.member("columns", answer_columns(plan));
  writer.key("chips");
  write_chips(writer, filter_chips(plan.parsed));
  if (plan.excludes_dead_letters) {
    writer.key("excludes");
    writer.begin_array();
    writer.value("dendro.source:=dead_letter");
    writer.end_array();
  }
  writer.end_object();
  return json;
}

std::string status_json(const QueryOutcome& outcome, std::string_view request_id) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.member("complete", outcome.complete);
  writer.member("reason", outcome.reason);
  writer.member("matched", outcome.matched);
  writer.member("matched_exact", outcome.matched_exact);
  writer.member("returned", outcome.returned);
  writer.member("scanned_records", outcome.scanned_records);
  writer.member("scanned_bytes", outcome.scanned_bytes);
  writer.member("spilled_bytes", outcome.spilled_bytes);
  writer.member("elapsed_ms", outcome.elapsed_ms);
  if (!outcome.next_cursor.empty()) writer.member("next_cursor", outcome.next_cursor);
  writer.member("request_id", request_id);
  write_warnings(writer, outcome.warnings);
  writer.key("covered");
  writer.begin_object();
  write_bound(writer, "start", outcome.covered.first, kTimestampMin);
  write_bound(writer, "end", outcome.covered.last, kTimestampMax);
  writer.end_object();
  writer.member("approximate", outcome.approximate);
  if (outcome.error) write_error(writer, *outcome.error);
  writer.end_object();
  return json;
}

RowCells::RowCells(const QueryPlan& plan) : is_table_(plan.output.is_table), column_count_(plan.output.columns.size()) {
  if (is_table_) return;
  for (const std::string& column : answer_columns(plan))
    fields_.push_back(std::make_unique<RowField>(column, plan.output));
}

Value RowCells::cell(const RowBatch& rows, std::size_t index, std::size_t column) {
  return is_table_ ? rows.table[index][column].value() : fields_[column]->read(rows, index);
}

std::unique_ptr<AnswerWriter> make_answer_writer(const QueryPlan& plan, const QueryRunOptions& options) {
  if (plan.request.explain != ExplainMode::no) return make_explain_writer(plan, options);
  switch (options.format) {
    case OutputFormat::json:
      return make_json_writer(plan, options);
    case OutputFormat::csv:
      return make_csv_writer(plan);
    case OutputFormat::text:
      return make_text_writer(plan);
    case OutputFormat::table:
      return make_table_writer(plan, options.table_width);
    case OutputFormat::ndjson:
      break;
  }
  return make_ndjson_writer(plan, options);
}

std::optional<OutputFormat> parse_output_format(std::string_view name) {
  if (name == "ndjson") return OutputFormat::ndjson;
  if (name == "json") return OutputFormat::json;
  if (name == "csv") return OutputFormat::csv;
  if (name == "text") return OutputFormat::text;
  if (name == "table") return OutputFormat::table;
  return std::nullopt;
}

std::string_view content_type_of(OutputFormat format) {
  switch (format) {
    case OutputFormat::ndjson:
      return "application/x-ndjson";
    case OutputFormat::json:
      return "application/json";
    case OutputFormat::csv:
      return "text/csv; charset=utf-8; header=present";
    default:
      return "text/plain; charset=utf-8";
  }
}

}  // namespace dendro
