#include "server/routes/tail_routes.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/server/test_server.h"
#include "tests/server/web_socket_frames.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

struct TailRoutesFixture : testing::Test {
  TailRoutesFixture() {
    store.open();
    hub = std::make_unique<TailHub>(TailParts{store.store->listeners(),
                                              [this](const TenantId& tenant) { return store.store->snapshot(tenant); },
                                              server.workers, system_clock});
    server.routes = tail_routes(server.workers, *hub);
    server.start();
  }
  ~TailRoutesFixture() override {
    server.server.reset();
    hub.reset();
  }

  /// Reads until `mark` was seen.
  static void expect_text(RawClient& client, std::string& seen, const std::string& mark) {
    while (seen.find(mark) == std::string::npos) {
      const std::string more = client.read_some();
      ASSERT_FALSE(more.empty()) << "no " << mark << " in " << seen;
      seen += more;
    }
  }
  static std::string open_socket(std::string_view path = "/api/v1/tail") {
    return get(path,
               "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: dendro.tail.v1\r\n");
  }
  static std::string message(std::string_view text) { return masked_frame(WebSocketOpcode::text, text); }

  SystemClock system_clock;
  StoreFixture store;
  TestServer server;
  std::unique_ptr<TailHub> hub;
};

TEST_F(TailRoutesFixture, FollowsOverAWebSocketAndBeginsANewEpoch) {
  RawClient client(server.port());
  client.send(open_socket());
  EXPECT_EQ(client.read_head().field("sec-websocket-protocol"), "dendro.tail.v1");
  std::string seen;
  client.send(message(R"({"type":"start","query":"body:n*","fields":[],"since":null})"));
  expect_text(client, seen, R"({"type":"hello","epoch":1,"cursor":")");
  ASSERT_TRUE(store.append({"n1", "other"}).has_value());
  expect_text(client, seen, R"("body":"n1")");
  client.send(message(R"({"type":"start","query":"body:o*"})"));
  expect_text(client, seen, R"({"type":"hello","epoch":2,"cursor":")");
  ASSERT_TRUE(store.append({"n2", "o3"}).has_value());
  expect_text(client, seen, R"("body":"o3")");
  EXPECT_EQ(seen.find("other"), std::string::npos);
  EXPECT_EQ(seen.find("n2"), std::string::npos);
  EXPECT_EQ(hub->open_tails(), 1U);
}

TEST_F(TailRoutesFixture, SaysWhyItEndsAndClosesWithACodeThatFits) {
  const auto ends = [this](std::string_view path, std::string_view start, const char* reason, WebSocketClose code) {
    RawClient client(server.port());
    client.send(open_socket(path) + message(start));
    EXPECT_EQ(client.read_head().status, 101) << reason;
    std::string seen, close;
    append_web_socket_close(close, code, {});
    expect_text(client, seen, close);
    EXPECT_NE(seen.find("\"type\":\"end\""), std::string::npos) << seen;
    EXPECT_NE(seen.find("\"reason\":\"" + std::string(reason) + "\""), std::string::npos) << seen;
  };
  ends("/api/v1/tail", R"({"type":"start","query":"severity:="})", "bad_query", WebSocketClose::normal);
  ends("/api/v1/tail", "{", "bad_query", WebSocketClose::normal);
  ends("/api/v1/tail", R"({"type":"start","fields":3})", "bad_query", WebSocketClose::normal);
  ends("/api/v1/tail?tenant=other", "{}", "forbidden", WebSocketClose::policy);
  hub->shut_down();
  ends("/api/v1/tail", R"({"type":"start","query":"*"})", "shutdown", WebSocketClose::restart);
}

TEST_F(TailRoutesFixture, GivesThePlaceOfAReaderBackThatLeaves) {
  {
    RawClient client(server.port());
    client.send(open_socket() + message(R"({"type":"start","query":"*"})"));
    client.read_head();
    std::string seen;
    expect_text(client, seen, "hello");
    EXPECT_EQ(hub->open_tails(), 1U);
  }
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (hub->open_tails() > 0 && std::chrono::steady_clock::now() < last) std::this_thread::yield();
  EXPECT_EQ(hub->open_tails(), 0U);
}

TEST_F(TailRoutesFixture, FollowsAsEventsAndResumesByTheirId) {
  RawClient client(server.port());
  client.send(get("/api/v1/tail?query=body:n*", "Accept: text/event-stream\r\n"));
  EXPECT_EQ(client.read_head().field("content-type"), "text/event-stream");
  std::string seen;
  expect_text(client, seen, "event: hello\nid: ");
  const auto reply = store.append({"n1"});
  ASSERT_TRUE(reply.has_value());
  ASSERT_TRUE(store.append({"n2"}).has_value());
  expect_text(client, seen, R"("body":"n2")");
  RawClient again(server.port());
  again.send(get("/api/v1/tail?query=body:n*&since=0", "Accept: text/event-stream\r\nLast-Event-ID: " +
                                                           std::to_string(reply->first_sequence.number()) + "\r\n"));
  std::string resumed;
  expect_text(again, resumed, R"("body":"n2")");
  EXPECT_EQ(resumed.find(R"("body":"n1")"), std::string::npos);
  hub->shut_down();
  expect_text(client, seen, "event: end\ndata: {\"type\":\"end\",\"epoch\":1,\"reason\":\"shutdown\"");
}

TEST_F(TailRoutesFixture, RefusesEventsByStatus) {
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/api/v1/tail?query=severity:%3D", "Accept: text/event-stream\r\n")).status, 400);
  EXPECT_EQ(client.ask(get("/api/v1/tail?query=x&since=x1", "Accept: text/event-stream\r\n")).status, 400);
  EXPECT_EQ(client.ask(get("/api/v1/tail?query=x&rows_per_s_max=-1", "Accept: text/event-stream\r\n")).status, 400);
  EXPECT_EQ(client.ask(get("/api/v1/tail?query=x")).status, 426);
  EXPECT_EQ(client.ask(get("/api/v1/tail?query=x&tenant=other", "Accept: text/event-stream\r\n")).status, 403);
}

}  // namespace
}  // namespace dendro
