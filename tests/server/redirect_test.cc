#include "server/redirect.h"

#include <gtest/gtest.h>

#include "server/system_routes.h"
#include "tests/server/tls/tls_fixture.h"

namespace dendro {
namespace {

struct Redirection : TlsFixture {
  /// The second listener leads to the first.
  void start_both() {
    add_system_routes(server.routes, {});
    server.listeners.push_back({.address = "127.0.0.1", .port = 0, .profile = Profile::platform, .tls = settings});
    server.listeners.push_back({.address = "127.0.0.1", .port = 0, .profile = Profile::redirect});
    server.start();
  }
  RawReply ask(const std::string& request) const { return RawClient(server.port(1)).ask(request); }
  static std::string request(const std::string& target, const std::string& host, const std::string& lines = {},
                             const std::string& method = "GET") {
    return method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + lines + "\r\n";
  }
  std::string tls_port() const { return std::to_string(server.port()); }
};

TEST_F(Redirection, LeadsToTheSamePathOverTls) {
  server.options.allowed_hosts = {"logs.example.org"};
  start_both();
  for (const char* method : {"GET", "POST", "DELETE"}) {
    const RawReply reply = ask(request("/api/v1/x?a=1&b=%2F", "logs.example.org:80", "Content-Length: 0\r\n", method));
    EXPECT_EQ(reply.status, 308) << method;
    EXPECT_EQ(reply.field("location"), "https://logs.example.org:" + tls_port() + "/api/v1/x?a=1&b=%2F");
    EXPECT_EQ(reply.field("cache-control"), "no-store") << "a wrong answer must not stay in a browser";
    EXPECT_EQ(reply.field("strict-transport-security"), "") << "browsers do not believe it here";
  }
  EXPECT_EQ(ask(request("http://logs.example.org/y", "other")).field("location"),
            "https://logs.example.org:" + tls_port() + "/y");
  EXPECT_EQ(ask(request("//evil.example/x", "logs.example.org")).field("location"),
            "https://logs.example.org:" + tls_port() + "//evil.example/x");
  EXPECT_EQ(ask(request("/hello", "logs.example.org")).status, 308) << "no route of other profiles is here";
}

TEST_F(Redirection, PublicUrlWins) {
  server.options.public_url = "https://public.example/";
  server.options.allowed_hosts = {"logs.example.org"};
  start_both();
  EXPECT_EQ(ask(request("/x", "logs.example.org")).field("location"), "https://public.example/x");
  EXPECT_EQ(ask(request("/x", "evil.example")).field("location"), "https://public.example/x");
}

TEST_F(Redirection, NobodyIsLedToAHostOfAStrangersChoice) {
  server.options.allowed_hosts = {"logs.example.org"};
  start_both();
  for (const char* host : {"evil.example", "logs.example.org.evil.example", "localhost", "127.0.0.1"}) {
    const RawReply reply = ask(request("/x", host));
    EXPECT_EQ(reply.status, 421) << host;
    EXPECT_EQ(reply.field("location"), "") << host;
  }
}

TEST_F(Redirection, HealthIsAnswered) {
  start_both();
  for (const char* path : {"/healthz", "/health", "/_healthz"})
    EXPECT_EQ(ask(request(path, "any")).status, 200) << path;
  EXPECT_EQ(ask(request("/metrics", "any")).status, 421);
  EXPECT_EQ(ask(request("/readyz", "any")).status, 421);
}

TEST_F(Redirection, WhoShowsASecretHearsThatItWasReadable) {
  ServerOptions options;
  options.public_url = "https://logs.example.org";
  RequestHead head;
  head.path = "/x";
  head.headers.add("Authorization", "Bearer secret");
  const Peer remote{.address = "192.0.2.7"};
  const auto refusal = place_over_tls(options, 0, remote, head);
  ASSERT_TRUE(std::holds_alternative<GateRefusal>(refusal));
  EXPECT_EQ(std::get<GateRefusal>(refusal).status, 403);
  const Peer local{.address = "127.0.0.1", .is_loopback = true};
  EXPECT_TRUE(std::holds_alternative<std::string>(place_over_tls(options, 0, local, head)));
  options.tokens_over_http = TokensOverHttp::warn;
  EXPECT_TRUE(std::holds_alternative<std::string>(place_over_tls(options, 0, remote, head)));
  options.tokens_over_http = TokensOverHttp::refuse;
  RequestHead browser;
  browser.path = "/x";
  browser.headers.add("Cookie", "sid=old");
  EXPECT_EQ(std::get<std::string>(place_over_tls(options, 0, remote, browser)), "https://logs.example.org/x");
}

TEST_F(Redirection, ABodyIsReadAwayOrTheConnectionEnds) {
  server.options.public_url = "https://public.example";
  start_both();
  RawClient client(server.port(1));
  EXPECT_EQ(client.ask(post("/x", std::string(1'000, 'x'))).status, 308);
  EXPECT_EQ(client.ask(post("/x", "y")).status, 308);
}

}  // namespace
}  // namespace dendro
