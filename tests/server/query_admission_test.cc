#include "server/query_admission.h"

#include <gtest/gtest.h>

#include "tests/server/routes/route_caller.h"

namespace dendro {
namespace {

/// One piece, then the end.
class ShortStream final : public ResponseStream {
 public:
  void next(std::function<void(Piece)> done) override {
    done(std::exchange(is_over_, true) ? std::optional<std::string>() : std::optional<std::string>("piece"));
  }

 private:
  bool is_over_ = false;
};

struct QueryAdmissionFixture : testing::Test {
  QueryAdmissionFixture() {
    Route route;
    route.method = "GET";
    route.path = "/query";
    route.operation_id = "query";
    route.handler = [this](const std::shared_ptr<const HttpRequest>&, const Responder& respond) {
      if (is_held) {
        held.push_back(respond);
      } else if (!is_dropped) {
        HttpResponse response;
        if (is_streamed) response.stream = std::make_unique<ShortStream>();
        respond(std::move(response));
      }
    };
    table.push_back(route);
    route.path = "/other";
    route.operation_id = "create_saved_query";
    table.push_back(std::move(route));
    admit_queries(table, {slots, turns, [this](const TenantId&, bool is_admitted) { notes.push_back(is_admitted); }});
  }
  /// Status of the answer; 0: there is none yet.
  int ask(std::size_t route = 0) {
    auto status = std::make_shared<int>(0);
    table[route].handler(std::make_shared<HttpRequest>(), [status, this](HttpResponse response) {
      *status = response.status;
      last = std::make_shared<HttpResponse>(std::move(response));
    });
    return *status;
  }

  std::uint32_t limit = 1;
  ManualClock clock{Timestamp(0)};
  QuerySlots slots{[this](const TenantId&) { return limit; }};
  QueryTurns turns{{.turns_max = 1, .waiting_max = 1, .waiting_total_max = 10}, clock};
  RouteTable table;
  bool is_held = false, is_streamed = false, is_dropped = false;
  std::vector<Responder> held;
  std::vector<bool> notes;
  std::shared_ptr<HttpResponse> last;
};

TEST_F(QueryAdmissionFixture, OneBehindTheOtherIsRight) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), 200);
  EXPECT_EQ(notes, (std::vector<bool>{true, true, true}));
}

TEST_F(QueryAdmissionFixture, OverTheQuotaIsRefusedAndNamed) {
  is_held = true;
  EXPECT_EQ(ask(), 0);
  EXPECT_EQ(ask(), 429);
  EXPECT_NE(last->body.find("quota.queries_at_once"), std::string::npos);
  EXPECT_EQ(last->headers.find("Retry-After"), "1");
  EXPECT_EQ(notes, (std::vector<bool>{true, false}));
  held[0](HttpResponse());
  held.clear();
  EXPECT_EQ(ask(), 0) << "let in again";
}

TEST_F(QueryAdmissionFixture, OtherRoutesPass) {
  is_held = true;
  EXPECT_EQ(ask(), 0);
  is_held = false;
  EXPECT_EQ(ask(1), 200);
  EXPECT_EQ(notes.size(), 1u);
}

TEST_F(QueryAdmissionFixture, AStreamHoldsItsSlotUntilItsEnd) {
  is_streamed = true;
  EXPECT_EQ(ask(), 200);
  const auto first = last;
  EXPECT_EQ(ask(), 429);
  const auto pull = [&] { first->stream->next([](const ResponseStream::Piece&) {}); };
  pull();
  EXPECT_EQ(ask(), 429);
  pull();  // the end
  EXPECT_EQ(ask(), 200);
  last.reset();  // its reader leaves
  EXPECT_EQ(ask(), 200);
}

TEST_F(QueryAdmissionFixture, AHandlerThatForgetsGivesAllBack) {
  is_dropped = true;
  EXPECT_EQ(ask(), 0);
  is_dropped = false;
  EXPECT_EQ(ask(), 200);
}

TEST_F(QueryAdmissionFixture, WhoWaitsTooLongInLineIsRefused) {
  limit = 0;
  is_held = true;
  EXPECT_EQ(ask(), 0);  // has the turn
  EXPECT_EQ(ask(), 0);  // waits
  EXPECT_EQ(held.size(), 1u);
  EXPECT_EQ(ask(), 429);
  const Responder first = held[0];
  first(HttpResponse());
  EXPECT_EQ(held.size(), 2u) << "its turn came with the first's answer";
}

}  // namespace
}  // namespace dendro
