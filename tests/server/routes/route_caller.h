#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_document.h"
#include "server/route.h"

namespace dendro {

/// Calls a handler as a connection would, and waits for its answer.
/// @param pattern  the path of the row, with its {names}; their values stand in `request.path_params`
inline HttpResponse call_route(const std::vector<Route>& routes, std::string_view method, std::string_view pattern,
                               HttpRequest request) {
  request.method = method;
  request.request_id = "req-1";
  request.error_shape = ErrorShape::problem;
  if (request.path.empty()) request.path = pattern;
  for (const Route& route : routes) {
    if (route.method != method || route.path != pattern) continue;
    std::promise<HttpResponse> promise;
    std::future<HttpResponse> reply = promise.get_future();
    route.handler(std::make_shared<HttpRequest>(std::move(request)),
                  [&promise](HttpResponse response) { promise.set_value(std::move(response)); });
    return reply.get();
  }
  ADD_FAILURE() << "no route " << method << " " << pattern;
  return {};
}

struct WholeBody {
  std::string bytes;
  bool was_cut = false;
};
/// Body and stream together.
inline WholeBody read_whole(HttpResponse& response) {
  WholeBody all{response.body, false};
  while (response.stream != nullptr) {
    std::promise<ResponseStream::Piece> promise;
    response.stream->next([&promise](ResponseStream::Piece piece) { promise.set_value(std::move(piece)); });
    const auto piece = promise.get_future().get();
    all.was_cut = !piece.has_value();
    if (!piece.has_value() || !piece->has_value()) break;
    all.bytes += **piece;
  }
  return all;
}

inline JsonValue json_of(const HttpResponse& response) {
  auto document = parse_json_document(response.body);
  EXPECT_TRUE(document.has_value()) << response.body;
  return document ? *document : JsonValue();
}
/// A member that is a text.
inline std::string text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* const member = object.find(name);
  return member == nullptr ? "(none)" : std::string(member->as_string().value_or("(no text)"));
}

}  // namespace dendro
