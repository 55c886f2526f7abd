#include "server/routes/query_help_routes.h"

#include <utility>

#include "base/json_document.h"
#include "base/json_writer.h"
#include "filter/time_literal.h"
#include "query/language/filter_chips.h"
#include "query/language/query_parser.h"
#include "query/translate/translation.h"
#include "server/routes/query_problem.h"
#include "server/routes/search_route.h"

namespace dendro {
namespace {

HttpResponse help_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}

/// A member that must be a text; `fallback` where it is absent.
Result<std::string> text_member(const JsonValue& object, std::string_view name,
                                std::optional<std::string> fallback = std::nullopt) {
  const JsonValue* const member = object.find(name);
  if (member == nullptr && fallback) return *std::move(fallback);
  if (member != nullptr && member->is_string()) return std::string(*member->as_string());
  return Error(ErrorCode::invalid_argument,
               std::string(name) + (member == nullptr ? ": is missing" : ": must be a text"));
}

std::string_view completion_kind_name(CompletionItem::Kind kind) {
  switch (kind) {
    case CompletionItem::Kind::field:
      return "field";
    case CompletionItem::Kind::value:
      return "value";
    case CompletionItem::Kind::operation:
      return "operator";
    case CompletionItem::Kind::saved:
      break;
  }
  return "saved";
}

Result<CompletionRequest> read_completion(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  CompletionRequest completion;
  DENDRO_TRY_ASSIGN(completion.query, text_member(body, "query"));
  DENDRO_TRY_ASSIGN(completion.start, text_member(body, "start", ""));
  DENDRO_TRY_ASSIGN(completion.end, text_member(body, "end", ""));
  completion.offset = completion.query.size();
  if (const JsonValue* const offset = body.find("offset")) {
    const auto number = offset->as_int();
    if (!number || *number < 0)
      return Error(ErrorCode::invalid_argument, "offset: must be a number of bytes from 0 on");
    completion.offset = static_cast<std::size_t>(*number);
  }
  completion.now = request.received;
  return completion;
}

HttpResponse answer_completion(const QueryRouteParts& parts, const SavedNames& saved_names,
                               const HttpRequest& request) {
  const auto wanted = read_completion(request);
  if (!wanted) return help_problem(wanted.error(), request);
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return help_problem(snapshot.error(), request);
  QueryRunOptions options;
  options.cancel = request.cancel;
  options.limits = parts.limits;
  const auto found =
      complete_query(*wanted, make_snapshot_input(std::move(*snapshot)), std::move(options), parts.clock, saved_names);
  if (!found) return help_problem(found.error(), request);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("first", found->first);
  json.member("last", found->last);
  json.key("items");
  json.begin_array();
  for (const CompletionItem& item : found->items) {
    json.begin_object();
    json.member("text", item.text);
    json.member("kind", completion_kind_name(item.kind));
    if (item.count) json.member("count", *item.count);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json_response(200, std::move(text));
}

Result<FilterEdit> read_edit(const JsonValue& body) {
  const JsonValue* const add = body.find("add");
  const JsonValue* const remove = body.find("remove");
  if ((add == nullptr) == (remove == nullptr)) {
    return Error(ErrorCode::invalid_argument, "the body must have one of add and remove");
  }
  const JsonValue& change = add != nullptr ? *add : *remove;
  FilterEdit edit;
  edit.action = add != nullptr ? FilterEdit::Action::add : FilterEdit::Action::remove;
  DENDRO_TRY_ASSIGN(edit.field, text_member(change, "field"));
  DENDRO_TRY_ASSIGN(edit.op, text_member(change, "op"));
  DENDRO_TRY_ASSIGN(edit.value, text_member(change, "value"));
  return edit;
}

HttpResponse answer_edit(const HttpRequest& request) {
  const auto body = parse_json_document(request.body);
  if (!body) return help_problem(body.error(), request);
  const auto text = text_member(*body, "query");
  if (!text) return help_problem(text.error(), request);
  const auto edit = read_edit(*body);
  if (!edit) return help_problem(edit.error(), request);
  ParseOptions options;
  options.time.now = request.received;
  QueryFault fault;
  const auto parsed = parse_query(*text, options, fault);
  if (!parsed) return query_problem(fault, request.request_id);
  const auto edited = edit_filter(*text, *parsed, *edit);
  if (!edited) return help_problem(edited.error(), request);
  const auto again = parse_query(*edited, options, fault);
  if (!again) return query_problem(fault, request.request_id);
  std::string answer;
  JsonWriter json(answer);
  json.begin_object();
  json.member("query", *edited);
  json.key("chips");
  write_chips(json, filter_chips(*again));
  json.end_object();
  return json_response(200, std::move(answer));
}

Result<Translation> translate(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const JsonValue body, parse_json_document(request.body));
  DENDRO_TRY_ASSIGN(const std::string text, text_member(body, "query"));
  DENDRO_TRY_ASSIGN(const std::string between, text_member(body, "default_operator", "or"));
  if (between != "or" && between != "and") {
    return Error(ErrorCode::invalid_argument, "default_operator: must be or, or and");
  }
  const std::string_view from = request.query_param("from").value_or("");
  if (from == "insights") return translate_insights(text);
  if (from == "logql") {
    DENDRO_TRY_ASSIGN(const std::string step, text_member(body, "step", ""));
    const auto step_ns = step.empty() ? std::optional<std::int64_t>(0) : parse_duration(step);
    if (!step_ns || *step_ns < 0 || (!step.empty() && *step_ns == 0))
      return Error(ErrorCode::invalid_argument, "step: must be a duration such as 1m");
    return translate_logql(text, *step_ns);
  }
  const bool is_kql = from == "kql";
  if (!is_kql && from != "lucene")
    return Error(ErrorCode::invalid_argument, "from: must be logql, lucene, kql or insights");
  return translate_lucene(text, is_kql ? LuceneDialect::kql : LuceneDialect::query_string,
                          between == "and" ? LuceneOperator::all : LuceneOperator::any);
}

HttpResponse answer_translation(const HttpRequest& request) {
  const auto translation = translate(request);
  if (!translation) return help_problem(translation.error(), request);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("query", translation->query);
  json.member("warnings", translation->warnings);
  json.end_object();
  return json_response(200, std::move(text));
}

}  // namespace

std::vector<Route> query_help_routes(const QueryRouteParts& parts,
                                     std::function<SavedNames(const TenantId&)> saved_names_of) {
  std::vector<Route> routes;
  Route complete = search_route("POST", "/api/v1/complete", "complete_query", "What could stand at the caret");
  complete.use = RouteUse::read;
  complete.description =
      "Fields and values of the newest records of the range, pipes, functions, saved filters. `first` and `last` are "
      "the bytes of the query that an item's `text` takes the place of.";
  complete.request_content_type = "application/json";
  complete.request_schema_json =
      R"({"type":"object","required":["query"],"properties":{"query":{"type":"string"},"offset":{"type":"integer",)"
      R"("minimum":0,"description":"bytes; default the end"},"start":{"type":"string"},"end":{"type":"string"}}})";
  complete.request_example = R"({"query":"severity:er","offset":11})";
  complete.replies = {{200,
                       "At most 50, the most frequent first.",
                       "application/json",
                       {},
                       R"({"first":9,"last":11,"items":[{"text":"error","kind":"value","count":42}]})"},
                      query_problem_reply()};
  complete.handler = on_workers(parts.workers, [parts, saved_names_of](const HttpRequest& request) {
    return answer_completion(parts, saved_names_of(request.tenant), request);
  });
  routes.push_back(std::move(complete));

  Route edit = search_route("POST", "/api/v1/query/edit", "edit_query", "A query with one condition more or less");
  edit.use = RouteUse::none;
  edit.description =
      "The rest of the text stays as it was written; quoting is done here. `only` takes the place of whatever the "
      "filter asks of the field.";
  edit.request_content_type = "application/json";
  edit.request_schema_json =
      R"({"type":"object","required":["query"],"properties":{"query":{"type":"string"},"add":{"type":"object",)"
      R"("required":["field","op","value"],"properties":{"field":{"type":"string"},"op":{"enum":["=","!=","only"]},)"
      R"("value":{"type":"string"}}},"remove":{"type":"object"}}})";
  edit.request_example = R"({"query":"error | limit 5","add":{"field":"user","op":"=","value":"a b"}})";
  edit.replies = {{200,
                   "The text, and the conditions that `and` joins on top of it.",
                   "application/json",
                   {},
                   R"({"query":"error user:=\"a b\" | limit 5","chips":[{"field":"","op":":","value":"error",)"
                   R"("first":0,"last":5},{"field":"user","op":"=","value":"a b","first":6,"last":18}]})"},
                  query_problem_reply()};
  edit.handler = on_workers(parts.workers, [](const HttpRequest& request) { return answer_edit(request); });
  routes.push_back(std::move(edit));

  Route translate =
      search_route("POST", "/api/v1/translate", "translate_query", "A query of another language in this one");
  translate.use = RouteUse::none;
  translate.description =
      "LogQL, query strings of Lucene (Elasticsearch, Grafana), KQL (Kibana), CloudWatch Logs Insights. What has no "
      "equivalent is a 400 that says where; `warnings` are what means a little less or more than there.\n\nA metric "
      "query of LogQL becomes a table: a column for each label (or `_stream`), `_time`, every `step`, and `value`.";
  translate.params = {
      {"from", ParamPlace::query, true, R"({"enum":["logql","lucene","kql","insights"]})", "The other language."}};
  translate.request_content_type = "application/json";
  translate.request_schema_json =
      R"({"type":"object","required":["query"],"properties":{"query":{"type":"string"},"default_operator":)"
      R"({"enum":["or","and"],"default":"or","description":"lucene, kql: between clauses side by side"},"step":)"
      R"({"type":"string","description":"logql: time between two values of a metric, such as 1m; default its range, one hour at most"}}})";
  translate.request_example = R"({"query":"status:[500 TO *] AND message:timeout"})";
  translate.replies = {{200,
                        "The translation, which parses.",
                        "application/json",
                        {},
                        R"x({"query":"status:>=500 body:i(timeout)","warnings":[]})x"},
                       {400, "It has no translation.", "application/problem+json", {}, {}}};
  translate.handler = on_workers(parts.workers, [](const HttpRequest& request) { return answer_translation(request); });
  routes.push_back(std::move(translate));
  return routes;
}

}  // namespace dendro
