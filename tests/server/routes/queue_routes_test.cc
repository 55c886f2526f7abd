#include "server/routes/queue_routes.h"

#include "io/memory_queue.h"
#include "tests/server/routes/route_caller.h"

namespace dendro {
namespace {

class QueueRoutesTest : public testing::Test {
 protected:
  static constexpr const char* kLetters = "/api/v1/admin/queues/{queue}/dead-letters";

  HttpResponse send(std::string_view method, std::string_view pattern, std::string body = {},
                    const std::string& id = {}, std::vector<std::pair<std::string, std::string>> query = {}) {
    HttpRequest request;
    request.body = std::move(body);
    request.query = std::move(query);
    request.path_params = {{"queue", queue_name_}, {"id", id}};
    return call_route(routes_, method, pattern, std::move(request));
  }
  /// Messages that are dead letters, with ids from 1 on.
  void bury(const std::vector<std::string>& bodies) {
    std::vector<QueueMessage> messages;
    for (const std::string& body : bodies) messages.push_back({body, {{"receiver", "ops"}}});
    ASSERT_TRUE(queue_.send(messages).has_value());
    for (std::uint32_t i = 0; i < kQueueReceivesMax; ++i) {
      ASSERT_EQ(queue_.receive(kQueueReceiveMax, std::chrono::seconds(1))->size(), bodies.size());
      clock_.advance(std::chrono::seconds(1));
    }
  }

  ManualClock clock_{Timestamp(1'700'000'000'000'000'000)};
  MemoryQueue queue_{clock_};
  QueueAdmin admin_{{{"alerts", &queue_}}};
  WorkerPool pool_{1, 16};
  std::vector<Route> routes_ = make_queue_routes(pool_, admin_, clock_);
  std::string queue_name_ = "alerts";
};

TEST_F(QueueRoutesTest, ListsQueuesWithDepthAndAge) {
  EXPECT_EQ(send("GET", "/api/v1/admin/queues").body,
            R"({"items":[{"name":"alerts","waiting":0,"leased":0,"dead_letters":0,"bytes":0}]})");
  bury({"dead"});
  const QueueMessage message{"alive", {}};
  ASSERT_TRUE(queue_.send({&message, 1}).has_value());
  clock_.advance(std::chrono::seconds(90));
  EXPECT_EQ(
      send("GET", "/api/v1/admin/queues").body,
      R"({"items":[{"name":"alerts","waiting":1,"leased":0,"dead_letters":1,"bytes":20,)"
      R"("oldest_at":"2023-11-14T22:13:25.000Z","oldest_age_s":90,"oldest_dead_at":"2023-11-14T22:13:20.000Z"}]})");
}

TEST_F(QueueRoutesTest, ListsDeadLettersPageByPageAndShowsOne) {
  bury({"a", "b", "c"});
  const JsonValue page = json_of(send("GET", kLetters, {}, {}, {{"limit", "2"}}));
  ASSERT_EQ(page.find("items")->elements().size(), 2u);
  EXPECT_EQ(text_of(page, "next_after"), "2");
  const HttpResponse rest = send("GET", kLetters, {}, {}, {{"limit", "2"}, {"after", "2"}});
  EXPECT_EQ(rest.body, R"({"items":[{"id":"3","receives":5,"sent_at":"2023-11-14T22:13:20.000Z","bytes":12,)"
                       R"("attributes":{"receiver":"ops"}}]})");
  EXPECT_EQ(text_of(json_of(send("GET", std::string(kLetters) + "/{id}", {}, "2")), "body"), "b");
  EXPECT_EQ(send("GET", std::string(kLetters) + "/{id}", {}, "9").status, 404);
  EXPECT_EQ(send("GET", kLetters, {}, {}, {{"limit", "0"}}).status, 400);
  EXPECT_EQ(send("GET", kLetters, {}, {}, {{"limit", "1001"}}).status, 400);
  EXPECT_EQ(send("GET", kLetters, {}, {}, {{"after", "x"}}).status, 400);
  queue_name_ = "none";
  EXPECT_EQ(send("GET", kLetters).status, 404);
}

TEST_F(QueueRoutesTest, RetriesAndDropsTheOneThatIsNamedOrAll) {
  bury({"a", "b", "c"});
  const std::string retry = std::string(kLetters) + "/retry", drop = std::string(kLetters) + "/drop";
  EXPECT_EQ(send("POST", retry, R"({"id":"2"})").body, R"({"retried":1})");
  EXPECT_EQ(queue_.depth()->waiting, 1u);
  EXPECT_EQ(send("POST", retry, R"({"id":"2"})").status, 404) << "it is not dead any more";
  EXPECT_EQ(send("POST", drop, R"({"id":"1"})").body, R"({"dropped":1})");
  for (const char* body :
       {"{}", R"({"id":""})", R"({"all":false})", R"({"id":"3","all":true})", R"({"ids":["3"]})", ""}) {
    EXPECT_EQ(send("POST", drop, body).status, 400) << body;
  }
  EXPECT_EQ(queue_.depth()->dead, 1u);
  EXPECT_EQ(send("POST", drop, R"({"all":true})").body, R"({"dropped":1})");
  EXPECT_EQ(send("POST", retry, R"({"all":true})").body, R"({"retried":0})");
}

}  // namespace
}  // namespace dendro
