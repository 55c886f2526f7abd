#include "server/routes/analyze_routes.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/conformance/memory_object_store.h"

namespace dendro {
namespace {

class RecordingPublisher final : public AlertPublisher {
 public:
  Status publish(std::string_view json) override {
    if (refuses) return Error(ErrorCode::unavailable, "topic arn:secret");
    published.emplace_back(json);
    return {};
  }
  bool refuses = false;
  std::vector<std::string> published;
};

class AnalyzeRoutes : public testing::Test {
 protected:
  AnalyzeRoutes() {
    objects_.put_object("logs", "app/new \u00e9.jsonl",
                        "{\"service\":\"api\",\"level\":\"ERROR\"}\n{\"service\":\"db\",\"level\":\"ERROR\"}\nbad\n"
                        "{\"service\":\"x\",\"level\":\"ERROR\"}\n",
                        Timestamp(kNanosPerSecond));
  }
  HttpResponse send(const std::string& method, const std::string& path,
                    std::vector<std::pair<std::string, std::string>> query, AlertPublisher* publisher = nullptr) {
    for (const Route& route : make_analyze_routes(pool_, objects_, {"logs*", "missing"}, publisher)) {
      if (route.method != method || route.path != path) continue;
      auto request = std::make_shared<HttpRequest>();
      request->method = method;
      request->query = std::move(query);
      request->request_id = "r1";
      request->error_shape = ErrorShape::detail;
      std::promise<HttpResponse> answered;
      route.handler(request, [&](HttpResponse response) { answered.set_value(std::move(response)); });
      return answered.get_future().get();
    }
    ADD_FAILURE() << "no route " << method << " " << path;
    return {};
  }
  HttpResponse analyze(std::vector<std::pair<std::string, std::string>> query) {
    return send("GET", "/analyze", std::move(query));
  }

  WorkerPool pool_{1, 4};
  MemoryObjectStore objects_;
};

TEST_F(AnalyzeRoutes, AnswersTheResultWithItsHeaders) {
  const HttpResponse response = analyze({{"bucket", "logs"}, {"prefix", ""}, {"stream", "Yes"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"total":3,"byService":{"api":1,"db":1,"x":1},"alert":true})");
  EXPECT_EQ(response.headers.find("X-Dendro-Object"), "app/new%20%C3%A9.jsonl");
  EXPECT_EQ(response.headers.find("X-Dendro-Lines"), "4");
  EXPECT_EQ(response.headers.find("X-Dendro-Lines-Skipped"), "1");
  EXPECT_EQ(response.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(analyze({{"bucket", "logs"}, {"prefix", ""}, {"threshold", "4"}}).body,
            R"({"total":3,"byService":{"api":1,"db":1,"x":1},"alert":false})");
}

TEST_F(AnalyzeRoutes, NamesEveryFaultyParameter) {
  const HttpResponse response =
      analyze({{"threshold", "-1"}, {"stream", "maybe"}, {"latest", "0"}, {"since", "x"}, {"group_by", ""}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(
      response.body,
      R"({"detail":[{"loc":["query","bucket"],"msg":"Field required","type":"missing"},)"
      R"({"loc":["query","prefix"],"msg":"Field required","type":"missing"},)"
      R"({"loc":["query","threshold"],"msg":"Input should be greater than or equal to 0","type":"greater_than_equal"},)"
      R"({"loc":["query","stream"],"msg":"Input should be a valid boolean, unable to interpret input","type":"bool_parsing"},)"
      R"({"loc":["query","since"],"msg":"Input should be a valid datetime","type":"datetime_parsing"},)"
      R"({"loc":["query","group_by"],"msg":"String should have at least 1 character","type":"string_too_short"},)"
      R"({"loc":["query","latest"],"msg":"Input should be greater than or equal to 1","type":"greater_than_equal"}]})");
  const HttpResponse text = analyze({{"bucket", "logs"}, {"prefix", ""}, {"threshold", "abc"}});
  EXPECT_EQ(text.status, 422);
  EXPECT_NE(text.body.find(R"(["query","threshold"])"), std::string::npos);
  EXPECT_NE(text.body.find("int_parsing"), std::string::npos);
  EXPECT_EQ(analyze({{"bucket", "logs"}, {"prefix", ""}, {"threshold", "9223372036854775808"}}).status, 422);
}

TEST_F(AnalyzeRoutes, MapsFailuresToTheirStatus) {
  const HttpResponse nothing = analyze({{"bucket", "logs"}, {"prefix", "none"}});
  EXPECT_EQ(nothing.status, 404);
  EXPECT_EQ(nothing.body, R"({"detail":"No logs found at the specified prefix."})");
  const HttpResponse missing = analyze({{"bucket", "missing"}, {"prefix", ""}});
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"detail":"S3 bucket 'missing' not found."})");
  const HttpResponse refused = analyze({{"bucket", "other"}, {"prefix", ""}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body, R"({"detail":"Bucket 'other' is not allowed."})");
  EXPECT_EQ(analyze({{"bucket", "file:///etc"}, {"prefix", ""}}).status, 403);

  objects_.fail_with(Error(ErrorCode::permission_denied, "key AKIA secret"));
  const HttpResponse denied = analyze({{"bucket", "logs"}, {"prefix", ""}});
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(denied.body, R"({"detail":"An S3 error occurred: AccessDenied"})");
  objects_.fail_with(Error(ErrorCode::resource_exhausted, "slow"));
  const HttpResponse slow = analyze({{"bucket", "logs"}, {"prefix", ""}});
  EXPECT_EQ(slow.status, 503);
  EXPECT_TRUE(slow.headers.find("Retry-After").has_value());
}

TEST_F(AnalyzeRoutes, StrictRefusesSkippedLines) {
  const HttpResponse response = analyze({{"bucket", "logs"}, {"prefix", ""}, {"strict", "1"}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body, R"({"detail":"1 line skipped: 1 not JSON"})");
}

TEST_F(AnalyzeRoutes, LevelsAndGroups) {
  EXPECT_EQ(analyze({{"bucket", "logs"},
                     {"prefix", ""},
                     {"level", "error"},
                     {"level", "x"},
                     {"ignore_case", "true"},
                     {"group_by", "level"}})
                .body,
            R"({"total":3,"byService":{"ERROR":3},"alert":true})");
}

TEST_F(AnalyzeRoutes, NotifyPublishesOnlyAlerts) {
  const std::vector<std::pair<std::string, std::string>> due = {{"bucket", "logs"}, {"prefix", ""}};
  const std::vector<std::pair<std::string, std::string>> quiet = {
      {"bucket", "logs"}, {"prefix", ""}, {"threshold", "4"}};
  for (const char* method : {"GET", "POST"}) {
    RecordingPublisher topic;
    EXPECT_EQ(send(method, "/notify", quiet).status, 200);
    EXPECT_EQ(send(method, "/notify", due).status, 501);
    EXPECT_EQ(send(method, "/notify", quiet, &topic).status, 200);
    EXPECT_TRUE(topic.published.empty());
    const HttpResponse sent = send(method, "/notify", due, &topic);
    EXPECT_EQ(sent.status, 200);
    EXPECT_EQ(topic.published, std::vector<std::string>{sent.body});
    topic.refuses = true;
    const HttpResponse refused = send(method, "/notify", due, &topic);
    EXPECT_EQ(refused.status, 502);
    EXPECT_EQ(refused.body.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace dendro
