#include "apps/query_remote.h"

#include "apps/cli.h"
#include "base/json_document.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

std::string request_json(const QueryRequest& request, const std::string& format) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member("query", request.query);
  json.member("format", format);
  if (!request.start.empty()) json.member("start", request.start);
  if (!request.end.empty()) json.member("end", request.end);
  if (!request.tz.empty()) json.member("tz", request.tz);
  if (request.limit) json.member("limit", *request.limit);
  if (!request.cursor.empty()) json.member("cursor", request.cursor);
  if (request.order == ScanOrder::oldest_first) json.member("order", "asc");
  if (!request.fields.empty()) {
    json.member("fields", request.fields);
  }
  json.member("clip_bytes", request.clip_bytes);
  json.member("timeout_ms", std::int64_t{request.timeout.count()});
  if (!request.default_field.empty()) json.member("default_field", request.default_field);
  json.member("exact", request.exact);
  if (request.explain == ExplainMode::analyze) json.member("explain", true);
  if (request.explain == ExplainMode::plan) json.member("explain", "plan");
  json.member("progress", request.progress);
  json.end_object();
  return body;
}

/// Prints the rows of an NDJSON answer and keeps its last line, which says how it ended.
class EnvelopeFilter {
 public:
  explicit EnvelopeFilter(std::FILE* out) : out_(out) {}

  Status take(std::string_view bytes) {
    pending_.append(bytes);
    std::size_t first = 0;
    for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', first)) {
      const std::string_view line = std::string_view(pending_).substr(first, end + 1 - first);
      first = end + 1;
      if (line.starts_with("{\"_status\":")) {
        status_ = line;
      } else if (!line.starts_with("{\"_meta\":") && !line.starts_with("{\"_progress\":")) {
        if (std::fwrite(line.data(), 1, line.size(), out_) != line.size())
          return Error(ErrorCode::cancelled, "standard output was closed");
      }
    }
    pending_.erase(0, first);
    std::fflush(out_);
    return {};
  }
  const std::string& status_line() const { return status_; }

 private:
  std::FILE* out_;
  std::string pending_;
  std::string status_;
};

std::string text_member(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->as_string().value_or(""));
}

/// What the status line says on stderr; the exit code.
int report_status(const std::string& line, CommandIo& io) {
  const Result<JsonValue> document = parse_json_document(line);
  const JsonValue* status = document ? document->find("_status") : nullptr;
  if (status == nullptr) return report_failure(io, "query", "the answer broke off", 1);
  if (const JsonValue* warnings = status->find("warnings")) {
    for (const JsonValue& warning : warnings->elements())
      std::fprintf(io.err, "warning: %s\n", text_member(warning, "message").c_str());
  }
  const JsonValue* complete = status->find("complete");
  const std::string reason = text_member(*status, "reason");
  if ((complete != nullptr && complete->as_bool().value_or(false)) || reason == "limit") return 0;
  const JsonValue* error = status->find("error");
  const std::string detail = error == nullptr ? std::string() : text_member(*error, "detail");
  return report_failure(io, "query",
                        "the answer is incomplete (" + reason + ")" + (detail.empty() ? "" : ": " + detail), 1);
}

int report_problem(const HttpClientReply& reply, CommandIo& io) {
  const Result<JsonValue> document = parse_json_document(reply.body);
  const std::string detail = document ? text_member(*document, "detail") : std::string();
  return report_failure(io, "query",
                        "the server answered " + std::to_string(reply.status) + (detail.empty() ? "" : ": " + detail),
                        reply.status == 400 ? 2 : 1);
}

}  // namespace

RemoteOutcome run_remote_query(const RemoteQuery& remote, const QueryRequest& request, CommandIo& io) {
  HttpClientRequest http;
  http.method = "POST";
  http.url = remote.url + "/api/v1/query";
  http.headers = {{"Content-Type", "application/json"}};
  if (!remote.token.empty()) http.headers.emplace_back("Authorization", "Bearer " + remote.token);
  http.body = request_json(request, remote.format);
  http.timeout = std::chrono::milliseconds(0);  // the query's own limit ends it
  http.reply_bytes_max = UINT64_MAX;
  EnvelopeFilter filter(io.out);
  const bool is_ndjson = remote.format == "ndjson";
  const HttpBodySink sink = [&](std::string_view bytes) -> Status {
    if (is_ndjson) return filter.take(bytes);
    if (std::fwrite(bytes.data(), 1, bytes.size(), io.out) == bytes.size()) return {};
    return Error(ErrorCode::cancelled, "standard output was closed");
  };
  const Result<HttpClientReply> reply = remote.client.exchange(http, sink);
  if (!reply) {
    if (reply.error().code() == ErrorCode::unavailable) {
      return {false, 1, reply.error().message()};
    }
    return {true,
            reply.error().code() == ErrorCode::cancelled ? 1 : report_failure(io, "query", reply.error().message(), 1),
            {}};
  }
  if (reply->status != 200) return {true, report_problem(*reply, io), {}};
  return {true, is_ndjson ? report_status(filter.status_line(), io) : 0, {}};
}

}  // namespace dendro
