// HttpClient over libcurl against dendro's own HTTP server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/http/curl_http_client.h"
#include "base/clock.h"
#include "base/random.h"
#include "server/http_server.h"

namespace dendro {
namespace {

using testing::HasSubstr;

class HttpClientTest : public testing::Test {
 protected:
  void SetUp() override {
    RouteTable routes;
    routes.push_back(route(
        "POST", "/echo", [](const HttpRequest& request) { return json_response(200, "[\"" + request.body + "\"]"); }));
    routes.push_back(route("GET", "/busy", [](const HttpRequest&) {
      HttpResponse response = json_response(503, "{}");
      response.headers.add("Retry-After", "7");
      return response;
    }));
    routes.push_back(
        route("GET", "/large", [](const HttpRequest&) { return json_response(200, std::string(3'000'000, 'x')); }));
    auto started = HttpServer::start({}, {*parse_listener_spec("127.0.0.1:0")}, std::move(routes),
                                     {clock_, random_, workers_, metrics_});
    ASSERT_TRUE(started.has_value()) << started.error().message();
    server_ = std::move(started).value();
    url_ = "http://" + server_->bound()[0].address_text();
  }

  template <typename Reply>
  static Route route(std::string method, std::string path, Reply reply) {
    Route row;
    row.method = std::move(method);
    row.path = std::move(path);
    row.on = profiles(Profile::platform);
    row.operation_id = row.path.substr(1);
    row.handler = [reply](std::shared_ptr<const HttpRequest> request, Responder respond) { respond(reply(*request)); };
    return row;
  }

  Result<HttpClientReply> get(const std::string& path, const HttpBodySink& sink = nullptr,
                              std::uint64_t bytes_max = 1 << 24) {
    HttpClientRequest request;
    request.url = url_ + path;
    request.reply_bytes_max = bytes_max;
    return client_->exchange(request, sink);
  }

  SystemClock clock_;
  SystemRandom random_;
  WorkerPool workers_{1, 16};
  ServerMetrics metrics_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_ = make_curl_http_client();
  std::string url_;
};

TEST_F(HttpClientTest, SendsABodyAndGivesStatusHeadersAndBody) {
  HttpClientRequest request;
  request.method = "POST";
  request.url = url_ + "/echo";
  request.body = "hello";
  for (int i = 0; i < 3; ++i) {
    const auto reply = client_->exchange(request, nullptr);
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "[\"hello\"]");
    EXPECT_EQ(reply->header("content-type"), "application/json");
  }
}

TEST_F(HttpClientTest, ProxiesOfTheEnvironmentAreLeftOutOnRequest) {
  for (const auto& [name, value] :
       {std::pair{"http_proxy", "http://127.0.0.1:1"}, {"no_proxy", ""}, {"NO_PROXY", ""}}) {
    ASSERT_EQ(::setenv(name, value, 1), 0);
  }
  HttpClientRequest request;
  request.url = url_ + "/busy";
  EXPECT_FALSE(client_->exchange(request, nullptr).has_value());
  request.bypasses_proxy = true;
  EXPECT_TRUE(client_->exchange(request, nullptr).has_value());
  for (const char* name : {"http_proxy", "no_proxy", "NO_PROXY"}) ::unsetenv(name);
}

TEST_F(HttpClientTest, AnyStatusIsAReply) {
  const auto reply = get("/busy");
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->header("retry-after"), "7");
}

TEST_F(HttpClientTest, ASinkTakesTheBodyOfASuccessAndMayStopIt) {
  std::size_t taken = 0;
  ASSERT_TRUE(get("/large", [&](std::string_view bytes) {
                taken += bytes.size();
                return Status();
              }).has_value());
  EXPECT_EQ(taken, 3'000'000u);
  const auto stopped = get("/large", [](std::string_view) { return Status(Error(ErrorCode::io_error, "disk gone")); });
  ASSERT_FALSE(stopped.has_value());
  EXPECT_THAT(stopped.error().message(), HasSubstr("disk gone"));
}

TEST_F(HttpClientTest, FailuresSayWhatTheCallerCanDo) {
  EXPECT_EQ(get("/large", nullptr, 1'000).error().code(), ErrorCode::too_large);
  HttpClientRequest request;
  request.url = "http://user:secret@127.0.0.1:1/path?token=secret";
  const auto refused = client_->exchange(request, nullptr);
  EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(refused.error().message(), Not(HasSubstr("secret")));
  request.url = "gopher://127.0.0.1/";
  EXPECT_EQ(client_->exchange(request, nullptr).error().code(), ErrorCode::invalid_argument);
  request.url = url_ + "/large";
  request.cancel.cancel();
  EXPECT_EQ(client_->exchange(request, nullptr).error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace dendro
