#include "server/routes/ingest_routes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/checksum.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "ingest/decode_ingest.h"
#include "ingest/limits.h"
#include "server/routes/ingest_params.h"

namespace dendro {
namespace {

constexpr std::string_view kDialect = "ingest";

/// What a reply needs once the request itself has been let go.
struct ReplyContext {
  ErrorShape error_shape = ErrorShape::problem;
  std::string request_id;
  std::vector<IngestError> errors;
  Responder respond;

  void fail(const Error& error) const { respond(error_response(error_shape, error, request_id)); }
};

struct IngestCounts {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  bool replayed = false;
};

std::string errors_json(const std::vector<IngestError>& errors) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const IngestError& error : errors) {
    json.begin_object();
    json.member("index", error.index);
    json.member("reason", reject_reason_name(error.reason));
    json.member("detail", error.detail);
    json.end_object();
  }
  json.end_array();
  return out;
}

void write_counts(JsonWriter& json, const IngestCounts& counts) {
  json.member("accepted", counts.accepted);
  json.member("rejected", counts.rejected);
  json.member("replayed", counts.replayed);
}

/// 200, or 400 where something was rejected and nothing accepted: then a problem with the same errors, and the counts
/// behind.
HttpResponse ingest_response(const ReplyContext& context, const IngestCounts& counts) {
  HttpResponse response;
  if (counts.accepted == 0 && counts.rejected > 0) {
    const std::string detail = "none of the " + std::to_string(counts.rejected) + " records could be taken";
    const std::string errors = errors_json(context.errors);
    response = error_response(context.error_shape, 400, error_code_name(ErrorCode::invalid_argument), detail,
                              context.request_id, {errors, {}});
    std::string more;
    JsonWriter json(more);
    json.begin_object();
    write_counts(json, counts);
    json.end_object();
    response.body.back() = ',';
    response.body.append(more, 1);
  } else {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    write_counts(json, counts);
    json.key("errors");
    json.raw(errors_json(context.errors));
    json.end_object();
    response = json_response(200, std::move(body));
  }
  if (counts.replayed) response.headers.add("Idempotency-Replayed", "true");
  return response;
}

Result<std::optional<BatchKey>> retry_key_of(const HttpRequest& request) {
  const std::optional<std::string_view> key = request.headers.find("Idempotency-Key");
  if (!key) return std::optional<BatchKey>();
  if (key->empty() || key->size() > kMaxIdempotencyKeyBytes) {
    return Error(ErrorCode::invalid_argument, "Idempotency-Key: must have 1 to " +
                                                  std::to_string(kMaxIdempotencyKeyBytes) + " characters, has " +
                                                  std::to_string(key->size()));
  }
  return std::optional(BatchKey{batch_key_id(request.tenant, kDialect, *key), xxh3_128(request.body)});
}

/// Answered as soon as the commit is queued; a failure afterwards is known to the own log alone.
void commit_to_memory(RecordSink& sink, CommitRequest commit, const std::shared_ptr<ReplyContext>& context) {
  const IngestCounts counts{commit.accepted, commit.rejected, false};
  const auto on_done = [request_id = context->request_id](Result<CommitReply> reply) {
    if (reply) return;
    log(LogLevel::error, "ingest", "records acknowledged from memory are lost",
        {{"request_id", request_id}, {"error", reply.error().message()}});
  };
  if (const Status queued = sink.append(std::move(commit), on_done); !queued) return context->fail(queued.error());
  context->respond(ingest_response(*context, counts));
}

void commit_to_disk(RecordSink& sink, CommitRequest commit, const std::shared_ptr<ReplyContext>& context) {
  const auto on_done = [context](Result<CommitReply> reply) {
    if (!reply) return context->fail(reply.error());
    context->respond(ingest_response(*context, {reply->accepted, reply->rejected, reply->replayed}));
  };
  if (const Status queued = sink.append(std::move(commit), on_done); !queued) context->fail(queued.error());
}

/// On a worker: decodes and hands over. The request, and with it the body, is let go before the commit.
void ingest(RecordSink& sink, std::shared_ptr<const HttpRequest> request, Responder respond) {
  auto context = std::make_shared<ReplyContext>();
  context->error_shape = request->error_shape;
  context->request_id = request->request_id;
  context->respond = std::move(respond);

  const Result<std::optional<BatchKey>> key = retry_key_of(*request);
  if (!key) return context->fail(key.error());
  const Result<IngestParams> params = parse_ingest_params(*request);
  if (!params) return context->fail(params.error());

  IngestRequest decode_request;
  decode_request.body = request->body;
  decode_request.content_type = request->headers.find("Content-Type").value_or("");
  decode_request.request_id = request->request_id;
  decode_request.receive_time = request->received;
  Result<DecodedRequest> decoded = decode_ingest(decode_request, params->options);
  if (!decoded) return context->fail(decoded.error());
  context->errors = std::move(decoded->errors);
  if (decoded->batches.empty()) return context->respond(ingest_response(*context, {}));

  CommitRequest commit = to_commit_request(std::move(decoded).value(), request->tenant, request->received);
  commit.key = *key;
  request.reset();
  // A key's first reply is only known when the commit is done.
  const bool from_memory = params->ack == IngestAck::memory && !commit.key;
  (from_memory ? commit_to_memory : commit_to_disk)(sink, std::move(commit), context);
}

HttpHandler ingest_handler(WorkerPool& pool, RecordSink& sink) {
  return [&pool, &sink](std::shared_ptr<const HttpRequest> request, const Responder& respond) {
    auto task = [&sink, request, respond]() mutable { ingest(sink, std::move(request), std::move(respond)); };
    if (const Status queued = pool.submit(std::move(task)); !queued) {
      respond(error_response(request->error_shape, queued.error(), request->request_id));
    }
  };
}

std::vector<RouteParam> ingest_params_described() {
  constexpr const char* kText = R"({"type":"string"})";
  return {
      {"format", ParamPlace::query, false, R"({"type":"string","enum":["auto","json","text"],"default":"auto"})",
       "How the body is laid out. Without it `application/json`, `application/x-ndjson` and `text/plain` are believed, "
       "and "
       "anything else is told by its first byte: `{` or `[` is JSON, else text."},
      {"time_field", ParamPlace::query, false, kText,
       "Names tried for the time before the usual ones, separated by commas."},
      {"body_field", ParamPlace::query, false, kText,
       "Names tried for the body before the usual ones, separated by commas."},
      {"severity_field", ParamPlace::query, false, kText,
       "Names tried for the severity before the usual ones, separated by commas."},
      {"stream_fields", ParamPlace::query, false, kText,
       "Names, or first parts of names, that become labels of the stream, instead of "
       "`service host cloud container k8s kubernetes deployment agent os faas`."},
      {"resource.<name>", ParamPlace::query, false, kText,
       "A label of every record of this request that has none of that name."},
      {"ack", ParamPlace::query, false, R"({"type":"string","enum":["disk","memory"],"default":"disk"})",
       "`memory` answers when the records are queued, before they are durable and visible. With an `Idempotency-Key` "
       "the answer "
       "waits for the disk all the same. Also as header `X-Dendro-Ack`."},
      {"Idempotency-Key", ParamPlace::header, false, R"({"type":"string","minLength":1,"maxLength":128})",
       "Makes a retry safe: within 24 hours a request with a known key stores nothing and gets the first reply again."},
  };
}

std::vector<RouteReply> ingest_replies_described() {
  constexpr const char* kProblem = "application/problem+json";
  constexpr const char* kReplySchema =
      R"({"type":"object","required":["accepted","rejected","replayed","errors"],"properties":{"accepted":{"type":"integer"},)"
      R"("rejected":{"type":"integer"},"replayed":{"type":"boolean"},"errors":{"type":"array","maxItems":100,"items":)"
      R"({"type":"object","properties":{"index":{"type":"integer"},"reason":{"type":"string","enum":["parse_error",)"
      R"("record_too_large","too_old","too_new","name_too_long"]},"detail":{"type":"string"}}}}}})";
  return {
      {200, "Durable, unless `ack=memory`. Rejected records are in the dead-letter stream.", "application/json",
       kReplySchema, R"({"accepted":2,"rejected":0,"replayed":false,"errors":[]})"},
      {400, "Nothing could be taken, or a parameter is wrong.", kProblem, {}, {}},
      {409, "The key is known with another body.", kProblem, {}, {}},
      {413, "The body is over 64 MiB when unpacked.", kProblem, {}, {}},
      {429, "Busy: send the whole request again after `Retry-After` seconds.", kProblem, {}, {}},
      {501, "The format is known but not built yet.", kProblem, {}, {}},
      {503, "Starting or shutting down: send again after `Retry-After` seconds.", kProblem, {}, {}},
      {507, "The disk is full: nothing of the request was stored.", kProblem, {}, {}},
  };
}

Route ingest_route(std::string path, std::string operation_id, std::string summary, WorkerPool& pool,
                   RecordSink& sink) {
  Route route;
  route.method = "POST";
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::audit);
  route.permission = Permission::ingest;
  route.use = RouteUse::none;
  route.operation_id = std::move(operation_id);
  route.group = "Ingest";
  route.summary = std::move(summary);
  route.description =
      "Takes one JSON object, an array of objects, NDJSON, concatenated or pretty-printed objects, or plain text, a "
      "record a "
      "line; packed with gzip, zstd or deflate if it says so. NDJSON is split on LF first, so one broken line costs "
      "one record: "
      "it goes to the dead-letter stream (`dendro.source=\"dead_letter\"`) and is listed in the reply by its index. A "
      "request "
      "that is refused as busy is refused as a whole.";
  route.params = ingest_params_described();
  route.request_content_type = "application/x-ndjson";
  route.request_example =
      R"({"_time":"2026-11-20T10:00:00Z","severity":"info","service.name":"api","body":"GET /users 200"})";
  route.replies = ingest_replies_described();
  route.errors = ErrorShape::problem;  // a native route on every listener (five-systems.md 1.5)
  route.body_bytes_max = kMaxIngestBodyBytes;
  route.handler = ingest_handler(pool, sink);
  return route;
}

}  // namespace

std::vector<Route> make_ingest_routes(WorkerPool& pool, RecordSink& sink) {
  std::vector<Route> routes;
  routes.push_back(ingest_route("/api/v1/ingest", "ingest", "Store log records", pool, sink));
  routes.push_back(
      ingest_route("/api/v1/ingest/bulk", "ingest_bulk", "Store log records (alias of /api/v1/ingest)", pool, sink));
  return routes;
}

}  // namespace dendro
