#include "services/alerts/alert_service.h"

#include <gtest/gtest.h>

#include <future>

#include "io/memory_queue.h"
#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"
#include "tests/query/memory_snapshot.h"

namespace dendro {
namespace {

/// Says when it got its first message.
class FirstMessage final : public AlertReceiver {
 public:
  explicit FirstMessage(std::promise<AlertNotification>& first) : first_(first) {}
  Status deliver(const AlertNotification& notification) override {
    if (!is_set_.exchange(true)) first_.set_value(notification);
    return {};
  }

 private:
  std::promise<AlertNotification>& first_;
  std::atomic<bool> is_set_{false};
};

struct AlertServiceFixture : testing::Test {
  TemporaryFolder folder;
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  MemoryQueue queue{clock};
  WorkerPool workers{2, 16};
  std::promise<AlertNotification> first;
  std::atomic<bool> is_slow{false};
  std::promise<void> at_work;
  std::promise<void> go_on;
  std::unique_ptr<AlertService> service;
  QueryFault fault;
  RunningQueries running{clock, std::chrono::milliseconds(0)};
  std::atomic<bool> is_ended_by_operator{false};
  const TenantId shop = TenantId::parse("shop").value();

  Result<std::unique_ptr<AlertService>> try_open(std::vector<AlertRule> rules = {}) {
    AlertReceivers receivers;
    receivers.emplace("ops", std::make_unique<FirstMessage>(first));
    AlertQueryParts query{
        clock, [this](const TenantId&) -> Result<std::shared_ptr<const Snapshot>> {
          if (is_ended_by_operator.exchange(false)) running.cancel("alert-file-errors");
          if (is_slow.exchange(false)) {
            at_work.set_value();
            go_on.get_future().wait();
          }
          const Timestamp time(clock.now().number() - 100 * kNanosPerSecond);
          const std::string record = R"({"_time":")" + to_rfc3339(time) + R"(","body":"x"})" + "\n";
          return std::shared_ptr<const Snapshot>(make_memory_snapshot(load_json(record, clock.now())));
        }};
    query.running = &running;
    return AlertService::open({*database, queue, workers, clock, random, std::move(query)}, std::move(receivers),
                              std::move(rules));
  }
  void open(std::vector<AlertRule> rules = {}) {
    auto opened = try_open(std::move(rules));
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    service = std::move(*opened);
  }
  AlertRule rule(const std::string& name) const {
    AlertRule made;
    made.tenant = shop;
    made.name = name;
    made.query = "*";
    made.receivers = {"ops"};
    return made;
  }
  AlertRule file_rule(const std::string& name) const {
    AlertRule made = rule(name);
    made.id = "file-" + name;
    made.is_read_only = true;
    return made;
  }
  /// Moves the clock until the service has seen that something is due; it looks at least once a second.
  template <typename T>
  T wait_for(std::future<T> future) {
    while (future.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
      clock.advance(std::chrono::seconds(1));
    }
    return future.get();
  }
};

TEST_F(AlertServiceFixture, EvaluatesInTimeAndTells) {
  open({file_rule("errors")});
  service->start();
  const AlertNotification told = wait_for(first.get_future());
  EXPECT_EQ(told.title, "errors is firing");
  EXPECT_EQ(told.tenant, "shop");
  EXPECT_EQ(service->firing(), 1u);
  EXPECT_EQ(service->get(shop, "file-errors")->state, "firing");
  service->stop();
  EXPECT_EQ(service->counters().missed, 0u);
}

TEST_F(AlertServiceFixture, KeepsRulesOfATenantAcrossOpenings) {
  open();
  const auto made = service->create(rule("a"), fault);
  ASSERT_TRUE(made.has_value()) << made.error().message();
  EXPECT_EQ(service->create(rule("a"), fault).error().code(), ErrorCode::already_exists);
  service.reset();
  open();
  ASSERT_EQ(service->list(shop)->size(), 1u);
  EXPECT_TRUE(service->list(TenantId::default_tenant())->empty());
  EXPECT_EQ(service->get(TenantId::default_tenant(), made->rule.id).error().code(), ErrorCode::not_found);
  AlertRule changed = made->rule;
  changed.is_enabled = false;
  EXPECT_EQ(service->replace(changed, fault)->state, "disabled");
  EXPECT_TRUE(service->remove(shop, made->rule.id).has_value());
  EXPECT_EQ(service->remove(shop, made->rule.id).error().code(), ErrorCode::not_found);
}

TEST_F(AlertServiceFixture, RulesOfTheFileAreReadOnlyAndChecked) {
  open({file_rule("fixed")});
  AlertRule changed = file_rule("fixed");
  EXPECT_EQ(service->replace(changed, fault).error().code(), ErrorCode::permission_denied);
  EXPECT_EQ(service->remove(shop, "file-fixed").error().code(), ErrorCode::permission_denied);
  service.reset();
  EXPECT_EQ(try_open({file_rule("a"), file_rule("a")}).error().code(), ErrorCode::invalid_argument);
  AlertRule lost = file_rule("a");
  lost.receivers = {"nobody"};
  EXPECT_NE(try_open({lost}).error().message().find("no receiver \"nobody\""), std::string::npos);
}

TEST_F(AlertServiceFixture, ARuleRemovedWhileItIsEvaluatedLeavesNothingBehind) {
  open();
  const auto made = service->create(rule("a"), fault);
  is_slow = true;
  service->start();
  wait_for(at_work.get_future());
  EXPECT_TRUE(service->remove(shop, made->rule.id).has_value());
  EXPECT_EQ(service->get(shop, made->rule.id).error().code(), ErrorCode::not_found);
  go_on.set_value();
  service->stop();
  AlertStateTable states(*database);
  EXPECT_EQ(states.load(shop, made->rule.id)->evaluated, Timestamp());
}

TEST_F(AlertServiceFixture, AnOperatorWhoEndsAnEvaluationEndsThatOneOnly) {
  is_ended_by_operator = true;
  open({file_rule("errors")});
  service->start();
  EXPECT_EQ(wait_for(first.get_future()).title, "errors is firing");
  EXPECT_FALSE(is_ended_by_operator);
}

TEST_F(AlertServiceFixture, ATestSendsOnlyWhenItIsTold) {
  open({file_rule("a")});
  const auto tested = service->test(shop, "file-a", AlertService::Deliver::no, CancelToken());
  ASSERT_TRUE(tested.has_value());
  EXPECT_FALSE(tested->is_sent);
  ASSERT_EQ(tested->notifications.size(), 1u);
  EXPECT_EQ(tested->notifications[0].kind, AlertNotification::Kind::test);
  EXPECT_TRUE(service->test(shop, "file-a", AlertService::Deliver::yes, CancelToken())->is_sent);
  AlertStateTable states(*database);
  EXPECT_EQ(states.outbox(10)->size(), 1u);
  EXPECT_EQ(states.load(shop, "file-a")->evaluated, Timestamp());
}

}  // namespace
}  // namespace dendro
