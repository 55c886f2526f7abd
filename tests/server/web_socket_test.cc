#include "server/web_socket.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/limits.h"
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
    if (text == "long") text = std::string(300'000, 'x');
    if (text == "huge") text = std::string(kWebSocketOutBytesMax + 1, 'x');
    out_->send(text);
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

  /// Shakes hands; `early` goes with the request. Gives the head of the reply.
  RawReply connect(std::string_view more = {}, std::string_view early = {}) {
    client = std::make_unique<RawClient>(server.port());
    client->send(hello(more).append(early));
    RawReply reply = client->read_head();
    EXPECT_EQ(reply.status, 101);
    return reply;
  }
  /// What comes next behind the head.
  void expect(const std::string& bytes) {
    while (rest.size() < bytes.size()) {
      const std::string more = client->read_some();
      if (more.empty()) break;
      rest += more;
    }
    EXPECT_EQ(rest.substr(0, bytes.size()), bytes);
    rest.erase(0, bytes.size());
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

  TestEvent is_drained, is_closed;
  TestServer server;
  std::unique_ptr<RawClient> client;
  std::string rest;  ///< read behind the head and not expected yet
};

TEST_F(WebSocketFixture, ShakesHandsAndEchoesFramesOfAnyCut) {
  const RawReply reply = connect("Sec-WebSocket-Protocol: other, echo.v1\r\n");
  EXPECT_EQ(reply.field("upgrade"), "websocket");
  EXPECT_EQ(reply.field("connection"), "Upgrade");
  EXPECT_EQ(reply.field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(reply.field("sec-websocket-protocol"), "echo.v1");
  const std::string sent = masked_frame(WebSocketOpcode::text, "hel", false) +
                           masked_frame(WebSocketOpcode::ping, "p") + masked_frame(WebSocketOpcode::continuation, "lo");
  for (const char byte : sent) client->send(std::string(1, byte));
  expect(frame(WebSocketOpcode::pong, "p") + frame(WebSocketOpcode::text, "hello"));
  EXPECT_TRUE(is_drained.wait());
  client->send(masked_frame(WebSocketOpcode::text, "long"));
  expect(frame(WebSocketOpcode::text, std::string(300'000, 'x')));
  client->send(masked_frame(WebSocketOpcode::close, std::string("\x03\xE8", 2)));
  expect(close_frame(WebSocketClose::normal));
  EXPECT_TRUE(client->is_closed_by_peer());
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, TakesFramesThatComeWithTheHandshake) {
  connect({}, masked_frame(WebSocketOpcode::text, "early"));
  expect(frame(WebSocketOpcode::text, "early"));
}

TEST_F(WebSocketFixture, AnswersACloseThatComesWithTheHandshake) {
  connect({}, masked_frame(WebSocketOpcode::close, std::string("\x03\xE8", 2)));
  expect(close_frame(WebSocketClose::normal));
  EXPECT_TRUE(client->is_closed_by_peer());
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, ClosesInOrderFromItsSide) {
  connect();
  client->send(masked_frame(WebSocketOpcode::text, "bye"));
  expect(close_frame(WebSocketClose::overload, "enough"));
  client->send(masked_frame(WebSocketOpcode::close, std::string("\x03\xF5", 2)));
  EXPECT_TRUE(client->is_closed_by_peer());
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, EndsAPeerThatDoesNotAnswerTheClose) {
  connect();
  client->send(masked_frame(WebSocketOpcode::text, "bye"));
  expect(close_frame(WebSocketClose::overload, "enough"));
  server.advance(std::chrono::seconds(6));
  EXPECT_TRUE(client->is_closed_by_peer());
}

TEST_F(WebSocketFixture, OneMessageMayBeLargerThanWhatMayWaitBehindOthers) {
  connect();
  client->send(masked_frame(WebSocketOpcode::text, "huge"));
  expect(frame(WebSocketOpcode::text, std::string(kWebSocketOutBytesMax + 1, 'x')));
  client->send(masked_frame(WebSocketOpcode::text, "x"));
  expect(frame(WebSocketOpcode::text, "x"));
}

TEST_F(WebSocketFixture, EndsWithAPeerThatIsGone) {
  connect();
  client->reset();
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, TellsWhoBreaksTheProtocolWhy) {
  connect();
  client->send(frame(WebSocketOpcode::text, "unmasked"));
  expect(close_frame(WebSocketClose::protocol_error, "frames of a client must be masked"));
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, PingsAndGivesUpASilentPeer) {
  connect();
  server.advance(std::chrono::seconds(20));
  expect(frame(WebSocketOpcode::ping, ""));
  client->send(masked_frame(WebSocketOpcode::pong, ""));
  server.advance(std::chrono::seconds(20));
  expect(frame(WebSocketOpcode::ping, ""));
  server.advance(std::chrono::seconds(66));
  EXPECT_TRUE(is_closed.wait());
}

TEST_F(WebSocketFixture, ClosesWith1012WhenTheServerStops) {
  connect();
  client->send(masked_frame(WebSocketOpcode::text, "x"));
  expect(frame(WebSocketOpcode::text, "x"));
  std::jthread stopper([this] { server.server->stop(std::chrono::seconds(5)); });
  expect(close_frame(WebSocketClose::restart));
  client->send(masked_frame(WebSocketOpcode::close, std::string("\x03\xF4", 2)));
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
