#include "apps/tail_reader.h"

#include <algorithm>
#include <utility>

#include "apps/url_text.h"
#include "base/json_document.h"

namespace dendro {
namespace {

constexpr std::chrono::milliseconds kFirstWait{500};
constexpr std::chrono::milliseconds kLongestWait{10'000};
/// A tail speaks each second; after this long its server is gone, whatever the socket says.
constexpr std::chrono::seconds kStallTime{30};

HttpClientRequest request_of_tail(const TailCall& call) {
  HttpClientRequest request;
  request.url = call.url + "/api/v1/tail?clip_bytes=0&query=" + percent_encoded(call.query);
  request.headers = {{"Accept", "text/event-stream"}};
  if (!call.since.empty()) request.headers.emplace_back("Last-Event-ID", call.since);
  if (!call.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + call.token);
  request.timeout = std::chrono::milliseconds(0);
  request.stall_timeout = kStallTime;
  request.reply_bytes_max = UINT64_MAX;
  request.cancel = call.cancel;
  return request;
}

std::string detail_of_reply(const HttpClientReply& reply) {
  const auto document = parse_json_document(reply.body);
  const JsonValue* detail = document ? document->find("detail") : nullptr;
  std::string text = "the server answered " + std::to_string(reply.status);
  if (detail != nullptr) text.append(": ").append(detail->as_string().value_or(""));
  return text;
}

bool may_pass(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

TailOutcome follow_tail(HttpClient& client, TailCall call, TailPrinter& printer, std::FILE* err,
                        const std::function<bool(std::chrono::milliseconds)>& wait) {
  bool was_connected = false;
  std::chrono::milliseconds pause = kFirstWait;
  for (;;) {
    EventReader events;
    const HttpBodySink sink = [&](std::string_view bytes) -> Status {
      for (const ServerEvent& event : events.feed(bytes)) {
        DENDRO_TRY(printer.print(event));
        // Only what is printed counts as seen.
        if (!event.id.empty()) call.since = event.id;
        was_connected = true;
        pause = kFirstWait;
      }
      return {};
    };
    const Result<HttpClientReply> reply = client.exchange(request_of_tail(call), sink);
    if (call.cancel.cancelled()) return {};
    std::string why;
    if (!reply) {
      // The sink says "cancelled" when nobody reads our output any more.
      if (reply.error().code() == ErrorCode::cancelled) return {};
      if (reply.error().code() == ErrorCode::invalid_argument) return {2, reply.error().message()};
      if (!was_connected) return {1, reply.error().message()};
      why = reply.error().message();
    } else if (reply->status != 200) {
      why = detail_of_reply(*reply);
      if (!may_pass(reply->status)) return {reply->status == 400 || reply->status == 501 ? 2 : 1, why};
    } else if (printer.end_reason() == "limit") {
      return {};
    } else if (!printer.end_reason().empty() && printer.end_reason() != "shutdown" && printer.end_reason() != "error") {
      return {1, "the server ended the tail: " + printer.end_reason()};
    } else {
      why = "the server ended the connection";
    }
    std::fprintf(err, "-- %s; trying again\n", why.c_str());
    if (!wait(pause)) return {};
    pause = std::min(pause * 2, kLongestWait);
  }
}

}  // namespace dendro
