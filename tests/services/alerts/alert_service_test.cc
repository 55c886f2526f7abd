#include "services/alerts/alert_service.h"

#include <gtest/gtest.h>

#include <future>
#include <set>
#include <thread>

#include "io/memory_queue.h"
#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"
#include "tests/query/memory_snapshot.h"

namespace dendro {
namespace {

/// Says when it got its first message; then waits until it may go on.
class FirstMessage final : public AlertReceiver {
 public:
  FirstMessage(std::promise<AlertNotification>& first, std::atomic<int>& count, std::shared_future<void> go_on)
      : first_(first), count_(count), go_on_(std::move(go_on)) {}
  Status deliver(const AlertNotification& notification) override {
    if (count_++ == 0) first_.set_value(notification);
    if (go_on_.valid()) go_on_.wait();
    return {};
  }

 private:
  std::promise<AlertNotification>& first_;
  std::atomic<int>& count_;
  const std::shared_future<void> go_on_;
};

struct AlertServiceFixture : testing::Test {
  TemporaryFolder folder;
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  MemoryQueue queue{clock};
  WorkerPool workers{2, 16};
  std::promise<AlertNotification> first;
  std::atomic<int> delivered{0};
  std::shared_future<void> receiver_go_on;  ///< without one a receiver waits for nothing
  Mutex asked_mutex;
  std::vector<std::string> asked;  ///< tenants whose records were asked for
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
    receivers.emplace("ops", std::make_unique<FirstMessage>(first, delivered, receiver_go_on));
    AlertQueryParts query{
        clock, [this](const TenantId& tenant) -> Result<std::shared_ptr<const Snapshot>> {
          {
            MutexLock lock(asked_mutex);
            asked.push_back(tenant.text());
          }
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
  std::vector<std::string> asked_so_far() {
    MutexLock lock(asked_mutex);
    return asked;
  }
  void execute(const char* sql) {
    ASSERT_TRUE(database->transact([&](MetaTransaction& meta) -> Status {
      DENDRO_TRY(meta.change(sql));
      return {};
    }));
  }
  /// The schedule looks at the clock.
  void wake_schedule() {
    AlertRule idle = rule("idle " + std::to_string(++idle_rules));
    idle.is_enabled = false;
    EXPECT_TRUE(service->create(idle, fault).has_value());
  }
  int idle_rules = 0;
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

TEST_F(AlertServiceFixture, AClockThatStepsBackStopsNoRule) {
  open({file_rule("errors")});
  service->start();
  wait_for(first.get_future());
  clock.set_now(clock.now().next(-86'400 * kNanosPerSecond));
  const std::uint64_t before = service->counters().evaluations;
  for (int second = 0; second < 130 && service->counters().evaluations == before; ++second) {
    clock.advance(std::chrono::seconds(1));
    wake_schedule();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(service->counters().evaluations, before) << "two intervals behind the step";
  service->stop();
}

/// Each of them has missed an hour: those who come first in some order must not make up for all of theirs first.
TEST_F(AlertServiceFixture, RulesTakeTurnsWhenThereIsMoreToDoThanTime) {
  AlertStateTable states(*database);
  std::vector<AlertRule> rules;
  for (const char* tenant : {"a", "b", "c", "d"}) {
    AlertRule one = file_rule("late");
    one.tenant = TenantId::parse(tenant).value();
    AlertCommit commit;
    commit.tenant = one.tenant;
    commit.rule = one.id;
    commit.now = clock.now();
    commit.state.evaluated = clock.now().next(-3'600 * kNanosPerSecond);
    ASSERT_TRUE(states.commit(commit, kTimestampMin).has_value());
    rules.push_back(one);
  }
  open(rules);
  service->start();
  while (asked_so_far().size() < 6) std::this_thread::yield();
  service->stop();
  const std::vector<std::string> order = asked_so_far();
  // One of the two that are evaluated at a time may be held up on its way here.
  EXPECT_GE(std::set<std::string>(order.begin(), order.begin() + 6).size(), 3u);
}

TEST_F(AlertServiceFixture, WhatCannotBeWrittenIsNotAskedAgainEverySecond) {
  execute("CREATE TRIGGER full BEFORE INSERT ON alert_progress BEGIN SELECT RAISE(FAIL, 'full'); END");
  open({file_rule("errors")});
  service->start();
  while (asked_so_far().empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    clock.advance(std::chrono::seconds(1));
  }
  for (int second = 0; second < 8; ++second) {
    clock.advance(std::chrono::seconds(1));
    wake_schedule();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(asked_so_far().size(), 2u);
  execute("DROP TRIGGER full");
  EXPECT_EQ(wait_for(first.get_future()).title, "errors is firing");
  service->stop();
}

TEST_F(AlertServiceFixture, AStopWaitsForOneDeliveryAndNotForAll) {
  std::promise<void> may_go_on;
  receiver_go_on = may_go_on.get_future().share();
  open({file_rule("errors")});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(service->test(shop, "file-errors", AlertService::Deliver::yes, CancelToken())->is_sent);
  }
  service->start();
  first.get_future().wait();
  std::jthread stopper([this] { service->stop(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  may_go_on.set_value();
  stopper.join();
  EXPECT_EQ(delivered, 1);
}

/// The database and what is watched must say the same, whoever comes first.
TEST_F(AlertServiceFixture, RulesThatAreChangedByTwoAtATimeAreNeitherLostNorKept) {
  open();
  for (int round = 0; round < 60; ++round) {
    const auto made = service->create(rule("a"), fault);
    ASSERT_TRUE(made.has_value()) << made.error().message();
    {
      std::jthread remover([&] { EXPECT_TRUE(service->remove(shop, made->rule.id).has_value()); });
      AlertRule changed = made->rule;
      QueryFault unused;
      for (int i = 0; i < 3; ++i) {
        changed.query = "n:" + std::to_string(i);
        (void)service->replace(changed, unused);
      }
    }
    ASSERT_TRUE(service->list(shop)->empty()) << "round " << round;
  }
}

TEST_F(AlertServiceFixture, NothingIsForwardedWhileSomebodyHoldsTheMessages) {
  open({file_rule("errors")});
  std::shared_ptr<void> hold = service->hold_messages();
  service->start();
  AlertStateTable states(*database);
  // Not faster: the record must be in the range of the evaluation.
  while (states.outbox(10)->empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    clock.advance(std::chrono::seconds(1));
  }
  std::shared_ptr<void> second = service->hold_messages();
  hold.reset();
  std::future<AlertNotification> told = first.get_future();
  EXPECT_EQ(told.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  EXPECT_EQ(queue.depth()->waiting + queue.depth()->leased, 0u);
  second.reset();
  EXPECT_EQ(told.get().title, "errors is firing");
  service->stop();
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
