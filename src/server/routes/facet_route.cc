#include "server/routes/facet_route.h"

#include "base/json_writer.h"
#include "server/routes/query_problem.h"
#include "server/routes/search_route.h"
#include "services/search/facet_list.h"

namespace dendro {
namespace {

std::string facet_list_json(const FacetList& list) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.key("fields");
  writer.begin_array();
  for (const FacetField& field : list.fields) {
    writer.begin_object();
    writer.member("name", field.name);
    writer.member("type", field.type);
    writer.member("records", field.records);
    writer.member("distinct", field.distinct);
    writer.member("distinct_exact", field.distinct_exact);
    writer.key("values");
    writer.begin_array();
    for (const auto& [value, count] : field.values) {
      writer.begin_object();
      writer.member("value", value);
      writer.member("count", count);
      writer.end_object();
    }
    writer.end_array();
    writer.end_object();
  }
  writer.end_array();
  writer.member("fields_total", list.fields_total);
  writer.member("sampled", false);
  writer.member("complete", list.complete);
  writer.member("reason", list.reason);
  writer.end_object();
  return json;
}

Result<FacetListRequest> read_facet_call(const HttpRequest& request, QueryParamFault& fault) {
  QueryExtras extras{{"top", "values", "find"}, {}};
  DENDRO_TRY_ASSIGN(const QueryCall call, read_query_call(request, fault, &extras));
  FacetListRequest asked;
  asked.query = call.request;
  asked.fields = call.request.fields;
  DENDRO_TRY_ASSIGN(asked.top, extras.count("top", asked.top, 1, kFacetFieldsMax, fault));
  DENDRO_TRY_ASSIGN(asked.values, extras.count("values", asked.values, 1, kFacetListValuesMax, fault));
  DENDRO_TRY_ASSIGN(asked.find, extras.text("find", "", fault));
  if (asked.fields.size() > kFacetFieldsMax) {
    fault = {"fields", "must be at most " + std::to_string(kFacetFieldsMax)};
    return Error(ErrorCode::invalid_argument, fault.field + " " + fault.message);
  }
  return asked;
}

HttpResponse answer_facets(const QueryRouteParts& parts, const HttpRequest& request) {
  QueryParamFault param_fault;
  auto asked = read_facet_call(request, param_fault);
  if (!asked) return param_problem(asked.error(), param_fault, request.request_id);
  parts.add_names(asked->query, request.tenant);
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  const QueryRunOptions options = parts.run_options(request);
  const auto ticket = parts.begin(request, "facets", asked->query.query);
  QueryFault fault;
  const auto list = list_facets(*asked, make_snapshot_input(std::move(*snapshot)), options, parts.clock, fault);
  if (!list) {
    if (!fault.message.empty()) return query_problem(fault, request.request_id);
    return error_response(ErrorShape::problem, list.error(), request.request_id);
  }
  return json_response(200, facet_list_json(*list));
}

}  // namespace

Route facet_route(const QueryRouteParts& parts) {
  Route route =
      search_route("POST", "/api/v1/facets", "facets", "The fields of the records that match, and their values");
  route.use = RouteUse::read;
  route.description =
      "Of the `fields`, or of the `top` ones that most records have: the most frequent `values`. Every matching record "
      "is counted. A field with more than 10,000 distinct values has none here, and `distinct_exact` is false. `find` "
      "keeps fields whose name holds a text, whatever its case; `fields_total` counts them all.";
  take_query_body(route,
                  R"("top":{"type":"integer","minimum":1,"maximum":200,"default":20},)"
                  R"("values":{"type":"integer","minimum":1,"maximum":1000,"default":10},"find":{"type":"string"})",
                  R"({"query":"severity:error","start":"now-1h","fields":["service.name"],"values":5})");
  route.replies = {
      {200, "The fields.", "application/json",
       R"({"type":"object","required":["fields","fields_total","sampled"],"properties":{"fields":{"type":"array","items":{"type":"object","properties":{)"
       R"("name":{"type":"string"},"type":{"type":"string"},"records":{"type":"integer"},"distinct":{"type":"integer"},"distinct_exact":{"type":"boolean"},)"
       R"("values":{"type":"array","items":{"type":"object","properties":{"value":{"type":"string"},"count":{"type":"integer"}}}}}}},)"
       R"("fields_total":{"type":"integer"},"sampled":{"type":"boolean"},"complete":{"type":"boolean"},"reason":{"type":"string"}}})",
       R"({"fields":[{"name":"service.name","type":"string","records":3,"distinct":2,"distinct_exact":true,"values":[{"value":"api","count":2},{"value":"web","count":1}]}],"fields_total":1,"sampled":false,"complete":true,"reason":"end"})"},
      query_problem_reply(),
      query_unbuilt_reply()};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_facets(parts, request); });
  return route;
}

}  // namespace dendro
