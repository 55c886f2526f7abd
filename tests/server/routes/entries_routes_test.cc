#include "server/routes/entries_routes.h"

#include <gtest/gtest.h>

#include <future>

#include "services/entries/engine_entry_store.h"
#include "tests/services/entries/memory_store.h"

namespace dendro {
namespace {

struct EntriesRoutesFixture : testing::Test {
  MemoryStore memory;
  std::unique_ptr<EntryStore> store =
      make_engine_entry_store(memory, [this](const TenantId& tenant) { return memory.snapshot(tenant); });
  SystemRandom random;
  WorkerPool pool{1, 16};
  std::vector<Route> routes = make_entries_routes(pool, *store, random);

  HttpResponse send(std::string_view method, std::string_view path, HttpRequest request) {
    request.method = method;
    request.path = path;
    request.request_id = "req-1";
    request.received = Timestamp(1'706'357'700'000 * kNanosPerMilli);
    request.error_shape = ErrorShape::status_code;
    for (const Route& route : routes) {
      if (route.method != method || route.path != path) continue;
      std::promise<HttpResponse> promise;
      std::future<HttpResponse> reply = promise.get_future();
      route.handler(std::make_shared<HttpRequest>(std::move(request)),
                    [&promise](HttpResponse r) { promise.set_value(std::move(r)); });
      return reply.get();
    }
    ADD_FAILURE() << "no route " << method << " " << path;
    return {};
  }
  HttpResponse post(std::string body) {
    HttpRequest request;
    request.body = std::move(body);
    return send("POST", "/", std::move(request));
  }
};

TEST_F(EntriesRoutesFixture, CreatesAndReadsBack) {
  const HttpResponse created = post(R"({"severity":"ERROR","message":" boom "})");
  EXPECT_EQ(created.status, 201);
  EXPECT_TRUE(created.body.starts_with(R"({"statusCode":201,"message":"Log entry created successfully","logId":")"))
      << created.body;
  EXPECT_TRUE(created.body.ends_with(R"(","timestamp":1706357700000})")) << created.body;
  for (const char* path : {"/", "/recent"}) {
    const HttpResponse read = send("GET", path, {});
    EXPECT_EQ(read.status, 200);
    EXPECT_TRUE(read.body.starts_with(R"({"statusCode":200,"count":1,"logs":[{"logId":")")) << read.body;
    EXPECT_TRUE(read.body.ends_with(
        R"("timestamp":1706357700000,"datetime":"2024-01-27T12:15:00.000Z","severity":"error","message":"boom"}]})"))
        << read.body;
  }
}

TEST_F(EntriesRoutesFixture, FaultsAreInTheShapeOfS1) {
  const HttpResponse bad = post("{}");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, R"({"statusCode":400,"error":"Missing required field: severity"})");
  HttpRequest request;
  request.query = {{"limit", "0"}};
  EXPECT_EQ(send("GET", "/recent", request).status, 400);
  request.query = {{"cursor", "zzz"}};
  EXPECT_EQ(send("GET", "/recent", request).body, R"({"statusCode":400,"error":"Invalid cursor"})");
}

TEST_F(EntriesRoutesFixture, StoreFailuresHaveOneTextAndTheirStatus) {
  const char* good = R"({"severity":"info","message":"m"})";
  memory.fail_commits_with(Error(ErrorCode::io_error, "/secret/path"));
  EXPECT_EQ(post(good).body, R"({"statusCode":500,"error":"Failed to store log entry"})");
  memory.fail_commits_with(Error(ErrorCode::resource_exhausted, "x"));
  const HttpResponse busy = post(good);
  EXPECT_EQ(busy.status, 503);
  EXPECT_TRUE(busy.headers.find("Retry-After"));
}

TEST_F(EntriesRoutesFixture, ReadFailureHidesInternals) {
  const auto broken = make_engine_entry_store(memory, [](const TenantId&) -> Result<std::shared_ptr<const Snapshot>> {
    return Error(ErrorCode::io_error, "/secret/path");
  });
  routes = make_entries_routes(pool, *broken, random);
  const HttpResponse response = send("GET", "/recent", {});
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, R"({"statusCode":500,"error":"Failed to retrieve log entries","details":"io_error"})");
}

TEST_F(EntriesRoutesFixture, NextIsThereOnlyWhenPagesWereAskedFor) {
  for (int i = 0; i < 101; ++i) ASSERT_EQ(post(R"({"severity":"info","message":"m"})").status, 201);
  EXPECT_EQ(send("GET", "/recent", {}).body.find("\"next\""), std::string::npos);
  HttpRequest request;
  request.query = {{"limit", "100"}};
  EXPECT_NE(send("GET", "/recent", request).body.find("\"next\""), std::string::npos);
  request.query = {{"limit", "101"}};
  EXPECT_EQ(send("GET", "/recent", request).body.find("\"next\""), std::string::npos);
}

TEST_F(EntriesRoutesFixture, ARetryIsMarked) {
  HttpRequest request;
  request.headers.add("Idempotency-Key", "k");
  request.body = R"({"severity":"info","message":"m"})";
  const HttpResponse first = send("POST", "/", request);
  const HttpResponse again = send("POST", "/", request);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.find("Idempotency-Replayed"), "true");
  request.body = R"({"severity":"info","message":"other"})";
  EXPECT_EQ(send("POST", "/", request).status, 409);
}

}  // namespace
}  // namespace dendro
