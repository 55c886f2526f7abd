#include "server/routes/export_route.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "query/plan/query_cursor.h"
#include "query/plan/query_plan.h"
#include "record/record_id.h"
#include "server/routes/caller_restriction.h"
#include "server/routes/proof_rows.h"
#include "server/routes/query_problem.h"
#include "server/routes/query_response.h"
#include "server/routes/search_route.h"

namespace dendro {
namespace {

/// An export may take as long as its reader does; a day ends one that nobody reads.
constexpr std::chrono::hours kExportTimeMax{24};
constexpr std::string_view kExportCursorHeader = "X-Dendro-Cursor";

std::string_view file_ending(OutputFormat format) {
  if (format == OutputFormat::csv) return "csv";
  return format == OutputFormat::text ? "txt" : "ndjson";
}

/// dendro-20261120T100500Z.csv
std::string file_name(Timestamp received, OutputFormat format) {
  std::string name = to_rfc3339(received, 0);
  std::erase_if(name, [](char c) { return c == '-' || c == ':'; });
  return "dendro-" + name + "." + std::string(file_ending(format));
}

/// True if a place among the records is all that must be known to go on from it.
bool is_resumable(const QueryPlan& plan) {
  return plan.is_pageable && std::none_of(plan.steps.begin(), plan.steps.end(), [](const QueryStep& step) {
           return std::holds_alternative<LimitPipe>(step.pipe) || std::holds_alternative<OffsetPipe>(step.pipe);
         });
}

/// The cursor that stands in front of the first record: it fixes `now` and the range for those who resume.
std::string first_cursor(const QueryPlan& plan) {
  QueryCursor cursor;
  cursor.query_hash = plan.query_hash;
  cursor.now = plan.request.now;
  cursor.range = plan.range;
  cursor.position = plan.request.order == ScanOrder::newest_first
                        ? RecordPosition{kTimestampMax, SequenceNumber(std::numeric_limits<std::uint64_t>::max())}
                        : RecordPosition{kTimestampMin, SequenceNumber(0)};
  return to_cursor_text(cursor);
}

/// Puts the place of `after` into the cursor of the request.
Status move_cursor(QueryRequest& request, std::string_view after, QueryParamFault& fault) {
  const auto fail = [&fault](std::string field, std::string message) {
    fault = {std::move(field), std::move(message)};
    return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
  };
  auto cursor = parse_cursor_text(request.cursor);
  if (!cursor) return fail("cursor", "is needed with after: the X-Dendro-Cursor of the export that broke off");
  const auto position = parse_record_id(after);
  if (!position) return fail("after", "must be the _id of the last record that arrived");
  cursor->position = *position;
  request.cursor = to_cursor_text(*cursor);
  return {};
}

Result<QueryCall> read_export_call(const HttpRequest& request, QueryParamFault& fault) {
  QueryExtras extras{{"after", "proof"}, {}};
  DENDRO_TRY_ASSIGN(QueryCall call, read_query_call(request, fault, &extras));
  if (call.format != OutputFormat::ndjson && call.format != OutputFormat::csv && call.format != OutputFormat::text) {
    if (request.query_param("format")) {
      fault = {"format", "must be ndjson, csv or text"};
      return Error(ErrorCode::invalid_argument, "format must be ndjson, csv or text");
    }
    call.format = OutputFormat::ndjson;  // of Accept
  }
  call.request.limit = call.request.limit.value_or(0);
  call.request.clip_bytes = 0;
  call.request.progress = false;
  if (!request.query_param("timeout_ms")) call.request.timeout = kExportTimeMax;
  if (const auto after = request.query_param("after")) DENDRO_TRY(move_cursor(call.request, *after, fault));
  return call;
}

/// True if rows shall have their proofs. Errors: invalid_argument.
Result<bool> wants_proofs(const QueryRouteParts& parts, const QueryCall& call, const HttpRequest& request,
                          QueryParamFault& fault) {
  const auto text = request.query_param("proof");
  if (!text || *text == "false") return false;
  if (*text == "true" && call.format == OutputFormat::ndjson && parts.prover_of) return true;
  fault = {"proof", *text != "true"    ? "must be true or false"
                    : !parts.prover_of ? "cannot be had: audit.chain is off"
                                       : "goes with format=ndjson only"};
  return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
}

/// Each row with what shows that its record is as it was stored.
Status add_export_proofs(const QueryRouteParts& parts, const HttpRequest& request, HttpResponse& response) {
  DENDRO_TRY_ASSIGN(auto whole, parts.snapshot_of(request.tenant));
  DENDRO_TRY_ASSIGN(const auto restriction, restriction_of(request.access.get(), request.received, request.request_id));
  std::function<bool(std::string_view)> is_hidden;
  if (restriction != nullptr) {
    is_hidden = [restriction](std::string_view path) { return restriction->fields.touches(path); };
  }
  add_proofs(response,
             std::make_shared<ProofRows>(parts.prover_of(request.tenant), std::move(whole), std::move(is_hidden)),
             request);
  return {};
}

HttpResponse answer_export(const QueryRouteParts& parts, const HttpRequest& request) {
  QueryParamFault param_fault;
  auto call = read_export_call(request, param_fault);
  const Result<bool> proofs = call ? wants_proofs(parts, *call, request, param_fault) : Result<bool>(call.error());
  if (!proofs) return param_problem(proofs.error(), param_fault, request.request_id);
  parts.add_names(call->request, request.tenant);
  QueryFault fault;
  const auto prepared = prepare_query(call->request, fault);
  if (!prepared) return query_problem(fault, request.request_id);
  const bool can_resume = is_resumable(prepared->plan());
  if (!can_resume && !call->request.cursor.empty()) {
    const std::string message = "does not fit: an export with sort, limit, offset, dedup, join or a table starts anew";
    return param_problem(Error(ErrorCode::invalid_argument, "cursor " + message), {"cursor", message},
                         request.request_id);
  }
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);

  QueryRunOptions options = parts.run_options(request);
  options.format = call->format;
  options.envelope = false;
  auto run =
      track_run(start_query(*prepared, make_snapshot_input(std::move(*snapshot)), std::move(options), parts.clock),
                parts.begin(request, "export", call->request.query));
  HttpResponse response = answer_of_run(std::move(run), call->format, CutAnswers::break_off, parts.workers, request);
  if (response.status != 200) return response;
  if (*proofs) {
    const Status added = add_export_proofs(parts, request, response);
    if (!added) return error_response(ErrorShape::problem, added.error(), request.request_id);
    if (response.status != 200) return response;
  }
  response.headers.add("Content-Disposition",
                       "attachment; filename=\"" + file_name(request.received, call->format) + "\"");
  if (can_resume) {
    response.headers.add(std::string(kExportCursorHeader),
                         call->request.cursor.empty() ? first_cursor(prepared->plan()) : call->request.cursor);
  }
  return response;
}

constexpr std::string_view kExportText =
    "Every row of the query, newest first, nothing clipped and without a time limit; a file for the browser. NDJSON "
    "has "
    "the rows alone, CSV the columns of `fields` (without: `_time`, `severity`, `service.name`, `body`), where texts "
    "that a spreadsheet takes for a formula get a leading `'`; text the bodies, or the `fields` between tabs.\n\n"
    "An export that could not be finished ends without its last chunk: what arrived is right as far as it goes. To go "
    "on, send the same parameters with `cursor`, the `X-Dendro-Cursor` of the reply that broke off, and `after`, the "
    "`_id` of the last whole row; the rows that follow are those that were missing. A resumed CSV has its header line "
    "again. Replies without that header (sort, limit, tables and the like) start anew.";

}  // namespace

Route export_route(const QueryRouteParts& parts) {
  Route route = search_route("GET", "/api/v1/export", "export", "All rows of a query, as a file");
  route.use = RouteUse::read;
  route.permission = Permission::export_records;
  route.description = kExportText;
  const auto param = [&route](std::string name, std::string schema, std::string description) {
    route.params.push_back({std::move(name), ParamPlace::query, false, std::move(schema), std::move(description)});
  };
  param("query", R"({"type":"string","default":"*"})", "Text of the query.");
  param("start", R"({"type":"string"})", "First instant: RFC 3339, a partial time, an epoch number, `now-1h`.");
  param("end", R"({"type":"string"})", "First instant behind the range.");
  param("tz", R"({"type":"string"})", "Zone of times without one: `+01:00`, `Europe/Berlin`.");
  param("fields", R"({"type":"string"})", "Only these keys, between commas.");
  param("format", R"({"type":"string","enum":["csv","ndjson","text"],"default":"ndjson"})", "Form of the rows.");
  param("order", R"({"type":"string","enum":["asc","desc"],"default":"desc"})", "By time.");
  param("cursor", R"({"type":"string"})", "`X-Dendro-Cursor` of the export that broke off.");
  param("after", R"({"type":"string"})", "With `cursor`: the `_id` of the last whole row of it.");
  param("proof", R"({"type":"boolean","default":false})",
        "NDJSON: each row of a record with its `_proof` (docs/audit.md), null where no chain covers it yet.");
  route.replies = {{200, "The rows.", "application/x-ndjson", "",
                    R"({"_id":"..","_time":"2026-11-20T10:00:00.000000000Z","body":"paid"})"},
                   {200, "", "text/csv", "", "_time,body\r\n2026-11-20T10:00:00.000000000Z,paid\r\n"},
                   query_problem_reply(),
                   query_unbuilt_reply()};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_export(parts, request); });
  return route;
}

}  // namespace dendro
