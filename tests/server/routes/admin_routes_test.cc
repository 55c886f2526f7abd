#include "server/routes/admin_routes.h"

#include <gtest/gtest.h>

#include <future>

#include "base/json_document.h"
#include "server/openapi.h"
#include "tests/server/routes/route_caller.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

class AdminRoutesTest : public testing::Test {
 protected:
  AdminRoutesTest() {
    store_.open();
    service_.emplace(*store_.store, store_.clock, store_.random, AdminOptions{"/backups"});
    routes_ = make_admin_routes(pool_, *service_);
  }

  /// @param pattern  the route's path; `id` stands for its {id}.
  HttpResponse send(std::string_view method, std::string_view pattern, std::string body = {},
                    const std::string& id = {}, std::vector<std::pair<std::string, std::string>> query = {}) {
    HttpRequest request;
    request.body = std::move(body);
    request.query = std::move(query);
    if (!id.empty()) request.path_params = {{"id", id}};
    request.received = kTestTime;
    return call_route(routes_, method, pattern, std::move(request));
  }
  static JsonValue json(const HttpResponse& response) { return json_of(response); }
  static std::string text(const JsonValue& object, std::string_view name) { return text_of(object, name); }
  JsonValue wait_for_job(const HttpResponse& started) {
    EXPECT_EQ(started.status, 202) << started.body;
    const std::string id = text(json(started), "job_id");
    EXPECT_EQ(started.headers.find("Location"), "/api/v1/admin/jobs/" + id);
    for (;; std::this_thread::yield()) {
      const JsonValue job = json(send("GET", "/api/v1/admin/jobs/{id}", "", id));
      if (text(job, "state") != "running") return job;
    }
  }

  StoreFixture store_;
  WorkerPool pool_{1, 16};
  std::optional<AdminService> service_;
  std::vector<Route> routes_;
};

TEST_F(AdminRoutesTest, DeletesWhatAFilterMatches) {
  ASSERT_TRUE(store_.append({"keep", "drop 1", "drop 2"}).has_value());
  const HttpResponse counted = send("POST", "/api/v1/admin/delete", R"({"query":"drop","dry_run":true})");
  EXPECT_EQ(counted.status, 200);
  EXPECT_EQ(counted.body, R"({"matched":2,"complete":true})");
  EXPECT_EQ(store_.bodies().size(), 3u);
  const HttpResponse deleted =
      send("POST", "/api/v1/admin/delete", R"({"query":"drop","start":"2023-11-14","end":"2023-11-15T00:00:00Z"})");
  EXPECT_EQ(deleted.status, 202) << deleted.body;
  const std::string id = text(json(deleted), "deletion_id");
  EXPECT_EQ(deleted.body, R"({"deletion_id":")" + id + R"(","matched":2,"complete":true})");
  EXPECT_EQ(store_.bodies(), (Bodies{"keep"}));
  const std::string item = R"({"items":[{"id":")" + id +
                           R"(","query":"drop","start":"2023-11-14T00:00:00.000000000Z",)"
                           R"("end":"2023-11-15T00:00:00.000000000Z","created":"2023-11-14T22:13:20.000000000Z",)"
                           R"("origin":"request","state":")";
  EXPECT_EQ(send("GET", "/api/v1/admin/deletions").body, item + R"(pending"}]})");
  ASSERT_TRUE(store_.store->compact().has_value());
  EXPECT_EQ(send("GET", "/api/v1/admin/deletions").body, item + R"(done"}]})");
}

TEST_F(AdminRoutesTest, RefusesDeletionsByName) {
  const auto refused = [this](std::string body) {
    const HttpResponse response = send("POST", "/api/v1/admin/delete", std::move(body));
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_EQ(response.content_type, "application/problem+json");
    return text(json(response), "detail");
  };
  EXPECT_NE(refused(R"({"query":"a | limit 1"})").find("a filter only"), std::string::npos);
  EXPECT_NE(refused(R"({})").find("query"), std::string::npos);
  EXPECT_NE(refused(R"({"query":"a","dry_run":"yes"})").find("dry_run"), std::string::npos);
  EXPECT_NE(refused(R"({"query":"a","begin":"now"})").find("begin"), std::string::npos);
  EXPECT_NE(refused(R"({"query":7})").find("query"), std::string::npos);
  EXPECT_NE(refused("[]").find("object"), std::string::npos);
  const HttpResponse syntax = send("POST", "/api/v1/admin/delete", R"({"query":"status:=500 ("})");
  EXPECT_EQ(syntax.status, 400);
  EXPECT_EQ(text(json(syntax), "code"), "query_syntax");
  EXPECT_NE(json(syntax).find("query"), nullptr);
}

TEST_F(AdminRoutesTest, RunsLongWorkAsJobs) {
  ASSERT_TRUE(store_.append({"a"}).has_value());
  const JsonValue backup = wait_for_job(send("POST", "/api/v1/admin/backup", R"({"directory":"monday"})"));
  EXPECT_EQ(text(backup, "state"), "done");
  EXPECT_EQ(text(backup, "kind"), "backup");
  EXPECT_EQ(text(*backup.find("result"), "directory"), "/backups/monday");
  EXPECT_TRUE(verify_backup("/backups/monday", *store_.files)->empty());
  const JsonValue verify = wait_for_job(send("POST", "/api/v1/admin/verify"));
  EXPECT_EQ(verify.find("result")->find("undamaged")->as_bool(), true);
  const JsonValue compact = wait_for_job(send("POST", "/api/v1/admin/compact"));
  EXPECT_EQ(compact.find("result")->find("after")->find("segments")->as_int(), 1);
  const JsonValue failed = wait_for_job(send("POST", "/api/v1/admin/backup", R"({"directory":"monday"})"));
  EXPECT_EQ(text(failed, "state"), "failed");
  EXPECT_EQ(text(*failed.find("problem"), "code"), "already_exists");
  const JsonValue jobs = json(send("GET", "/api/v1/admin/jobs"));
  ASSERT_EQ(jobs.find("items")->elements().size(), 4u);
  EXPECT_EQ(text(jobs.find("items")->elements()[0], "state"), "failed");
}

TEST_F(AdminRoutesTest, CompactAnswersWhenItIsDone) {
  for (const char* body : {"a", "b"}) {
    ASSERT_TRUE(store_.append({body}).has_value());
    ASSERT_TRUE(store_.store->flush().has_value());
  }
  const HttpResponse done = send("POST", "/api/v1/admin/compact", "", "", {{"wait", "true"}, {"all", "true"}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(text(json(done), "state"), "done");
  EXPECT_EQ(store_.store->stats().segment_count, 1u);
  EXPECT_EQ(send("POST", "/api/v1/admin/compact", "", "", {{"wait", "soon"}}).status, 400);
}

TEST_F(AdminRoutesTest, OneJobOfAKindAndItsEnd) {
  ASSERT_TRUE(store_.append({"a"}).has_value());
  std::promise<void> gate;
  const auto waits = [opened = gate.get_future().share()](const WorkWatch&) -> Result<std::string> {
    opened.wait();
    return std::string();
  };
  const auto running = service_->jobs().start("verify", waits);
  ASSERT_TRUE(running.has_value());
  const HttpResponse second = send("POST", "/api/v1/admin/verify");
  EXPECT_EQ(second.status, 409);
  EXPECT_NE(text(json(second), "detail").find(*running), std::string::npos);
  const HttpResponse cancelled = send("DELETE", "/api/v1/admin/jobs/{id}", "", *running);
  EXPECT_EQ(cancelled.status, 202);
  EXPECT_EQ(text(json(cancelled), "state"), "running");
  gate.set_value();
  EXPECT_EQ(send("DELETE", "/api/v1/admin/jobs/{id}", "", "none").status, 404);
  EXPECT_EQ(send("GET", "/api/v1/admin/jobs/{id}", "", "none").status, 404);
}

TEST_F(AdminRoutesTest, BackupsGoNowhereElse) {
  EXPECT_EQ(send("POST", "/api/v1/admin/backup", R"({"directory":"/etc"})").status, 403);
  EXPECT_EQ(send("POST", "/api/v1/admin/backup", R"({})").status, 400);
  AdminService without(*store_.store, store_.clock, store_.random, {});
  routes_ = make_admin_routes(pool_, without);
  const HttpResponse refused = send("POST", "/api/v1/admin/backup", R"({"directory":"x"})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(text(json(refused), "detail").find("admin.backup_directory"), std::string::npos);
}

TEST_F(AdminRoutesTest, HealthHasTheFiguresOfNow) {
  ASSERT_TRUE(store_.append({"a", "b"}).has_value());
  ASSERT_TRUE(store_.store->flush().has_value());
  ASSERT_TRUE(store_.append({"c"}).has_value());
  const HttpResponse response = send("GET", "/api/v1/admin/health");
  EXPECT_EQ(response.status, 200);
  const JsonValue health = json(response);
  EXPECT_EQ(health.find("accepts_writes")->as_bool(), true);
  EXPECT_EQ(health.find("memtable")->find("records")->as_int(), 1);
  EXPECT_EQ(health.find("segments")->find("records")->as_int(), 2);
  EXPECT_EQ(health.find("segments")->find("damaged")->as_int(), 0);
  EXPECT_EQ(health.find("deletions")->find("pending")->as_int(), 0);
  EXPECT_EQ(health.find("disk")->find("total_bytes")->as_int(), std::int64_t{1} << 40);
  for (const char* group : {"wal", "compaction"}) EXPECT_NE(health.find(group), nullptr) << group;
}

TEST_F(AdminRoutesTest, AreInTheDocumentOfThePlatformAlone) {
  const std::string platform = make_openapi(routes_, Profile::platform, "1");
  EXPECT_TRUE(parse_json_document(platform).has_value());
  for (const Route& route : routes_) {
    EXPECT_NE(platform.find('"' + route.path + '"'), std::string::npos) << route.path;
    EXPECT_NE(platform.find('"' + route.operation_id + '"'), std::string::npos) << route.operation_id;
    if (!route.request_schema_json.empty()) EXPECT_TRUE(parse_json_document(route.request_schema_json).has_value());
    for (const RouteReply& reply : route.replies) {
      if (!reply.example_json.empty()) EXPECT_TRUE(parse_json_document(reply.example_json).has_value()) << route.path;
    }
  }
  EXPECT_EQ(make_openapi(routes_, Profile::ingest, "1").find("/admin/"), std::string::npos);
}

}  // namespace
}  // namespace dendro
