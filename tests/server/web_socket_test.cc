#include "server/web_socket.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/web_socket_handshake.h"
#include "tests/server/test_server.h"
#include "tests/server/web_socket_frames.h"

namespace dendro {
namespace {

/// Says back what it hears; "bye" closes with 1013.
class EchoSocket final : public WebSocketHandler {
 public:
  EchoSocket(TestEvent& is_drained, TestEvent& is_closed) : is_drained_(is_drained), is_closed_(is_closed) {}
  void opened(std::shared_ptr<WebSocketOut> out) override { out_ = std::move(out); }
  void message(std::string text) override {
    if (text == "bye") return out_->close(WebSocketClose::overload, "enough");
    out_->send(text == "long" ? std::string(300'000, 'x') : text);
  }
  void drained() override { is_drained_.set(); }
  void stopping() override { out_->close(WebSocketClose::restart, {}); }
  void access_lost() override { out_->close(WebSocketClose::policy, {}); }
  void closed() override { is_closed_.set(); }

 private:
  TestEvent& is_drained_;
  TestEvent& is_closed_;
  std::shared_ptr<WebSocketOut> out_;
};

struct WebSocketFixture : testing::Test {
  WebSocketFixture() {
    server.add_plain("GET", "/ws", [this](const HttpRequest& request) {
      return accept_web_socket(request, "echo.v1", std::make_shared<EchoSocket>(is_drained, is_closed));
    });
    server.add_usual();
    server.start();
  }
  static constexpr std::string_view kLines =
      "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  static std::string hello(std::string_view more = {}) { return get("/ws", std::string(kLines).append(more)); }

  /// The next `count` bytes behind the head.
  static std::string read_count(RawClient& client, std::string& rest, std::size_t count) {
    while (rest.size() < count) {
      const std::string more = client.read_some();
      if (more.empty()) break;
      rest += more;
    }
    const std::string bytes = rest.substr(0, count);
    rest.erase(0, count);
    return bytes;
  }
  static std::string frame(WebSocketOpcode opcode, std::string_view payload) {
    std::string bytes;
    append_web_socket_frame(bytes, opcode, payload);
    return bytes;
  }
  static std::string close_frame(WebSocketClose code, std::string_view reason = {}) {
    std::string bytes;
    append_web_socket_close(bytes, code, reason);
    return bytes;
  }
  static void expect_bytes(RawClient& client, std::string& rest, const std::string& expected) {
    EXPECT_EQ(read_count(client, rest, expected.size()), expected);
  }

  TestEvent is_drained, is_closed;
  TestServer server;
};

TEST_F(WebSocketFixture, ShakesHandsAndEchoesFramesOfAnyCut) {
  RawClient client(server.port());
  client.send(hello("Sec-WebSocket-Protocol: other, echo.v1\r\n"));
  const RawReply reply = client.read_head();
  EXPECT_EQ(reply.status, 101);
  EXPECT_EQ(reply.field("upgrade"), "websocket");
  EXPECT_EQ(reply.field("connection"), "Upgrade");
  EXPECT_EQ(reply.field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(reply.field("sec-websocket-protocol"), "echo.v1");
  std::string rest;
  const std::string sent = masked_frame(WebSocketOpcode::text, "hel", false) +
                           masked_frame(WebSocketOpcode::ping, "p") + masked_frame(WebSocketOpcode::continuation, "lo");
  for (const char byte : sent) client.send(std::string(1, byte));
  expect_bytes(client, rest, frame(WebSocketOpcode::pong, "p") + frame(WebSocketOpcode::text, "hello"));
  EXPECT_TRUE(is_drained.wait());
  client.send(masked_frame(WebSocketOpcode::text, "long"));
  expect_bytes(client, rest, frame(WebSocketOpcode::text, std::string(300'000, 'x')));
  client.send(masked_frame(WebSocketOpcode::close, std::string("\x03\xE8", 2)));
  expect_bytes(client, rest, close_frame(WebSocketClose::normal));
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, TakesFramesThatComeWithTheHandshake) {
  RawClient client(server.port());
  client.send(hello() + masked_frame(WebSocketOpcode::text, "early"));
  EXPECT_EQ(client.read_head().status, 101);
  std::string rest;
  expect_bytes(client, rest, frame(WebSocketOpcode::text, "early"));
}

TEST_F(WebSocketFixture, ClosesInOrderFromItsSide) {
  RawClient client(server.port());
  client.send(hello());
  client.read_head();
  std::string rest;
  client.send(masked_frame(WebSocketOpcode::text, "bye"));
  expect_bytes(client, rest, close_frame(WebSocketClose::overload, "enough"));
  client.send(masked_frame(WebSocketOpcode::close, std::string("\x03\xF5", 2)));
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, EndsAPeerThatDoesNotAnswerTheClose) {
  RawClient client(server.port());
  client.send(hello());
  client.read_head();
  std::string rest;
  client.send(masked_frame(WebSocketOpcode::text, "bye"));
  expect_bytes(client, rest, close_frame(WebSocketClose::overload, "enough"));
  server.advance(std::chrono::seconds(6));
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST_F(WebSocketFixture, TellsWhoBreaksTheProtocolWhy) {
  RawClient client(server.port());
  client.send(hello());
  client.read_head();
  std::string rest;
  client.send(frame(WebSocketOpcode::text, "unmasked"));
  expect_bytes(client, rest, close_frame(WebSocketClose::protocol_error, "frames of a client must be masked"));
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, PingsAndGivesUpASilentPeer) {
  RawClient client(server.port());
  client.send(hello());
  client.read_head();
  std::string rest;
  server.advance(std::chrono::seconds(20));
  expect_bytes(client, rest, frame(WebSocketOpcode::ping, ""));
  client.send(masked_frame(WebSocketOpcode::pong, ""));
  server.advance(std::chrono::seconds(20));
  expect_bytes(client, rest, frame(WebSocketOpcode::ping, ""));
  server.advance(std::chrono::seconds(66));
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, ClosesWith1012WhenTheServerStops) {
  RawClient client(server.port());
  client.send(hello());
  client.read_head();
  std::string rest;
  client.send(masked_frame(WebSocketOpcode::text, "x"));
  expect_bytes(client, rest, frame(WebSocketOpcode::text, "x"));
  std::jthread stopper([this] { server.server->stop(std::chrono::seconds(5)); });
  expect_bytes(client, rest, close_frame(WebSocketClose::restart));
  client.send(masked_frame(WebSocketOpcode::close, std::string("\x03\xF4", 2)));
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, RefusesForeignOriginsAndBadHandshakes) {
  const auto status = [this](const std::string& bytes) { return RawClient(server.port()).ask(bytes).status; };
  EXPECT_EQ(status(hello("Origin: http://evil.example\r\n")), 403);
  const std::string lines(kLines);
  const auto without = [&lines](const std::string& part, const std::string& instead) {
    std::string changed = lines;
    return get("/ws", changed.replace(changed.find(part), part.size(), instead));
  };
  EXPECT_EQ(status(without("Version: 13", "Version: 8")), 426);
  EXPECT_EQ(status(without("dGhlIHNhbXBsZSBub25jZQ==", "short")), 400);
  EXPECT_EQ(status(without("keep-alive, Upgrade", "keep-alive")), 400);
  EXPECT_EQ(status(hello("Sec-WebSocket-Protocol: other\r\n")), 400);
  RawClient own(server.port());
  own.send(hello("Origin: http://localhost\r\n"));
  EXPECT_EQ(own.read_head().status, 101);
}

}  // namespace
}  // namespace dendro
