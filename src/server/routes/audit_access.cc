#include "server/routes/audit_access.h"

#include <memory>
#include <utility>

namespace dendro {
namespace {

bool has_read_something(int status) {
  constexpr int kNotFound = 404;
  return status < 400 || status == kNotFound;
}

}  // namespace

AccessEntry access_entry_of(const HttpRequest& request, std::string_view action) {
  AccessEntry entry;
  entry.tenant = request.tenant;
  entry.timestamp = request.received;
  if (request.principal != nullptr) {
    entry.user_id = request.principal->id;
    entry.token_id = request.principal->token_id;
  }
  entry.action = action;
  entry.resource_path = request.path;
  entry.query_params = request.query;
  entry.ip_address = request.client_address.empty() ? request.peer_address : request.client_address;
  entry.request_id = request.request_id;
  return entry;
}

void respond_recorded(AccessRecorder& recorder, AccessEntry entry, const HttpRequest& request, HttpResponse response,
                      const Responder& respond) {
  auto waiting = std::make_shared<HttpResponse>(std::move(response));
  recorder.record(std::move(entry), [waiting, respond, shape = request.error_shape,
                                     request_id = request.request_id](const Status& recorded) {
    respond(recorded ? std::move(*waiting) : error_response(shape, recorded.error(), request_id));
  });
}

HttpHandler on_workers_recorded(WorkerPool& pool, AccessRecorder& recorder, std::string action,
                                std::function<HttpResponse(const HttpRequest&)> work) {
  HttpHandler answer = on_workers(pool, std::move(work));
  return [&recorder, answer = std::move(answer), action = std::move(action)](
             const std::shared_ptr<const HttpRequest>& request, const Responder& respond) {
    answer(request, [&recorder, request, respond, action](HttpResponse response) {
      if (!has_read_something(response.status)) return respond(std::move(response));
      respond_recorded(recorder, access_entry_of(*request, action), *request, std::move(response), respond);
    });
  };
}

}  // namespace dendro
