#include "server/http_server.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <thread>

#include "tests/server/test_server.h"

namespace dendro {
namespace {

/// `window_bits`: 31 gzip, 15 zlib, -15 raw deflate.
std::string pack_with_zlib(std::string_view plain, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, plain.size()) + 64, '\0');
  std::string input(plain);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string pack_with_zstd(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  return packed;
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    const RawReply reply = client.ask(get("/hello"));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply.field("content-length"), "5");
    EXPECT_EQ(reply.field("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(reply.field("date"), "Tue, 14 Nov 2023 22:13:20 GMT");
    EXPECT_EQ(reply.field("cache-control"), "no-store");
    EXPECT_EQ(reply.field("connection"), "");
  }
  EXPECT_EQ(client.ask(post("/echo", "body")).body, "body");
}

TEST(HttpServer, SendsTheSecurityHeadersOnEveryReply) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  for (const char* path : {"/hello", "/missing"}) {
    const RawReply reply = client.ask(get(path));
    EXPECT_TRUE(reply.field("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
    EXPECT_EQ(reply.field("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.field("referrer-policy"), "no-referrer");
    EXPECT_EQ(reply.field("cross-origin-resource-policy"), "same-origin");
    EXPECT_EQ(reply.field("cross-origin-opener-policy"), "same-origin");
    EXPECT_NE(reply.field("permissions-policy"), "");
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  server.add_usual();
  server.add("GET", "/late", on_workers(server.workers, [](const HttpRequest&) { return plain_text("late"); }));
  server.start();
  RawClient client(server.port());
  client.send(get("/hello") + post("/echo", "one") + get("/late") + get("/missing") + post("/echo", "two"));
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_EQ(client.read_reply().body, "one");
  EXPECT_EQ(client.read_reply().body, "late");
  EXPECT_EQ(client.read_reply().status, 404);
  EXPECT_EQ(client.read_reply().body, "two");
}

TEST(HttpServer, RefusesMalformedRequestsAndClosesBehindThem) {
  TestServer server;
  server.add_usual();
  server.start();
  const std::string bad = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n" + get("/hello");
  for (const std::string& before : {std::string(), get("/hello")}) {
    RawClient client(server.port());
    client.send(before + bad);
    if (!before.empty()) EXPECT_EQ(client.read_reply().status, 200);
    const RawReply reply = client.read_reply();
    EXPECT_EQ(reply.status, 501);
    EXPECT_EQ(reply.field("connection"), "close");
    EXPECT_EQ(reply.field("content-type"), "application/problem+json");
    EXPECT_TRUE(client.is_closed_by_peer());
  }
}

TEST(HttpServer, AnswersHeadWhereverGet) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const RawReply reply = client.read_reply(true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("content-length"), "5");
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST(HttpServer, AnswersOtherMethodsWithAllow) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  const RawReply reply = client.ask("DELETE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.field("allow"), "GET, HEAD");
  EXPECT_EQ(client.ask("get /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 405);
  EXPECT_EQ(client.ask(get("/hello/")).status, 404);
}

TEST(HttpServer, ShapesErrorsByProfile) {
  for (const auto& [profile, body] : {std::pair(Profile::analytics, R"({"detail":"Not Found"})"),
                                      std::pair(Profile::ingest, R"({"statusCode":404,"error":"Not found"})")}) {
    TestServer server;
    server.start(profile);
    RawClient client(server.port());
    const RawReply reply = client.ask(get("/missing"));
    EXPECT_EQ(reply.body, body);
    EXPECT_EQ(reply.field("content-type"), "application/json");
  }
  TestServer server;
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/missing", "X-Request-ID: r1\r\n")).body,
            R"({"type":"about:blank","title":"Not Found","status":404,"detail":"nothing answers at /missing",)"
            R"("code":"not_found","request_id":"r1"})");
}

TEST(HttpServer, EchoesGoodRequestIdsOnly) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/hello", "X-Request-ID: abc-1\r\n")).field("x-request-id"), "abc-1");
  EXPECT_EQ(client.ask(get("/hello")).field("x-request-id").size(), 32U);
  EXPECT_EQ(client.ask(get("/hello", "X-Request-ID: a b\r\n")).field("x-request-id").size(), 32U);
  EXPECT_EQ(client.ask(get("/hello", "X-Request-ID: " + std::string(129, 'x') + "\r\n")).field("x-request-id").size(),
            32U);
}

TEST(HttpServer, HandsTheWholeRequestToTheHandler) {
  TestServer server;
  server.add_plain("POST", "/items/{id}/{part}", [](const HttpRequest& request) {
    EXPECT_EQ(request.target, "/items/a%2Fb/p?q=1+2&q=3&e=%41");
    EXPECT_EQ(request.query_param("q"), "1 2");
    EXPECT_EQ(request.query.size(), 3U);
    EXPECT_EQ(request.query_param("e"), "A");
    EXPECT_EQ(request.query_param("none"), std::nullopt);
    EXPECT_EQ(request.path_param("id"), "a/b");
    EXPECT_EQ(request.path_param("part"), "p");
    EXPECT_EQ(request.headers.find("x-one"), "1");
    EXPECT_EQ(request.peer_address, "127.0.0.1");
    EXPECT_EQ(request.received, Timestamp(1'700'000'000 * kNanosPerSecond));
    EXPECT_EQ(request.profile, Profile::platform);
    EXPECT_EQ(request.error_shape, ErrorShape::problem);
    EXPECT_EQ(request.tenant, TenantId::default_tenant());
    EXPECT_EQ(request.wire_body_bytes, 4U);
    return plain_text(request.body);
  });
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(post("/items/a%2Fb/p?q=1+2&q=3&e=%41", "body", "X-One: 1\r\n")).body, "body");
}

TEST(HttpServer, ReadsChunkedBodies) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.ask(head + "5\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n").body, "hello world");
  std::string big(3'000'000, 'x');
  server.routes[1].body_bytes_max = 0;  // a copy: the running server keeps its own
  EXPECT_EQ(client.ask(head + "2DC6C0\r\n" + big + "\r\n0\r\n\r\n").status, 413);
}

TEST(HttpServer, UnpacksBodies) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  std::string noise(100'000, 'x');  // packed it is over the bound of what a loop unpacks itself
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>('a' + (i * i + i / 7) % 26);
  for (const std::string& plain : {std::string("short"), noise}) {
    EXPECT_EQ(client.ask(post("/echo", pack_with_zlib(plain, 31), "Content-Encoding: gzip\r\n")).body, plain);
    EXPECT_EQ(client.ask(post("/echo", pack_with_zlib(plain, 15), "Content-Encoding: deflate\r\n")).body, plain);
    EXPECT_EQ(client.ask(post("/echo", pack_with_zlib(plain, -15), "Content-Encoding: deflate\r\n")).body, plain);
    EXPECT_EQ(client.ask(post("/echo", pack_with_zstd(plain), "Content-Encoding: zstd\r\n")).body, plain);
  }
  EXPECT_EQ(client.ask(post("/echo", "", "Content-Encoding: gzip\r\n")).status, 200);
}

TEST(HttpServer, RefusesDamagedAndOversizedPackedBodies) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(post("/echo", "no gzip at all", "Content-Encoding: gzip\r\n")).status, 400);
  const std::string packed = pack_with_zlib(std::string(1000, 'x'), 31);
  EXPECT_EQ(client.ask(post("/echo", packed.substr(0, packed.size() - 4), "Content-Encoding: gzip\r\n")).status, 400);
  const std::string bomb = pack_with_zlib(std::string(5'000'000, '\0'), 31);
  EXPECT_EQ(client.ask(post("/echo", bomb, "Content-Encoding: gzip\r\n")).status, 413);
  EXPECT_EQ(client.ask(get("/hello")).body, "hello") << "the connection lives on";
}

TEST(HttpServer, SendsContinueBeforeTheBodyAndNotToARefusedHead) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ";
  client.send(head + "4\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 100);
  EXPECT_EQ(client.ask("body").body, "body");

  client.send(head + "99999999\r\n\r\n");
  const RawReply refused = client.read_reply();
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.field("connection"), "close");
}

TEST(HttpServer, SpeaksHttp10) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  RawReply reply = client.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(reply.body, "hello");
  EXPECT_EQ(reply.field("connection"), "keep-alive");
  reply = client.ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(reply.body, "hello");
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST(HttpServer, ClosesWhenAsked) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  const RawReply reply = client.ask(get("/hello", "Connection: close\r\n"));
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST(HttpServer, AnswersAPeerThatClosedItsSendingSide) {
  TestServer server;
  server.add_usual();
  server.add("GET", "/late", on_workers(server.workers, [](const HttpRequest&) { return plain_text("late"); }));
  server.start();
  RawClient client(server.port());
  client.send(get("/hello") + get("/late"));
  client.half_close();
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_EQ(client.read_reply().body, "late");
}

TEST(HttpServer, HandlerFaultsBecome500) {
  TestServer server;
  server.add("GET", "/throws",
             [](std::shared_ptr<const HttpRequest>, Responder) { throw std::runtime_error("secret"); });
  server.add("GET", "/drops", [](std::shared_ptr<const HttpRequest>, Responder) {});
  server.add("GET", "/worker", on_workers(server.workers, [](const HttpRequest&) -> HttpResponse {
               throw std::runtime_error("secret");
             }));
  server.start();
  RawClient client(server.port());
  for (const char* path : {"/throws", "/drops", "/worker"}) {
    const RawReply reply = client.ask(get(path));
    EXPECT_EQ(reply.status, 500) << path;
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
}

TEST(HttpServer, SendsLargeBodiesWhole) {
  TestServer server;
  const std::string big(20'000'000, 'y');
  server.add_plain("GET", "/big", [&big](const HttpRequest&) { return plain_text(big); });
  server.start();
  RawClient client(server.port());
  client.send(get("/big") + get("/big"));
  EXPECT_EQ(client.read_reply().body.size(), big.size());
  EXPECT_EQ(client.read_reply().body, big);
}

TEST(HttpServer, ServesSeveralListenersAndIpv6) {
  TestServer server;
  server.add_plain("GET", "/profile", [](const HttpRequest& request) {
    return plain_text(std::string(profile_name(request.profile)) + " " + request.peer_address);
  });
  server.listeners = {{.address = "127.0.0.1", .port = 0, .profile = Profile::platform},
                      {.address = "::1", .port = 0, .profile = Profile::ingest}};
  server.start();
  RawClient v4(server.port(0));
  RawClient v6(server.port(1), "::1");
  EXPECT_EQ(v4.ask(get("/profile")).body, "platform 127.0.0.1");
  EXPECT_EQ(v6.ask(get("/profile")).body, "ingest ::1");
}

TEST(HttpServer, SaysThatAPortIsInUse) {
  TestServer first;
  first.start();
  TestServer second;
  const auto started = HttpServer::start(
      {}, {{.address = "127.0.0.1", .port = first.port()}}, {},
      {.clock = second.clock, .random = second.random, .workers = second.workers, .metrics = second.metrics});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::unavailable);
  EXPECT_NE(started.error().message().find("127.0.0.1:" + std::to_string(first.port())), std::string::npos);
  EXPECT_NE(started.error().message().find("in use"), std::string::npos);
}

TEST(HttpServer, RefusesAnAmbiguousRouteTable) {
  TestServer server;
  server.add_usual();
  server.add_plain("GET", "/hello", [](const HttpRequest&) { return plain_text(""); });
  const auto started = HttpServer::start(
      {}, {{.address = "127.0.0.1", .port = 0}}, server.routes,
      {.clock = server.clock, .random = server.random, .workers = server.workers, .metrics = server.metrics});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message().find("GET /hello"), std::string::npos);
}

TEST(HttpServer, AnswersPreflightAndAnyOriginOnIngestOnly) {
  for (const Profile profile : {Profile::ingest, Profile::platform}) {
    TestServer server;
    server.add_plain("GET", "/s1", [](const HttpRequest&) { return plain_text(""); }).cors_on_ingest = true;
    server.add_plain("POST", "/s1", [](const HttpRequest&) { return plain_text(""); }).cors_on_ingest = true;
    server.add_usual();
    server.start(profile);
    RawClient client(server.port());
    const RawReply preflight =
        client.ask("OPTIONS /s1 HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x.example\r\n\r\n");
    const bool is_ingest = profile == Profile::ingest;
    EXPECT_EQ(preflight.status, is_ingest ? 204 : 405);
    EXPECT_EQ(preflight.field("access-control-allow-origin"), is_ingest ? "*" : "");
    EXPECT_EQ(preflight.field("access-control-allow-methods"), is_ingest ? "GET, POST" : "");
    EXPECT_EQ(preflight.field("access-control-allow-headers"), is_ingest ? "content-type" : "");
    EXPECT_EQ(preflight.field("access-control-max-age"), is_ingest ? "86400" : "");
    const RawReply reply = client.ask(post("/s1", "", "Origin: http://x.example\r\n"));
    EXPECT_EQ(reply.status, is_ingest ? 200 : 403);
    EXPECT_EQ(reply.field("access-control-allow-origin"), is_ingest ? "*" : "");
    EXPECT_EQ(client.ask(get("/hello")).field("access-control-allow-origin"), "");
  }
}

TEST(HttpServer, CountsRequestsByRouteAndStatus) {
  TestServer server;
  server.add_usual();
  server.start();
  RawClient client(server.port());
  client.ask(get("/hello"));
  client.ask(get("/hello"));
  client.ask(get("/missing"));
  const std::string text = server.metrics.text();
  EXPECT_NE(text.find("dendro_http_requests_total{method=\"GET\",route=\"/hello\",status=\"200\"} 2\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("dendro_http_requests_total{method=\"\",route=\"\",status=\"404\"} 1\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("dendro_http_connections 1\n"), std::string::npos) << text;
}

TEST(HttpServer, ServesManyClientsAtOnce) {
  TestServer server;
  server.add_usual();
  server.add("POST", "/worker",
             on_workers(server.workers, [](const HttpRequest& request) { return plain_text(request.body); }));
  server.start();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&server, t] {
      RawClient client(server.port());
      for (int i = 0; i < 100; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        EXPECT_EQ(client.ask(post(i % 2 == 0 ? "/echo" : "/worker", text)).body, text);
      }
    });
  }
}

}  // namespace
}  // namespace dendro
