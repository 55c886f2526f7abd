#include "server/routes/ingest_routes.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/parse/decoding.h"
#include "tests/services/entries/memory_store.h"

namespace dendro {
namespace {

struct IngestRoutesFixture : testing::Test {
  MemoryStore memory;
  WorkerPool pool{1, 16};
  std::vector<Route> routes = make_ingest_routes(pool, memory);

  static std::shared_ptr<HttpRequest> request_of(std::string body) {
    auto request = std::make_shared<HttpRequest>();
    request->method = "POST";
    request->body = std::move(body);
    request->request_id = "req-1";
    request->received = kTestNow;
    return request;
  }
  HttpResponse send(std::shared_ptr<HttpRequest> request) {
    std::promise<HttpResponse> promise;
    std::future<HttpResponse> reply = promise.get_future();
    routes.at(0).handler(std::move(request),
                         [&promise](HttpResponse response) { promise.set_value(std::move(response)); });
    return reply.get();
  }
  HttpResponse send(std::string body) { return send(request_of(std::move(body))); }
};

TEST_F(IngestRoutesFixture, StoresAndCounts) {
  const HttpResponse response = send("{\"a\":1}\nbad\n{\"a\":2}\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(
      response.body,
      R"({"accepted":2,"rejected":1,"replayed":false,"errors":[{"index":1,"reason":"parse_error","detail":"expected a value at byte 0"}]})");
  EXPECT_EQ(memory.batches().at(0)->size(), 3u);
}

TEST_F(IngestRoutesFixture, NothingIs200WithZeros) {
  EXPECT_EQ(send("").body, R"({"accepted":0,"rejected":0,"replayed":false,"errors":[]})");
  EXPECT_TRUE(memory.batches().empty());
}

TEST_F(IngestRoutesFixture, AllRejectedIs400WithTheErrorsAndTheirDeadLetters) {
  auto request = request_of("bad\n");
  request->headers.add("Content-Type", "application/json");
  const HttpResponse response = send(request);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_NE(response.body.find(
                R"("code":"invalid_argument","request_id":"req-1","errors":[{"index":0,"reason":"parse_error")"),
            std::string::npos)
      << response.body;
  EXPECT_TRUE(response.body.ends_with(R"("accepted":0,"rejected":1,"replayed":false})")) << response.body;
  EXPECT_EQ(memory.batches().size(), 1u);
}

TEST_F(IngestRoutesFixture, ARetryWithItsKeyGetsTheFirstReplyAgain) {
  const auto with_key = [](std::string body, std::string key) {
    auto request = request_of(std::move(body));
    request->headers.add("idempotency-key", std::move(key));
    return request;
  };
  const HttpResponse first = send(with_key("{\"a\":1}\nbad", "k"));
  const HttpResponse again = send(with_key("{\"a\":1}\nbad", "k"));
  EXPECT_EQ(first.headers.find("Idempotency-Replayed"), std::nullopt);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.headers.find("Idempotency-Replayed"), "true");
  EXPECT_NE(again.body.find(R"({"accepted":1,"rejected":1,"replayed":true,"errors":[{"index":1)"), std::string::npos);
  EXPECT_EQ(memory.batches().size(), 1u);
  EXPECT_EQ(send(with_key("{\"a\":2}", "k")).status, 409);
  EXPECT_EQ(send(with_key("{\"a\":2}", "k2")).status, 200);
  EXPECT_EQ(send(with_key("{\"a\":2}", std::string(129, 'k'))).status, 400);
  EXPECT_EQ(send(with_key("{\"a\":2}", "")).status, 400);
}

TEST_F(IngestRoutesFixture, RefusalsHaveTheirStatusAndRetryAfter) {
  const std::vector<std::pair<ErrorCode, int>> rows = {
      {ErrorCode::resource_exhausted, 429}, {ErrorCode::unavailable, 503}, {ErrorCode::storage_full, 507}};
  for (const auto& [code, status] : rows) {
    memory.refuse_with(Error(code, "x"));
    const HttpResponse at_once = send("{\"a\":1}");
    memory.refuse_with(std::nullopt);
    memory.fail_commits_with(Error(code, "x"));
    const HttpResponse later = send("{\"a\":1}");
    memory.fail_commits_with(std::nullopt);
    EXPECT_EQ(at_once.status, status);
    EXPECT_EQ(later.status, status);
    EXPECT_TRUE(at_once.headers.find("Retry-After"));
  }
  EXPECT_TRUE(memory.batches().empty());
}

TEST_F(IngestRoutesFixture, AFullPoolIs429) {
  WorkerPool full(1, 1);
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  std::promise<void> begun;
  ASSERT_TRUE(full.submit([gone, &begun] {
    begun.set_value();
    gone.wait();
  }));
  begun.get_future().wait();
  while (full.submit([] {})) {
  }
  routes = make_ingest_routes(full, memory);
  EXPECT_EQ(send("{\"a\":1}").status, 429);
  go.set_value();
}

TEST_F(IngestRoutesFixture, ReadsItsParameters) {
  auto request = request_of(R"({"when":1,"payload":"p","sev":"error","pod":"x","service":"s"})");
  request->query = {{"time_field", "when"},         {"body_field", "payload"}, {"severity_field", "sev"},
                    {"stream_fields", "pod, host"}, {"resource.team", "blue"}, {"unknown", "1"}};
  ASSERT_EQ(send(request).status, 200);
  const RecordView record = memory.batches().at(0)->record(0);
  EXPECT_EQ(record.timestamp(), Timestamp(kNanosPerSecond));
  EXPECT_EQ(record.severity(), kSeverityError);
  EXPECT_EQ(leaf_text(record, "body"), "p");
  EXPECT_EQ(label_text(record, "pod"), "x");
  EXPECT_EQ(label_text(record, "team"), "blue");
  EXPECT_EQ(label_text(record, "service"), "<none>");
  EXPECT_EQ(label_text(record, "dendro.source"), "ingest");
}

TEST_F(IngestRoutesFixture, RefusesWrongParameters) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"format", "xml"}, {"ack", "tape"}, {"resource.", "x"}, {"resource.dendro.source", "entries"}};
  for (const auto& row : rows) {
    auto request = request_of("{\"a\":1}");
    request->query = {row};
    EXPECT_EQ(send(request).status, 400) << row.first;
  }
}

TEST_F(IngestRoutesFixture, AckFromMemoryAnswersOnceQueued) {
  auto request = request_of("{\"a\":1}");
  request->headers.add("X-Dendro-Ack", "memory");
  memory.fail_commits_with(Error(ErrorCode::io_error, "x"));
  EXPECT_EQ(send(request).status, 200);
}

TEST(IngestRoutes, BothPathsAreDescribed) {
  MemoryStore memory;
  WorkerPool pool(1, 1);
  const std::vector<Route> routes = make_ingest_routes(pool, memory);
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].path, "/api/v1/ingest");
  EXPECT_EQ(routes[1].path, "/api/v1/ingest/bulk");
  for (const Route& route : routes) {
    EXPECT_EQ(route.permission, Permission::ingest);
    EXPECT_EQ(route.body_bytes_max, std::uint64_t{64} << 20);
    EXPECT_FALSE(route.params.empty());
    EXPECT_FALSE(route.replies.empty());
  }
}

}  // namespace
}  // namespace dendro
