#include "server/routes/histogram_route.h"

#include "base/json_writer.h"
#include "server/routes/query_problem.h"
#include "server/routes/search_route.h"
#include "services/search/histogram.h"

namespace dendro {
namespace {

std::string histogram_json(const Histogram& histogram) {
  std::string json;
  JsonWriter writer(json);
  writer.begin_object();
  writer.member("bucket_ns", histogram.bucket_ns);
  writer.key("times");
  writer.begin_array();
  for (const Timestamp start : histogram.starts) writer.value(to_rfc3339(start));
  writer.end_array();
  writer.key("series");
  writer.begin_array();
  for (const Histogram::Series& series : histogram.series) {
    writer.begin_object();
    writer.member("key", series.key);
    if (series.is_rest) writer.member("rest", true);
    writer.key("counts");
    writer.begin_array();
    for (const std::uint64_t count : series.counts) writer.value(count);
    writer.end_array();
    writer.end_object();
  }
  writer.end_array();
  writer.member("total", histogram.total);
  writer.member("exact", histogram.exact);
  writer.member("complete", histogram.complete);
  writer.member("reason", histogram.reason);
  writer.end_object();
  return json;
}

HttpResponse answer_histogram(const QueryRouteParts& parts, const HttpRequest& request) {
  QueryParamFault param_fault;
  QueryExtras extras{{"by", "buckets_max"}, {}};
  const auto call = read_query_call(request, param_fault, &extras);
  if (!call) return param_problem(call.error(), param_fault, request.request_id);
  HistogramRequest asked;
  asked.query = call->request;
  parts.add_names(asked.query, request.tenant);
  const auto by = extras.text("by", asked.by, param_fault);
  if (!by) return param_problem(by.error(), param_fault, request.request_id);
  asked.by = *by;
  const auto buckets = extras.count("buckets_max", asked.buckets_max, 1, kHistogramBucketsMax, param_fault);
  if (!buckets) return param_problem(buckets.error(), param_fault, request.request_id);
  asked.buckets_max = *buckets;
  auto snapshot = parts.snapshot(request);
  if (!snapshot) return error_response(ErrorShape::problem, snapshot.error(), request.request_id);
  const QueryRunOptions options = parts.run_options(request);
  const auto ticket = parts.begin(request, "histogram", asked.query.query);
  QueryFault fault;
  const auto histogram = count_histogram(asked, make_snapshot_input(std::move(*snapshot)), options, parts.clock, fault);
  if (!histogram) {
    if (!fault.message.empty()) return query_problem(fault, request.request_id);
    return error_response(ErrorShape::problem, histogram.error(), request.request_id);
  }
  HttpResponse response = json_response(200, histogram_json(*histogram));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

Route histogram_route(const QueryRouteParts& parts) {
  Route route = search_route("POST", "/api/v1/histogram", "histogram", "How many records match, over time");
  route.use = RouteUse::read;
  route.description =
      "Counts the records that the filter keeps, with the `where` pipes right behind it: what the query calls "
      "`matched`; later pipes, `limit`, `cursor` and `fields` mean nothing here. Buckets have the narrowest step "
      "people "
      "count in, and begin at round times of `tz`. The five most frequent values of `by` have a series each, the rest "
      "is "
      "the series with `rest`; key \"\" is records without the field. `complete: false` says that time or memory ran "
      "out, and `reason` which.";
  take_query_body(route,
                  R"("by":{"type":"string","default":"severity","description":"field"},)"
                  R"("buckets_max":{"type":"integer","minimum":1,"maximum":2000,"default":120})",
                  R"({"query":"service:api","start":"now-1h","end":"now","tz":"Europe/Berlin","buckets_max":60})");
  route.replies = {
      {200, "The counts.", "application/json",
       R"({"type":"object","required":["bucket_ns","times","series","total","exact","complete"],"properties":{)"
       R"("bucket_ns":{"type":"integer"},"times":{"type":"array","items":{"type":"string"}},)"
       R"("series":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"rest":{"type":"boolean"},"counts":{"type":"array","items":{"type":"integer"}}}}},)"
       R"("total":{"type":"integer"},"exact":{"type":"boolean"},"complete":{"type":"boolean"},"reason":{"type":"string"}}})",
       R"({"bucket_ns":60000000000,"times":["2026-11-20T10:00:00.000000000Z","2026-11-20T10:01:00.000000000Z"],)"
       R"("series":[{"key":"info","counts":[40,38]},{"key":"error","counts":[2,0]}],"total":80,"exact":true,"complete":true,"reason":"end"})"},
      query_problem_reply(),
      query_unbuilt_reply()};
  route.handler =
      on_workers(parts.workers, [parts](const HttpRequest& request) { return answer_histogram(parts, request); });
  return route;
}

}  // namespace dendro
