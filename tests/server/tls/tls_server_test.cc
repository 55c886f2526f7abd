#include <gtest/gtest.h>

#include <thread>

#include "server/web_socket_handshake.h"
#include "tests/server/tls/tls_fixture.h"
#include "tests/server/web_socket_frames.h"

namespace dendro {
namespace {

using std::chrono::milliseconds;

using TlsServer = TlsFixture;

/// Time passes on the server in steps of a second, beside what the test waits for.
class TlsTimePasses {
 public:
  explicit TlsTimePasses(TestServer& server)
      : thread_([&server](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            server.advance(milliseconds(1000));
            std::this_thread::sleep_for(milliseconds(10));
          }
        }) {}

 private:
  std::jthread thread_;
};

TEST_F(TlsServer, Speaks12And13AndNothingOlder) {
  start();
  for (const auto& [version, name] : {std::pair(0x0303, "TLSv1.2"), {0x0304, "TLSv1.3"}}) {
    TlsClientOptions options = trusting();
    options.version = version;
    TlsClient client(server.port(), options);
    ASSERT_TRUE(client.is_open()) << name;
    EXPECT_EQ(client.version(), name);
    EXPECT_EQ(client.ask(get("/hello")).body, "hello");
  }
  for (const int version : {0x0301, 0x0302}) {
    EXPECT_FALSE(TlsClient(server.port(), {.version = version}).is_open()) << version;
  }
}

TEST_F(TlsServer, MinVersion13Refuses12) {
  settings.min_version = TlsVersion::v1_3;
  start();
  EXPECT_FALSE(TlsClient(server.port(), {.version = 0x0303}).is_open());
  EXPECT_TRUE(TlsClient(server.port(), {.version = 0x0304}).is_open());
}

TEST_F(TlsServer, WeakCiphersAreNotThere) {
  start();
  for (const char* weak : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-NULL-SHA"}) {
    EXPECT_FALSE(TlsClient(server.port(), {.version = 0x0303, .ciphers = weak}).is_open()) << weak;
  }
  TlsClient good(server.port(), {.version = 0x0303, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_TRUE(good.is_open());
}

TEST_F(TlsServer, CiphersCanBeNarrowed) {
  settings.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  start();
  EXPECT_FALSE(TlsClient(server.port(), {.version = 0x0303, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}).is_open());
  TlsClient client(server.port(), {.version = 0x0303});
  ASSERT_TRUE(client.is_open());
  EXPECT_EQ(client.cipher(), "ECDHE-ECDSA-AES256-GCM-SHA384");
}

TEST_F(TlsServer, AgreesOnHttp11OrOnNothing) {
  start();
  TlsClientOptions options = trusting();
  options.protocols = {"h2", "http/1.1"};
  TlsClient both(server.port(), options);
  ASSERT_TRUE(both.is_open());
  EXPECT_EQ(both.protocol(), "http/1.1");
  options.protocols = {"h2"};
  EXPECT_FALSE(TlsClient(server.port(), options).is_open()) << "it would be answered in a language it does not speak";
  TlsClient none(server.port(), trusting());
  EXPECT_EQ(none.protocol(), "");
  EXPECT_EQ(none.ask(get("/hello")).status, 200);
}

TEST_F(TlsServer, ShowsTheCertificateOfTheNameAskedFor) {
  const auto add = [this](const std::string& file, const std::string& name, const std::string& names) {
    write_pair(authority.sign({.common_name = name, .alternative_names = names, .usage = "serverAuth"}), file);
    settings.certificates.push_back(folder.path(file + ".pem"));
    settings.keys.push_back(folder.path(file + ".key"));
  };
  add("second", "audit.example.org", "DNS:audit.example.org,DNS:audit.example.net");
  add("third", "wild", "DNS:*.agents.example.org");
  start();
  const auto name_for = [this](const std::string& host) {
    TlsClientOptions options = trusting();
    options.host = host;
    TlsClient client(server.port(), options);
    EXPECT_EQ(client.ask(get("/hello")).body, "hello") << host;
    return client.server_name();
  };
  EXPECT_EQ(name_for(""), "logs.example.org") << "the first one";
  EXPECT_EQ(name_for("logs.example.org"), "logs.example.org");
  EXPECT_EQ(name_for("audit.example.net"), "audit.example.org");
  EXPECT_EQ(name_for("AUDIT.example.org"), "audit.example.org");
  EXPECT_EQ(name_for("a7.agents.example.org"), "wild");
  EXPECT_EQ(name_for("a.b.agents.example.org"), "logs.example.org") << "a star is one part";
  EXPECT_EQ(name_for("unknown.example"), "logs.example.org");
}

TEST_F(TlsServer, NothingIsKeptOfASession) {
  start();
  for (const int version : {0x0303, 0x0304}) {
    TlsClientOptions options = trusting();
    options.version = version;
    TlsClient client(server.port(), options);
    EXPECT_EQ(client.ask(get("/hello")).body, "hello") << "tickets of TLS 1.3 would come before this";
    EXPECT_FALSE(client.has_session()) << version;
  }
}

TEST_F(TlsServer, LargeBodiesGoBothWays) {
  server.routes.back().body_bytes_max = 64 << 20;
  start();
  TlsClient client(server.port(), trusting());
  std::string body(5'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16'383}, std::size_t{16'384},
                                 std::size_t{16'385}, std::size_t{70'000}, body.size()}) {
    EXPECT_EQ(client.ask(post("/echo", body.substr(0, size))).body, body.substr(0, size)) << size;
  }
}

TEST_F(TlsServer, PipelinedRequestsAreAnsweredInOrder) {
  start();
  TlsClient client(server.port(), trusting());
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += post("/echo", std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client.read_reply().body, std::to_string(i));
}

TEST_F(TlsServer, SaysThatItEndsTheConnection) {
  start();
  TlsClient client(server.port(), trusting());
  EXPECT_EQ(client.ask(get("/hello", "Connection: close\r\n")).body, "hello");
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_TRUE(client.got_close_notify());
}

/// One piece, then a fault.
class CutStream final : public ResponseStream {
 public:
  void next(std::function<void(Piece)> done) override {
    if (std::exchange(is_begun_, true)) return done(Error(ErrorCode::io_error, "cut"));
    done(std::optional<std::string>("begun"));
  }

 private:
  bool is_begun_ = false;
};

TEST_F(TlsServer, ACutReplyDoesNotLookWhole) {
  server.add_plain("GET", "/cut", [](const HttpRequest&) {
    HttpResponse response = plain_text({});
    response.stream = std::make_unique<CutStream>();
    return response;
  });
  start();
  TlsClient chunked(server.port(), trusting());
  EXPECT_FALSE(chunked.ask(get("/cut")).is_whole);
  TlsClient until_close(server.port(), trusting());
  until_close.send("GET /cut HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(until_close.read_head().status, 200);
  while (!until_close.read_some().empty()) {
  }
  EXPECT_FALSE(until_close.got_close_notify()) << "its body ends with the connection";
}

TEST_F(TlsServer, APeerThatSaysItsLastWordIsStillAnswered) {
  Responder pending;
  TestEvent asked;
  server.add("GET", "/slow", [&](std::shared_ptr<const HttpRequest>, Responder respond) {
    pending = std::move(respond);
    asked.set();
  });
  start();
  TlsClient client(server.port(), trusting());
  client.send(get("/slow"));
  ASSERT_TRUE(asked.wait());
  client.send_close_notify();
  std::exchange(pending, nullptr)(plain_text("slow"));
  EXPECT_EQ(client.read_reply().body, "slow");
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST_F(TlsServer, PlainHttpIsToldWhereItIs) {
  start();
  RawClient client(server.port());
  const RawReply reply = client.ask(get("/hello"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_TRUE(reply.is_whole);
  EXPECT_EQ(reply.body, "this port speaks TLS: use https\n");
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST_F(TlsServer, GarbageEndsTheConnection) {
  start();
  for (const std::string& bytes :
       {std::string(5'000, '\xff'), std::string("\x16\x03\x01\xff\xff", 5) + std::string(100, '\0'),
        std::string("\x16\x03\x01\x00\x01\x01", 6) + std::string(20, '\x16')}) {
    RawClient client(server.port());
    client.send(bytes);
    while (!client.read_some().empty()) {  // an alert
    }
  }
  EXPECT_NE(server.metrics.text().find("dendro_tls_handshake_failures_total 3\n"), std::string::npos);
  TlsClient good(server.port(), trusting());
  EXPECT_EQ(good.ask(get("/hello")).status, 200);
  EXPECT_NE(server.metrics.text().find("dendro_tls_handshakes_total 1\n"), std::string::npos);
}

TEST_F(TlsServer, SlowHandshakesAreEnded) {
  start();
  RawClient silent(server.port());
  RawClient half(server.port());
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
  const TlsTimePasses passing(server);
  EXPECT_TRUE(silent.is_closed_by_peer());
  EXPECT_TRUE(half.is_closed_by_peer());
  EXPECT_GE(server.clock.monotonic(), std::chrono::seconds(10));
  EXPECT_LT(server.clock.monotonic(), std::chrono::seconds(200));
}

TEST_F(TlsServer, HandshakesAtATimeAreBounded) {
  server.options.limits.handshakes_max = 2;
  server.options.loop_threads = 1;
  start();
  RawClient first(server.port()), second(server.port());
  TlsClient third(server.port(), trusting());
  EXPECT_FALSE(third.is_open());
  first.close();
  TestEvent pause;
  for (int i = 0; i < 1'000 && !TlsClient(server.port(), trusting()).is_open(); ++i) pause.wait_briefly();
  EXPECT_TRUE(TlsClient(server.port(), trusting()).is_open()) << "a place is free again, and an open one takes none";
}

TEST_F(TlsServer, SlowHeadsBodiesAndReadersAreEndedAsWithoutTls) {
  const std::string big(50'000'000, 'y');
  TestEvent asked;
  server.add_plain("GET", "/big", [&](const HttpRequest&) {
    asked.set();
    return plain_text(big);
  });
  start();
  TlsClient head(server.port(), trusting()), body(server.port(), trusting()), reader(server.port(), trusting()),
      idle(server.port(), trusting());
  head.send("GET /hello HTTP/1.1\r\nHo");
  body.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
  reader.send(get("/big"));
  ASSERT_TRUE(asked.wait());
  const TlsTimePasses passing(server);
  EXPECT_EQ(head.read_reply().status, 408);
  EXPECT_EQ(body.read_reply().status, 408);
  EXPECT_TRUE(idle.is_closed_by_peer());
  while (server.metrics.text().find("dendro_http_connections 0\n") == std::string::npos) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_FALSE(reader.read_reply().is_whole);
}

TEST_F(TlsServer, RenegotiationIsRefused) {
  start();
  TlsClient client(server.port(), {.version = 0x0303});
  ASSERT_TRUE(client.is_open());
  EXPECT_EQ(client.ask(get("/hello")).status, 200);
  EXPECT_FALSE(client.renegotiate());
}

TEST_F(TlsServer, NewKeysAreTaken) {
  start();
  TlsClient client(server.port(), {.version = 0x0304});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(client.update_key());
    EXPECT_EQ(client.ask(get("/hello")).status, 200);
  }
}

TEST_F(TlsServer, AFloodOfRecordsWithoutDataEndsTheConnection) {
  TestEvent is_blocked, may_go_on;
  server.add_plain("GET", "/block", [&](const HttpRequest&) {  // on the loop, which a handler must not do
    is_blocked.set();
    may_go_on.wait();
    return plain_text("");
  });
  server.options.loop_threads = 1;
  start();
  TlsClient flood(server.port(), {.version = 0x0304});
  EXPECT_EQ(flood.ask(get("/hello")).status, 200);
  TlsClient blocker(server.port(), {.version = 0x0304});
  blocker.send(get("/block"));
  ASSERT_TRUE(is_blocked.wait());
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(flood.update_key()) << i;  // 27 bytes each
  flood.send(get("/hello"));
  may_go_on.set();
  EXPECT_TRUE(flood.is_closed_by_peer());
  EXPECT_EQ(blocker.read_reply().status, 200);
}

TEST_F(TlsServer, ConnectionsOfAnAddressAreBounded) {
  server.options.limits.connections_per_address_max = 2;
  server.listeners.push_back({.address = "127.0.0.1", .port = 0, .profile = Profile::platform, .tls = settings});
  server.listeners.push_back({.address = "127.0.0.1", .port = 0});
  server.start();
  {
    TlsClient first(server.port(), trusting());
    RawClient second(server.port(1));
    EXPECT_EQ(first.ask(get("/hello")).status, 200);
    EXPECT_EQ(second.ask(get("/hello")).status, 200);
    RawClient plain(server.port(1));
    EXPECT_EQ(plain.read_reply().status, 503);
    EXPECT_FALSE(TlsClient(server.port(), trusting()).is_open());
  }
  TestEvent pause;
  for (int i = 0; i < 1'000 && server.metrics.text().find("dendro_http_connections 0\n") == std::string::npos; ++i) {
    pause.wait_briefly();
  }
  EXPECT_EQ(RawClient(server.port(1)).ask(get("/hello")).status, 200) << "their places came back";
}

TEST_F(TlsServer, HeadersSayThatItIsSecure) {
  server.add_plain("GET", "/scheme", [](const HttpRequest& request) {
    return plain_text(request.wire == Wire::https ? "https" : "http");
  });
  server.listeners.push_back({.address = "127.0.0.1", .port = 0, .profile = Profile::platform, .tls = settings});
  server.listeners.push_back({.address = "127.0.0.1", .port = 0});
  server.start();
  const RawReply secure = TlsClient(server.port(), trusting()).ask(get("/scheme"));
  EXPECT_EQ(secure.body, "https");
  EXPECT_EQ(secure.field("strict-transport-security"), "max-age=31536000");
  EXPECT_EQ(secure.field("cross-origin-opener-policy"), "same-origin");
  const RawReply plain = RawClient(server.port(1)).ask(get("/scheme", "X-Forwarded-Proto: https\r\n"));
  EXPECT_EQ(plain.body, "http");
  EXPECT_EQ(plain.field("strict-transport-security"), "");
}

TEST_F(TlsServer, HstsCanBeLeftOut) {
  server.options.hsts = std::chrono::seconds(0);
  start();
  EXPECT_EQ(TlsClient(server.port(), trusting()).ask(get("/hello")).field("strict-transport-security"), "");
}

TEST_F(TlsServer, StopsWithOpenConnections) {
  start();
  TlsClient idle(server.port(), trusting());
  EXPECT_EQ(idle.ask(get("/hello")).status, 200);
  RawClient silent(server.port());
  const auto first = std::chrono::steady_clock::now();
  server.server->stop(milliseconds(300));
  EXPECT_LT(std::chrono::steady_clock::now() - first, std::chrono::seconds(5));
  EXPECT_TRUE(idle.is_closed_by_peer());
}

/// Says back what it hears.
class TlsEchoSocket final : public WebSocketHandler {
 public:
  void opened(std::shared_ptr<WebSocketOut> out) override { out_ = std::move(out); }
  void message(std::string text) override {
    if (text == "bye") return out_->close(WebSocketClose::overload, "enough");
    out_->send(text == "long" ? std::string(2'000'000, 'x') : std::move(text));
  }
  void drained() override {}
  void stopping() override { out_->close(WebSocketClose::restart, {}); }
  void access_lost() override { out_->close(WebSocketClose::policy, {}); }
  void closed() override {}

 private:
  std::shared_ptr<WebSocketOut> out_;
};

TEST_F(TlsServer, CarriesWebSockets) {
  server.add_plain("GET", "/ws", [](const HttpRequest& request) {
    return accept_web_socket(request, "x.v1", std::make_shared<TlsEchoSocket>());
  });
  start();
  TlsClient client(server.port(), trusting());
  // The first message comes with the handshake.
  client.send(get("/ws",
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") +
              masked_frame(WebSocketOpcode::text, "early"));
  EXPECT_EQ(client.read_head().status, 101);
  std::string seen;
  const auto expect = [&](WebSocketOpcode opcode, std::string_view payload) {
    std::string frame;
    append_web_socket_frame(frame, opcode, payload);
    while (seen.size() < frame.size()) {
      const std::string more = client.read_some();
      if (more.empty()) break;
      seen += more;
    }
    EXPECT_EQ(seen.substr(0, frame.size()), frame);
    seen.erase(0, frame.size());
  };
  expect(WebSocketOpcode::text, "early");
  for (int i = 0; i < 50; ++i) {
    client.send(masked_frame(WebSocketOpcode::text, "message " + std::to_string(i)));
    expect(WebSocketOpcode::text, "message " + std::to_string(i));
  }
  client.send(masked_frame(WebSocketOpcode::text, "long"));
  expect(WebSocketOpcode::text, std::string(2'000'000, 'x'));
  client.send(masked_frame(WebSocketOpcode::text, "bye"));
  std::string close;
  append_web_socket_close(close, WebSocketClose::overload, "enough");
  while (seen.size() < close.size()) {
    const std::string more = client.read_some();
    if (more.empty()) break;
    seen += more;
  }
  EXPECT_EQ(seen, close);
  client.send(masked_frame(WebSocketOpcode::close, std::string("\x03\xf5", 2)));
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST_F(TlsServer, ServesManyClientsAtOnce) {
  start();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int c = 0; c < 5; ++c) {
        TlsClient client(server.port(), trusting());
        for (int i = 0; i < 20; ++i) {
          const std::string text = std::to_string(t) + "/" + std::to_string(i);
          EXPECT_EQ(client.ask(post("/echo", text)).body, text);
        }
      }
    });
  }
}

}  // namespace
}  // namespace dendro
