#include "server/query_admission.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace dendro {
namespace {

/// What a query holds: its turn until the answer begins, its slot until the answer's last byte is made.
struct QueryHold {
  std::shared_ptr<QueryTurns::Turn> turn;
  std::shared_ptr<QuerySlots::Slot> slot;
};

/// Gives the slot back in front of the end, so that a caller who has read it may ask again at once.
class OccupyingStream final : public ResponseStream {
 public:
  OccupyingStream(std::unique_ptr<ResponseStream> stream, std::shared_ptr<QuerySlots::Slot> slot)
      : stream_(std::move(stream)), hold_(std::make_shared<QueryHold>()) {
    hold_->slot = std::move(slot);
  }
  void next(std::function<void(Piece)> done) override {
    stream_->next([hold = hold_, done = std::move(done)](Piece piece) {
      if (!piece || !piece->has_value()) hold->slot.reset();
      done(std::move(piece));
    });
  }

 private:
  const std::unique_ptr<ResponseStream> stream_;
  const std::shared_ptr<QueryHold> hold_;
};

/// Turn and slot end with the answer, or with the last copy of the responder.
Responder holding_responder(Responder respond, QueryHold hold) {
  auto held = std::make_shared<QueryHold>(std::move(hold));
  return [respond = std::move(respond), held](HttpResponse response) {
    if (response.stream != nullptr) {
      response.stream = std::make_unique<OccupyingStream>(std::move(response.stream), std::move(held->slot));
    }
    held->slot.reset();
    respond(std::move(response));
    held->turn.reset();  // behind the answer: the next query begins on this thread
  };
}

HttpHandler admitted(HttpHandler handler, const QueryAdmission& admission) {
  return [handler = std::move(handler), admission](std::shared_ptr<const HttpRequest> request, Responder respond) {
    const TenantId tenant = request->tenant;
    const auto refuse = [&](const Error& error) {
      if (admission.note) admission.note(tenant, false);
      respond(error_response(request->error_shape, error, request->request_id));
    };
    auto slot = admission.slots.take(tenant);
    if (!slot) return refuse(slot.error());
    auto begin = [handler, request, respond, slot = std::move(*slot)](std::shared_ptr<QueryTurns::Turn> turn) mutable {
      handler(request, holding_responder(respond, {std::move(turn), std::move(slot)}));
    };
    if (const Status entered = admission.turns.enter(tenant, std::move(begin)); !entered)
      return refuse(entered.error());
    if (admission.note) admission.note(tenant, true);
  };
}

}  // namespace

bool runs_query(const Route& route) {
  constexpr std::array<std::string_view, 19> kOperations = {"query",
                                                            "query_by_parameters",
                                                            "histogram",
                                                            "facets",
                                                            "patterns",
                                                            "get_pattern",
                                                            "export",
                                                            "get_record",
                                                            "get_record_context",
                                                            "complete_query",
                                                            "list_logs",
                                                            "get_log",
                                                            "export_logs",
                                                            "list_audit_trail",
                                                            "log_stats",
                                                            "count_logs",
                                                            "count_logs_by_severity",
                                                            "count_logs_by_action",
                                                            "count_logs_by_day"};
  return std::ranges::find(kOperations, route.operation_id) != kOperations.end();
}

void admit_queries(RouteTable& table, const QueryAdmission& admission) {
  for (Route& route : table) {
    if (runs_query(route)) route.handler = admitted(std::move(route.handler), admission);
  }
}

}  // namespace dendro
