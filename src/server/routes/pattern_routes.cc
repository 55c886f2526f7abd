#include "server/routes/pattern_routes.h"

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "server/routes/query_problem.h"
#include "server/routes/search_route.h"
#include "services/search/pattern_slots.h"

namespace dendro {
namespace {

/// Members of a pattern's object.
void write_pattern(JsonWriter& writer, const PatternRow& row) {
  writer.member("id", row.id);
  writer.key("parts");
  writer.begin_array();
  for (const PatternPart& part : row.parts) {
    writer.begin_object();
    if (part.slot) {
      writer.member("slot", *part.slot);
      writer.member("type", *part.slot < row.slot_types.size() ? row.slot_types[*part.slot] : "any");
    } else {
      writer.member("text", part.text);
    }
    writer.end_object();
  }
  writer.end_array();
  writer.key("severity");
  row.severity.empty() ? writer.null() : writer.value(row.severity);
  writer.member("count", row.count);
  writer.member("share", row.share);
  writer.key("baseline_count");
  row.baseline_count ? writer.value(*row.baseline_count) : writer.null();
  writer.key("change");
  row.baseline_count ? writer.value(window_change_name(row.change)) : writer.null();
  writer.key("ratio");
  row.ratio ? writer.value(*row.ratio) : writer.null();
  writer.member("first_seen", to_rfc3339(row.first_seen));
  writer.member("last_seen", to_rfc3339(row.last_seen));
  writer.key("trend");
  writer.begin_array();
  for (const std::uint64_t count : row.trend) writer.value(count);
  writer.end_array();
  writer.key("sample_ids");
  writer.raw(row.sample_ids);
}

std::string pattern_list_json(const PatternList& list, const PatternListRequest& asked) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.member("total_records", list.total_records);
  writer.member("covered_records", list.covered_records);
  writer.key("patterns");
  writer.begin_array();
  for (const PatternRow& row : list.patterns) {
    writer.begin_object();
    if (!asked.by.empty()) {
      writer.key("value");
      row.value ? writer.value(*row.value) : writer.null();
    }
    write_pattern(writer, row);
    writer.end_object();
  }
  writer.end_array();
  if (list.has_more) writer.member("next_cursor", std::to_string(asked.offset + asked.limit));
  writer.member("complete", list.complete);
  writer.member("reason", list.reason);
  writer.end_object();
  return json;
}

HttpResponse pattern_problem(const Error& error, const QueryFault& fault, const std::string& request_id) {
  if (!fault.message.empty()) return query_problem(fault, request_id);
  return error_response(ErrorShape::problem, error, request_id);
}

/// The body as what list_patterns takes: `limit` and `cursor` count templates here.
Result<PatternListRequest> read_pattern_call(const HttpRequest& request, QueryParamFault& fault) {
  QueryExtras extras{{"limit", "cursor", "compare", "by"}, {}};
  DENDRO_TRY_ASSIGN(const QueryCall call, read_query_call(request, fault, &extras));
  PatternListRequest asked;
  DENDRO_TRY_ASSIGN(asked.by, extras.text("by", "", fault));
  if (const auto compare = extras.values.find("compare"); compare != extras.values.end()) {
    const auto instant = [&](std::string_view name) {
      const JsonValue* const member = compare->second.find(name);
      return std::string(member == nullptr ? std::string_view() : member->as_string().value_or(""));
    };
    asked.compare = {instant("start"), instant("end")};
    if (asked.compare->start.empty() || asked.compare->end.empty()) {
      fault = {"compare", "must be an object with start and end, the other window"};
      return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
    }
  }
  asked.query = call.request;
  DENDRO_TRY_ASSIGN(asked.limit, extras.count("limit", asked.limit, 1, kPatternsMax, fault));
  DENDRO_TRY_ASSIGN(const std::string cursor, extras.text("cursor", "0", fault));
  const char* end = cursor.data() + cursor.size();
  const auto result = std::from_chars(cursor.data(), end, asked.offset);
  if (cursor.empty() || result.ec != std::errc() || result.ptr != end || asked.offset > INT64_MAX) {
    fault = {"cursor", "must be the next_cursor of the page before"};
    return Error(ErrorCode::invalid_argument, "cursor must be the next_cursor of the page before");
  }
  return asked;
}

HttpResponse answer_pattern_list(const QueryRouteParts& parts, const HttpRequest& request) {
  QueryParamFault param_fault;
  auto asked = read_pattern_call(request, param_fault);
  if (!asked) return param_problem(asked.error(), param_fault, request.request_id);
  parts.add_names(asked->query, request.tenant);
  const auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  QueryFault fault;
  const auto ticket = parts.begin(request, "patterns", asked->query.query);
  const auto list = list_patterns(*asked, *snapshot, parts.run_options(request), parts.clock, fault);
  if (!list) return pattern_problem(list.error(), fault, request.request_id);
  return json_response(200, pattern_list_json(*list, *asked));
}

std::string pattern_json(const PatternRow& row, const PatternSlots& slots) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  write_pattern(writer, row);
  writer.key("slots");
  writer.begin_array();
  for (std::size_t i = 0; i < slots.slots.size(); ++i) {
    writer.begin_object();
    writer.member("slot", i);
    writer.member("distinct", slots.slots[i].distinct);
    writer.key("values");
    writer.begin_array();
    for (const auto& [value, count] : slots.slots[i].values) {
      writer.begin_object();
      writer.member("value", value);
      writer.member("count", count);
      writer.end_object();
    }
    writer.end_array();
    writer.end_object();
  }
  writer.end_array();
  writer.member("bodies", slots.bodies);
  writer.member("aligned", slots.aligned);
  writer.end_object();
  return json;
}

bool is_pattern_id(std::string_view id) {
  return id.size() == 16 &&
         std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

HttpResponse answer_pattern(const QueryRouteParts& parts, const HttpRequest& request) {
  const std::string id(request.path_param("id").value_or(""));
  const auto missing = [&request] {
    return error_response(ErrorShape::problem, Error(ErrorCode::not_found, "no record has this pattern"),
                          request.request_id);
  };
  QueryParamFault param_fault;
  const auto call = read_query_call(request, param_fault);
  if (!call) return param_problem(call.error(), param_fault, request.request_id);
  if (!is_pattern_id(id)) return missing();
  const auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  PatternListRequest asked;
  asked.query.query = "_template:=\"" + id + "\"";
  asked.query.start = call->request.start;
  asked.query.end = call->request.end;
  asked.query.tz = call->request.tz;
  asked.query.now = call->request.now;
  asked.query.timeout = call->request.timeout;
  asked.limit = 1;
  const QueryRunOptions options = parts.run_options(request);
  const auto ticket = parts.begin(request, "pattern", asked.query.query);
  QueryFault fault;
  const auto list = list_patterns(asked, *snapshot, options, parts.clock, fault);
  if (!list) return pattern_problem(list.error(), fault, request.request_id);
  if (!list->complete) {
    return error_response(ErrorShape::problem, Error(ErrorCode::deadline_exceeded, "ended early: " + list->reason),
                          request.request_id);
  }
  if (list->patterns.empty()) return missing();
  const auto slots = count_pattern_slots(list->patterns[0], asked.query, *snapshot, options, parts.clock, fault);
  if (!slots) return pattern_problem(slots.error(), fault, request.request_id);
  return json_response(200, pattern_json(list->patterns[0], *slots));
}

constexpr std::string_view kPatternMembers =
    R"("id":{"type":"string"},"parts":{"type":"array","items":{"type":"object","properties":{"text":{"type":"string"},"slot":{"type":"integer"},"type":{"type":"string"}}}},)"
    R"("severity":{"type":["string","null"]},"count":{"type":"integer"},"share":{"type":"number"},"baseline_count":{"type":["integer","null"]},"change":{"enum":["new","gone","up","down","same",null]},"ratio":{"type":["number","null"]},)"
    R"("first_seen":{"type":"string"},"last_seen":{"type":"string"},"trend":{"type":"array","items":{"type":"integer"}},"sample_ids":{"type":"array","items":{"type":"string"}})";
constexpr std::string_view kPatternExample =
    R"("id":"5f0c2d1a9e3b7c44","parts":[{"text":"took "},{"slot":0,"type":"number"}],"severity":"info","count":3,"share":1,"baseline_count":null,"change":null,"ratio":null,)"
    R"("first_seen":"2026-11-20T10:00:00.000000000Z","last_seen":"2026-11-20T10:00:20.000000000Z","trend":[1,0,2],"sample_ids":[".."])";

}  // namespace

Route pattern_list_route(const QueryRouteParts& parts) {
  Route route = search_route("POST", "/api/v1/patterns", "patterns", "The templates of the bodies that match");
  route.use = RouteUse::read;
  route.description =
      "Every record that the filter and the `where` pipes right behind it keep is counted under the template of its "
      "body, most frequent first. `parts` are constants and slots; the type of a slot (`number time ip uuid hex word "
      "any`) is that of the newest record. `trend` cuts the range into 30 equal parts. `limit` and `cursor` count "
      "templates.\n\n`compare` names another window, for the same filter: each pattern then has what was counted "
      "there, the `ratio` "
      "to what that leads to expect, and `change`: `new` and `gone` stand in one window only, `up` and `down` are at "
      "least twice or half and not by chance (q < 0.05). Those that are gone come last, with a count of 0. Both "
      "windows "
      "must have a start and an end.\n\n`by` names a field: each template then comes once for each of its values, with "
      "that `value` (null: records without the field), and everything else is of those records alone.";
  take_query_body(
      route,
      R"("by":{"type":"string"},"compare":{"type":"object","required":["start","end"],"properties":{"start":{"type":"string"},)"
      R"("end":{"type":"string"}}})",
      R"({"query":"service:api","start":"now-1h","end":"now","limit":50})");
  route.replies = {
      {200, "The templates.", "application/json",
       R"({"type":"object","properties":{"total_records":{"type":"integer"},"covered_records":{"type":"integer"},"patterns":{"type":"array","items":{"type":"object","properties":{"value":{"type":["string","null"]},)" +
           std::string(kPatternMembers) +
           R"(}}},"next_cursor":{"type":"string"},"complete":{"type":"boolean"},"reason":{"type":"string"}}})",
       R"({"total_records":4,"covered_records":3,"patterns":[{)" + std::string(kPatternExample) +
           R"(}],"complete":true,"reason":"end"})"},
      query_problem_reply(),
      query_unbuilt_reply()};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_pattern_list(parts, request); });
  return route;
}

Route pattern_route(const QueryRouteParts& parts) {
  Route route =
      search_route("GET", "/api/v1/patterns/{id}", "get_pattern", "One template, and what stands in its slots");
  route.use = RouteUse::read;
  route.description =
      "The pattern as in the list, and `slots`: of the newest 10,000 bodies (`bodies`) those that follow the text of "
      "the "
      "template (`aligned`), the values of each slot, ten at most.";
  route.params = {{"id", ParamPlace::path, true, R"({"type":"string"})", "The `_template` of a row."},
                  {"start", ParamPlace::query, false, R"({"type":"string"})", "First instant."},
                  {"end", ParamPlace::query, false, R"({"type":"string"})", "First instant behind the range."}};
  route.replies = {
      {200, "The pattern.", "application/json",
       R"({"type":"object","properties":{)" + std::string(kPatternMembers) +
           R"(,"slots":{"type":"array","items":{"type":"object","properties":{"slot":{"type":"integer"},"distinct":{"type":"integer"},"values":{"type":"array","items":{"type":"object"}}}}},"bodies":{"type":"integer"},"aligned":{"type":"integer"}}})",
       "{" + std::string(kPatternExample) +
           R"(,"slots":[{"slot":0,"distinct":2,"values":[{"value":"12","count":2},{"value":"8","count":1}]}],"bodies":3,"aligned":3})"},
      {404, "No record of the range has this pattern.", "application/problem+json", "", ""}};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_pattern(parts, request); });
  return route;
}

}  // namespace dendro
