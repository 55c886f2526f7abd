#include <gtest/gtest.h>

#include <thread>

#include "tests/server/test_server.h"

namespace dendro {
namespace {

using std::chrono::milliseconds;

/// Reads what `client` gets while time passes on the server in steps of a second, for at most `span`.
/// The steps are taken by another thread because reading blocks.
class TimePasses {
 public:
  explicit TimePasses(TestServer& server)
      : thread_([&server](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            server.advance(milliseconds(1000));
            std::this_thread::sleep_for(milliseconds(10));
          }
        }) {}

 private:
  std::jthread thread_;
};

std::uint64_t received_bytes(const TestServer& server) {
  constexpr std::string_view kName = "\ndendro_http_received_bytes_total ";
  const std::string text = server.metrics.text();
  return std::stoull(text.substr(text.find(kName) + kName.size()));
}

TEST(ConnectionLimits, SlowHeadGets408) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.send("GET /hello HTTP/1.1\r\nHo");
  const TimePasses passing(server);
  const RawReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_GE(server.clock.monotonic(), std::chrono::seconds(10));
  EXPECT_LT(server.clock.monotonic(), std::chrono::seconds(200));
}

TEST(ConnectionLimits, StalledBodyGets408) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
  const TimePasses passing(server);
  EXPECT_EQ(client.read_reply().status, 408);
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_GE(server.clock.monotonic(), std::chrono::seconds(60));
  EXPECT_LT(server.clock.monotonic(), std::chrono::seconds(300));
}

TEST(ConnectionLimits, TricklingBodyGets408) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
  const std::jthread trickle([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && client.send("x")) std::this_thread::sleep_for(milliseconds(2));
  });
  const TimePasses passing(server);
  EXPECT_EQ(client.read_reply().status, 408) << "it never stalled";
  EXPECT_GE(server.clock.monotonic(), std::chrono::seconds(60));
  EXPECT_LT(server.clock.monotonic(), std::chrono::seconds(300));
}

TEST(ConnectionLimits, ALongBodyMayTakeItsTime) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n");
  for (std::uint64_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(client.send(std::string(i < 6 ? 10'000 : 9'999, 'x')));
    while (received_bytes(server) < i * 9'999) std::this_thread::yield();
    server.advance(std::chrono::seconds(50));
    std::this_thread::sleep_for(milliseconds(20));  // four sweeps look at it
  }
  client.send("x");
  EXPECT_EQ(client.read_reply().status, 200) << "five minutes at 200 bytes a second";
}

TEST(ConnectionLimits, IdleConnectionsAreClosedWithoutAWord) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient fresh(server.port());
  RawClient used(server.port());
  EXPECT_EQ(used.ask(get("/hello")).body, "hello");
  const TimePasses passing(server);
  EXPECT_TRUE(used.is_closed_by_peer());
  EXPECT_GE(server.clock.monotonic(), std::chrono::seconds(75));
  EXPECT_LT(server.clock.monotonic(), std::chrono::seconds(300));
  EXPECT_TRUE(fresh.is_closed_by_peer());
}

TEST(ConnectionLimits, PeerThatTakesNothingIsDropped) {
  TestServer server;
  const std::string big(50'000'000, 'y');
  TestEvent asked;
  server.add_plain("GET", "/big", [&](const HttpRequest&) {
    asked.set();
    return plain_text(big);
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/big"));
  ASSERT_TRUE(asked.wait());
  const TimePasses passing(server);
  while (server.metrics.text().find("dendro_http_connections 0\n") == std::string::npos) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_FALSE(client.read_reply().is_whole);
}

TEST(ConnectionLimits, AHandlerMayTakeLongerThanAnyTimeOut) {
  TestServer server;
  Responder pending;
  TestEvent asked;
  server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest>, Responder respond) {
    pending = std::move(respond);
    asked.set();
  });
  server.start();
  RawClient client(server.port());
  client.send(get("/slow"));
  ASSERT_TRUE(asked.wait());
  server.advance(std::chrono::hours(1));
  std::this_thread::sleep_for(milliseconds(50));  // ten sweeps
  std::exchange(pending, nullptr)(plain_text("slow"));
  EXPECT_EQ(client.read_reply().body, "slow");
}

TEST(ConnectionLimits, HeadOver32KiBGets431) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/hello", "X: " + std::string(31'000, 'x') + "\r\n")).status, 200);
  EXPECT_EQ(client.ask(get("/hello", "X: " + std::string(40'000, 'x') + "\r\n")).status, 431);
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST(ConnectionLimits, BodyOverTheRoutesLimitGets413) {
  TestServer server;
  server.add_usual();
  server.routes.back().body_bytes_max = 1000;
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(post("/echo", std::string(1000, 'x'))).status, 200);
  const RawReply reply = client.ask(post("/echo", std::string(1001, 'x')));
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(client.ask(get("/hello")).body, "hello") << "a small surplus is read away";
  EXPECT_EQ(client.ask(post("/echo", std::string(2'000'000, 'x'))).status, 413);
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST(ConnectionLimits, RefusalsReachAPeerThatIsStillSending) {
  TestServer server;
  server.add_usual();
  server.start();
  for (const std::string& start :
       {std::string("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n"),
        std::string("POST /missing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 30000000\r\n\r\n")}) {
    RawClient client(server.port());
    client.send(start);
    EXPECT_TRUE(client.send(std::string(30'000'000, 'x'))) << "closing early would reset the connection";
    EXPECT_GE(client.read_reply().status, 400);
  }
}

TEST(ConnectionLimits, BodiesInFlightAreBounded) {
  TestServer server;
  server.add_usual();
  Responder pending;
  TestEvent asked;
  server.add("POST", "/slow", [&](std::shared_ptr<const HttpRequest> request, Responder respond) {
    pending = [request, respond](HttpResponse response) { respond(std::move(response)); };
    asked.set();
  });
  server.options.limits.body_bytes_in_flight_max = 1000;
  server.start();
  RawClient first(server.port());
  first.send(post("/slow", std::string(900, 'x')));
  ASSERT_TRUE(asked.wait());
  RawClient second(server.port());
  const RawReply refused = second.ask(post("/echo", std::string(200, 'x')));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_EQ(second.ask(post("/echo", std::string(100, 'x'))).status, 200);
  std::exchange(pending, nullptr)(plain_text("done"));
  EXPECT_EQ(first.read_reply().body, "done");
  EXPECT_EQ(first.ask(post("/echo", std::string(1000, 'x'))).status, 200) << "the share came back";
}

TEST(ConnectionLimits, ConnectionsAreBounded) {
  TestServer server;
  server.add_usual();
  server.options.limits.connections_max = 1;
  server.start();
  RawClient first(server.port());
  EXPECT_EQ(first.ask(get("/hello")).status, 200);
  RawClient second(server.port());
  EXPECT_EQ(second.read_reply().status, 503);
  EXPECT_TRUE(second.is_closed_by_peer());
}

}  // namespace
}  // namespace dendro
