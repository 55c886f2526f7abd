#include <gtest/gtest.h>

#include <thread>

#include "tests/server/test_server.h"

namespace dendro {
namespace {

using std::chrono::milliseconds;

TEST(HttpStop, AnswersWhatIsInFlightAndCloses) {
  TestServer server;
  server.add_usual();
  Responder pending;
  TestEvent asked;
  server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest>, Responder respond) {
    pending = std::move(respond);
    asked.set();
  });
  server.start();
  RawClient idle(server.port());
  EXPECT_EQ(idle.ask(get("/hello")).status, 200);
  RawClient busy(server.port());
  busy.send(get("/slow"));
  ASSERT_TRUE(asked.wait());
  const std::uint16_t port = server.port();
  std::jthread stopper([&] { server.server->stop(milliseconds(10'000)); });
  EXPECT_TRUE(idle.is_closed_by_peer());
  EXPECT_FALSE(RawClient(port).is_connected());
  std::exchange(pending, nullptr)(plain_text("in time"));
  const RawReply reply = busy.read_reply();
  EXPECT_EQ(reply.body, "in time");
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_TRUE(busy.is_closed_by_peer());
}

TEST(HttpStop, DropsWhatLastsLongerThanTheDrain) {
  TestServer server;
  Responder pending;
  TestEvent asked;
  CancelToken cancel;
  server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest> request, Responder respond) {
    cancel = request->cancel;
    pending = std::move(respond);
    asked.set();
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/slow"));
  RawClient within_head(server.port());
  within_head.send("GET /slow HT");
  ASSERT_TRUE(asked.wait());
  EXPECT_FALSE(cancel.cancelled());
  server.server->stop(milliseconds(50));
  EXPECT_TRUE(cancel.cancelled());
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_TRUE(within_head.is_closed_by_peer());
  server.server.reset();
  std::exchange(pending, nullptr)(plain_text("too late"));  // from any thread, after the end: nothing happens
}

TEST(HttpStop, RespondersThatRunBesideTheEndDoNoHarm) {
  for (int round = 0; round < 20; ++round) {
    TestServer server;
    server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest>, Responder respond) {
      const Status queued = server.workers.submit([respond] {
        std::this_thread::sleep_for(milliseconds(1));
        respond(plain_text("x"));
      });
      EXPECT_TRUE(queued);
    });
    server.start();
    RawClient client(server.port());
    client.send(get("/slow") + get("/slow") + get("/slow"));
    std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
    server.server.reset();
  }
}

TEST(HttpStop, StoppingTwiceIsHarmless) {
  TestServer server;
  server.start();
  server.server->stop(milliseconds(1000));
  server.server->stop(milliseconds(1000));
}

}  // namespace
}  // namespace dendro
