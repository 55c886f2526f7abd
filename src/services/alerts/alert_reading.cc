#include "services/alerts/alert_reading.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/utf8.h"
#include "meta/alert_state_table.h"
#include "query/output/answer_writer.h"
#include "query/plan/query_plan.h"
#include "query/run/query_table.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

/// A field name as the language takes it whatever it holds.
std::string quoted_field(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

/// The query that answers the condition; on a line of its own what is put behind the user's.
std::string asked_text(const AlertRule& rule) {
  switch (rule.condition.kind) {
    case AlertCondition::Kind::rows:
      return rule.query + "\n| stats count() as alert_rows";
    case AlertCondition::Kind::new_value:
      return rule.query + "\n| stats by (" + quoted_field(rule.condition.name) + ") count() as alert_rows";
    case AlertCondition::Kind::column:
      break;
  }
  return rule.query;
}

QueryRequest alert_request(const AlertRule& rule, const AlertQueryParts& parts, std::string text) {
  QueryRequest request;
  request.query = std::move(text);
  request.progress = false;
  request.clip_bytes = kAlertLabelBytesMax;
  request.lookup_tables = parts.lookup_tables;
  request.geo_database = parts.geo_database;
  if (parts.saved_filters_of != nullptr) request.saved_filters = parts.saved_filters_of(rule.tenant);
  request.now = parts.clock.now();
  return request;
}

/// Valid UTF-8 (the text of a list may hold other bytes, and a cut must not make any), so that a label is read back
/// from its JSON as it was: another one would be another alert.
std::string cell_text(const Cell& cell) {
  std::string bytes, text;
  append_value_text(bytes, cell.value());
  append_utf8_lossy(text, bytes);
  if (text.size() <= kAlertLabelBytesMax) return text;
  std::size_t end = kAlertLabelBytesMax;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::optional<double> cell_number(const Cell& cell) {
  const std::string text = cell_text(cell);
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

AlertAnswer failed_answer(const std::string& problem) {
  AlertAnswer answer;
  answer.reading.is_answer = false;
  answer.reading.problem = problem;
  return answer;
}

void read_row_count(const AlertRule& rule, const QueryTable& table, AlertAnswer& answer) {
  if (table.rows.empty() || table.rows.front().empty()) return;
  const auto count = cell_number(table.rows.front().front());
  if (count && *count > rule.condition.threshold) {
    answer.reading.active.push_back({{}, cell_text(table.rows.front().front())});
  }
}

void read_column(const AlertRule& rule, const std::vector<std::string>& columns, const QueryTable& table,
                 AlertAnswer& answer) {
  const auto place = std::find(columns.begin(), columns.end(), rule.condition.name);
  if (place == columns.end()) {
    answer = failed_answer("the answer has no column \"" + rule.condition.name + "\"");
    return;
  }
  const auto value_at = static_cast<std::size_t>(place - columns.begin());
  for (const std::vector<Cell>& row : table.rows) {
    const auto number = cell_number(row[value_at]);
    const bool is_above = rule.condition.side == AlertCondition::Side::above;
    if (!number || (is_above ? *number <= rule.condition.threshold : *number >= rule.condition.threshold)) continue;
    AlertObservation observation;
    observation.value = cell_text(row[value_at]);
    for (std::size_t i = 0; i < columns.size() && observation.labels.size() < kAlertLabelsMax; ++i) {
      if (i != value_at && !row[i].is_missing()) observation.labels[columns[i]] = cell_text(row[i]);
    }
    answer.reading.active.push_back(std::move(observation));
  }
  // Numbers of a part of the records say nothing about all of them, in either direction.
  if (!table.outcome.complete) answer.reading.is_answer = false;
}

void read_values(const QueryTable& table, AlertAnswer& answer) {
  for (const std::vector<Cell>& row : table.rows) {
    if (!row.empty() && !row.front().is_missing()) answer.values.push_back(cell_text(row.front()));
  }
}

std::string problem_of(const QueryOutcome& outcome) {
  if (outcome.complete) return {};
  if (outcome.error) return "the answer is incomplete: " + outcome.error->message();
  return "the answer is incomplete: " + outcome.reason;
}

}  // namespace

Status check_alert_query(const AlertRule& rule, const AlertQueryParts& parts, QueryFault& fault) {
  // The user's text by itself first: a fault has its place in it.
  DENDRO_TRY_ASSIGN(const PreparedQuery own, prepare_query(alert_request(rule, parts, rule.query), fault));
  fault = QueryFault();
  QueryFault unused;
  DENDRO_TRY(prepare_query(alert_request(rule, parts, asked_text(rule)), unused));
  if (rule.condition.kind != AlertCondition::Kind::column) return {};
  const std::vector<std::string> columns = own.is_table() ? answer_columns(own.plan()) : std::vector<std::string>();
  if (std::find(columns.begin(), columns.end(), rule.condition.name) != columns.end()) return {};
  return Error(ErrorCode::invalid_argument, "condition.column: the query must give a table with the column \"" +
                                                rule.condition.name + "\", as `stats` does");
}

AlertAnswer ask_alert_query(const AlertRule& rule, const AlertQueryParts& parts, Timestamp at,
                            std::chrono::seconds span, std::chrono::milliseconds timeout, const CancelToken& cancel) {
  QueryRequest request = alert_request(rule, parts, asked_text(rule));
  request.now = at;
  request.start = to_rfc3339(Timestamp(at.number() - std::chrono::nanoseconds(span).count()));
  request.end = to_rfc3339(at);
  request.timeout = timeout;
  const bool asks_values = rule.condition.kind == AlertCondition::Kind::new_value;
  const std::size_t rows_max = asks_values ? AlertStateTable::kSeenMax : kAlertSeriesMax;
  request.limit = rows_max + 1;
  QueryFault fault;
  const auto prepared = prepare_query(request, fault);
  if (!prepared) return failed_answer(prepared.error().message());
  std::unique_ptr<RunningQueries::Ticket> ticket;
  if (parts.running != nullptr) {
    ticket = parts.running->begin({"alert-" + rule.id, rule.tenant, "alert", rule.query, cancel});
  }
  auto snapshot = parts.snapshot_of(rule.tenant);
  if (!snapshot) return failed_answer(snapshot.error().message());
  QueryRunOptions options;
  options.cancel = cancel;
  options.limits = parts.limits;
  const auto table =
      run_to_table(*prepared, make_snapshot_input(std::move(*snapshot)), std::move(options), parts.clock);
  if (!table) return failed_answer(table.error().message());
  if (ticket != nullptr) ticket->set_outcome(table->outcome);
  if (table->rows.size() > rows_max) {
    return failed_answer("the answer has over " + std::to_string(rows_max) + " rows: more label sets than are watched");
  }
  AlertAnswer answer;
  answer.reading.problem = problem_of(table->outcome);
  switch (rule.condition.kind) {
    case AlertCondition::Kind::rows:
      read_row_count(rule, *table, answer);
      break;
    case AlertCondition::Kind::column:
      read_column(rule, answer_columns(prepared->plan()), *table, answer);
      break;
    case AlertCondition::Kind::new_value:
      read_values(*table, answer);
      break;
  }
  return answer;
}

}  // namespace dendro
