#include "services/alerts/alert_engine.h"

#include <gtest/gtest.h>

#include <set>

#include "io/memory_queue.h"
#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"
#include "tests/query/memory_snapshot.h"

namespace dendro {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000'000};

/// Keeps what it gets; fails while told to.
class ListReceiver final : public AlertReceiver {
 public:
  Status deliver(const AlertNotification& notification) override {
    ++tries;
    if (is_failing) return Error(ErrorCode::unavailable, "the receiver answered 503");
    got.push_back(notification);
    return {};
  }
  int tries = 0;
  bool is_failing = false;
  std::vector<AlertNotification> got;
};

struct AlertEngineFixture : testing::Test {
  TemporaryFolder folder;
  ManualClock clock{kNow};
  SystemRandom random;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  AlertStateTable states{*database};
  AlertSilenceTable silences{*database, clock, random};
  MemoryQueue queue{clock};
  AlertReceivers receivers;
  ListReceiver* ops = nullptr;
  std::string records;
  bool is_store_away = false;
  std::unique_ptr<AlertEngine> engine;
  AlertRule rule;

  AlertEngineFixture() {
    auto receiver = std::make_unique<ListReceiver>();
    ops = receiver.get();
    receivers.emplace("ops", std::move(receiver));
    AlertQueryParts query{
        clock, [this](const TenantId&) -> Result<std::shared_ptr<const Snapshot>> {
          if (is_store_away) return Error(ErrorCode::unavailable, "the store is away");
          return std::shared_ptr<const Snapshot>(make_memory_snapshot(load_json(records, clock.now())));
        }};
    engine = std::make_unique<AlertEngine>(AlertEngine::Parts{states, silences, queue, receivers, std::move(query)});
    rule.id = "r1";
    rule.name = "errors";
    rule.query = "level:error";
    rule.receivers = {"ops"};
  }

  void log(const std::string& level, const std::string& service, std::chrono::seconds ago = std::chrono::seconds(5)) {
    const Timestamp time(clock.now().number() - std::chrono::nanoseconds(ago).count());
    records +=
        R"({"_time":")" + to_rfc3339(time) + R"(","body":"x","level":")" + level + R"(","svc":")" + service + "\"}\n";
  }
  AlertOutcome evaluate() {
    const auto outcome = engine->evaluate(rule, clock.now(), 0, CancelToken());
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    return outcome ? *outcome : AlertOutcome();
  }
  void deliver_all() {
    while (engine->forward().value()) {
    }
    while (engine->deliver().value()) {
    }
  }
  std::string states_text() {
    std::string text;
    const auto state = states.load(rule.tenant, rule.id);
    for (const AlertInstanceRow& row : state->instances) {
      text += row.labels + " " + row.state + " " + row.value + "\n";
    }
    return text;
  }
};

TEST_F(AlertEngineFixture, CountsRowsTellsAndResolves) {
  rule.condition.threshold = 1;
  log("error", "pay");
  evaluate();
  EXPECT_EQ(states_text(), "") << "one is not above one";
  log("error", "pay");
  evaluate();
  EXPECT_EQ(states_text(), "{} firing 2\n");
  deliver_all();
  ASSERT_EQ(ops->got.size(), 1u);
  EXPECT_EQ(ops->got[0].title, "errors is firing");
  clock.advance(std::chrono::minutes(10));
  evaluate();
  deliver_all();
  ASSERT_EQ(ops->got.size(), 2u);
  EXPECT_FALSE(ops->got[1].is_firing());
  EXPECT_EQ(ops->got[1].alerts[0].fingerprint, ops->got[0].alerts[0].fingerprint);
  EXPECT_EQ(states.history(rule.tenant, rule.id, 0, 10)->size(), 3u);
  EXPECT_EQ(queue.depth()->waiting, 0u);
}

TEST_F(AlertEngineFixture, GroupColumnsAreLabels) {
  rule.query = "level:error | stats by (svc) count() as n";
  rule.condition.kind = AlertCondition::Kind::column;
  rule.condition.name = "n";
  rule.condition.threshold = 1;
  for (const char* service : {"pay", "pay", "cart", "mail", "mail"}) log("error", service);
  evaluate();
  EXPECT_EQ(states_text(), "{\"svc\":\"mail\"} firing 2\n{\"svc\":\"pay\"} firing 2\n");
  rule.condition.side = AlertCondition::Side::below;
  rule.condition.threshold = 2;
  evaluate();
  EXPECT_NE(states_text().find("{\"svc\":\"cart\"} firing 1\n"), std::string::npos);
}

TEST_F(AlertEngineFixture, KnowsWhatWasThereBeforeItBeganAndTellsWhatIsNew) {
  rule.query = "*";
  rule.condition.kind = AlertCondition::Kind::new_value;
  rule.condition.name = "svc";
  log("info", "old", std::chrono::hours(30));
  log("info", "old");
  evaluate();
  EXPECT_EQ(states_text(), "");
  clock.advance(std::chrono::seconds(60));
  log("info", "old");
  log("info", "fresh");
  evaluate();
  EXPECT_EQ(states_text(), "{\"svc\":\"fresh\"} firing fresh\n");
  clock.advance(std::chrono::seconds(60));
  evaluate();
  EXPECT_EQ(states_text(), "{\"svc\":\"fresh\"} firing fresh\n") << "new for as long as the range";
  clock.advance(std::chrono::minutes(10));
  log("info", "fresh");
  evaluate();
  EXPECT_EQ(states_text(), "{\"svc\":\"fresh\"} resolved fresh\n");
}

TEST_F(AlertEngineFixture, ANewValueDuringAPauseIsNotMissed) {
  rule.query = "*";
  rule.condition.kind = AlertCondition::Kind::new_value;
  rule.condition.name = "svc";
  evaluate();
  clock.advance(std::chrono::hours(5));
  log("info", "fresh", std::chrono::hours(2));
  evaluate();
  EXPECT_EQ(states_text(), "{\"svc\":\"fresh\"} firing fresh\n");
}

TEST_F(AlertEngineFixture, ARuleThatAsksForAnotherFieldBeginsAnew) {
  rule.query = "*";
  rule.condition.kind = AlertCondition::Kind::new_value;
  rule.condition.name = "svc";
  const auto log_zone = [this](const std::string& zone, std::chrono::seconds ago) {
    const Timestamp time(clock.now().number() - std::chrono::nanoseconds(ago).count());
    records += R"({"_time":")" + to_rfc3339(time) + R"(","body":"x","svc":"pay","zone":")" + zone + "\"}\n";
  };
  log_zone("eu", std::chrono::hours(30));
  evaluate();
  // As one of the configuration does whose block was edited.
  rule.condition.name = "zone";
  clock.advance(std::chrono::seconds(60));
  log_zone("eu", std::chrono::seconds(5));
  evaluate();
  EXPECT_EQ(states_text(), "") << "eu is as old as the other field's value";
  EXPECT_EQ(states.seen(rule.tenant, rule.id)->size(), 1u) << "what was known of the other field is forgotten";
  clock.advance(std::chrono::seconds(60));
  log_zone("us", std::chrono::seconds(5));
  evaluate();
  EXPECT_EQ(states_text(), "{\"zone\":\"us\"} firing us\n");
}

TEST_F(AlertEngineFixture, AClockThatWasFarAheadMakesNothingNew) {
  rule.query = "*";
  rule.condition.kind = AlertCondition::Kind::new_value;
  rule.condition.name = "svc";
  log("info", "old", std::chrono::hours(30));
  evaluate();
  const Timestamp right = clock.now();
  clock.set_now(right.next(30 * 86'400 * kNanosPerSecond));
  evaluate();
  clock.set_now(right.next(60 * kNanosPerSecond));
  log("info", "old");
  evaluate();
  EXPECT_EQ(states_text(), "");
}

TEST_F(AlertEngineFixture, ALabelThatIsTooLongOrNoTextIsTheSameAlertEachTime) {
  rule.query = "level:error | stats by (svc) count() as n";
  rule.condition.kind = AlertCondition::Kind::column;
  rule.condition.name = "n";
  rule.condition.threshold = 0;
  // The first is cut within its last character; the second is no UTF-8, its label is base64.
  const std::string services[] = {std::string(1'023, 'x') + "\xC3\xA9", "a\xFF"};
  for (int i = 0; i < 3; ++i) {
    for (const std::string& service : services) log("error", service);
    evaluate();
    clock.advance(std::chrono::seconds(60));
  }
  deliver_all();
  ASSERT_EQ(ops->got.size(), 1u) << "it fires once and goes on";
  EXPECT_EQ(ops->got[0].alerts.size(), 2u);
  EXPECT_EQ(engine->counters().evaluations, 3u);
}

TEST_F(AlertEngineFixture, AnEvaluationThatFailsIsToldAndResolvesNothing) {
  log("error", "pay");
  evaluate();
  is_store_away = true;
  clock.advance(std::chrono::minutes(10));
  EXPECT_NE(evaluate().problem.find("the store is away"), std::string::npos);
  EXPECT_NE(states_text().find("{} firing"), std::string::npos);
  clock.advance(std::chrono::minutes(1));
  evaluate();
  deliver_all();
  ASSERT_EQ(ops->got.size(), 2u);
  EXPECT_EQ(ops->got[1].alerts[0].labels.count("alert_problem"), 1u);
  EXPECT_FALSE(states.load(rule.tenant, rule.id)->problem.empty());
  EXPECT_EQ(engine->counters().failures, 2u);
}

TEST_F(AlertEngineFixture, AReceiverThatFailsIsTriedAgainLaterAndGivenUpAfterFiveTimes) {
  log("error", "pay");
  evaluate();
  ops->is_failing = true;
  deliver_all();
  EXPECT_EQ(ops->tries, 1);
  for (const std::chrono::seconds wait : kAlertRetryAfter) {
    clock.advance(wait - std::chrono::seconds(1));
    deliver_all();
    const int before = ops->tries;
    clock.advance(std::chrono::seconds(1));
    deliver_all();
    EXPECT_EQ(ops->tries, before + 1);
  }
  EXPECT_EQ(ops->tries, 5);
  EXPECT_EQ(queue.depth()->dead, 1u);
  ops->is_failing = false;
  EXPECT_EQ(queue.redrive().value(), 1u);
  deliver_all();
  EXPECT_EQ(ops->got.size(), 1u);
}

TEST_F(AlertEngineFixture, AMessageThatWasSentButNotAcknowledgedComesAgainWithItsKey) {
  log("error", "pay");
  evaluate();
  const auto outbox = states.outbox(10);
  ASSERT_EQ(outbox->size(), 1u);
  // As if the process had ended behind the queue's send, before the outbox heard of it.
  const QueueMessage message{outbox->front().document, {{"receiver", "ops"}}};
  ASSERT_TRUE(queue.send({&message, 1}).has_value());
  deliver_all();
  ASSERT_EQ(ops->got.size(), 2u);
  EXPECT_EQ(ops->got[0].dedupe_key, ops->got[1].dedupe_key);
}

TEST_F(AlertEngineFixture, WhatTheQueueDoesNotTakeStaysInTheOutbox) {
  log("error", "pay");
  evaluate();
  MemoryQueue full(clock, 10);
  AlertEngine stuck(AlertEngine::Parts{states, silences, full, receivers, {clock, nullptr}});
  EXPECT_EQ(stuck.forward().error().code(), ErrorCode::resource_exhausted);
  EXPECT_EQ(states.outbox(10)->size(), 1u);
  deliver_all();
  EXPECT_EQ(ops->got.size(), 1u);
  EXPECT_TRUE(states.outbox(10)->empty());
}

/// As on a full disk: the database takes no more changes, but the queue did.
TEST_F(AlertEngineFixture, WhatCannotLeaveTheOutboxIsNotSentAgainAndAgain) {
  const auto execute = [this](const char* sql) {
    ASSERT_TRUE(database->transact([&](MetaTransaction& meta) -> Status {
      DENDRO_TRY(meta.change(sql));
      return {};
    }));
  };
  log("error", "pay");
  evaluate();
  execute("CREATE TRIGGER full BEFORE DELETE ON alert_outbox BEGIN SELECT RAISE(FAIL, 'full'); END");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(engine->forward().has_value());
  EXPECT_EQ(queue.depth()->waiting, 1u);
  execute("DROP TRIGGER full");
  deliver_all();
  EXPECT_EQ(ops->got.size(), 1u);
  EXPECT_TRUE(states.outbox(10)->empty());
}

TEST_F(AlertEngineFixture, AMessageThatNobodyTriedIsNoNearerToItsEnd) {
  rule.receivers = {"ops", "ops"};
  log("error", "pay");
  evaluate();
  ASSERT_TRUE(engine->forward().value());
  ASSERT_TRUE(engine->deliver().value());
  EXPECT_EQ(ops->tries, 1);
  const auto next = queue.receive(10, std::chrono::seconds(1));
  ASSERT_EQ(next->size(), 1u);
  EXPECT_EQ(next->front().receive_count, 1u);
}

TEST_F(AlertEngineFixture, AHeldAlertThatCannotBeReadHoldsUpNobody) {
  ASSERT_TRUE(database->transact([](MetaTransaction& meta) -> Status {
    DENDRO_TRY(
        meta.change("INSERT INTO alert_held (tenant, receiver, hour, document) VALUES ('default', 'ops', 1, '{')"));
    return {};
  }));
  log("error", "pay");
  evaluate();
  deliver_all();
  EXPECT_EQ(ops->got.size(), 1u);
  EXPECT_TRUE(states.held_outside(clock.now())->empty());
}

TEST_F(AlertEngineFixture, TwentyMessagesAnHourThenADigestWithTheRest) {
  std::set<std::string> rules;
  for (int i = 0; i < 25; ++i) {
    rule.id = rule.name = "rule " + std::to_string(i);
    rules.insert(rule.name);
    log("error", "pay");
    evaluate();
  }
  deliver_all();
  EXPECT_EQ(ops->got.size(), 20u);
  EXPECT_EQ(engine->counters().held, 5u);
  clock.advance(std::chrono::hours(1));
  deliver_all();
  ASSERT_EQ(ops->got.size(), 21u);
  EXPECT_EQ(ops->got[20].kind, AlertNotification::Kind::digest);
  EXPECT_EQ(ops->got[20].alerts.size(), 5u);
  for (const AlertNotification& one : ops->got) {
    for (const ToldAlert& alert : one.alerts) rules.erase(alert.rule_name);
  }
  EXPECT_TRUE(rules.empty()) << "every rule was told of";
  clock.advance(std::chrono::hours(1));
  deliver_all();
  EXPECT_EQ(ops->got.size(), 21u);
}

TEST_F(AlertEngineFixture, ACancelledEvaluationLeavesNoTrace) {
  log("error", "pay");
  CancelToken cancel;
  cancel.cancel();
  EXPECT_EQ(engine->evaluate(rule, clock.now(), 0, cancel).error().code(), ErrorCode::cancelled);
  EXPECT_EQ(states.load(rule.tenant, rule.id)->evaluated, Timestamp());
}

TEST_F(AlertEngineFixture, APreviewSaysWhatIsActiveAndChangesNothing) {
  rule.pending_for = std::chrono::seconds(600);
  log("error", "pay");
  const auto preview = engine->preview(rule, clock.now(), CancelToken());
  ASSERT_TRUE(preview.has_value());
  EXPECT_EQ(preview->told.size(), 1u);
  EXPECT_EQ(states_text(), "");
  EXPECT_TRUE(states.outbox(10)->empty());
}

TEST_F(AlertEngineFixture, ChecksQueriesBeforeTheyAreKept) {
  QueryFault fault;
  const AlertQueryParts query{clock, nullptr};
  EXPECT_TRUE(check_alert_query(rule, query, fault).has_value());
  rule.query = "level:(";
  EXPECT_EQ(check_alert_query(rule, query, fault).error().code(), ErrorCode::invalid_argument);
  EXPECT_FALSE(fault.message.empty());
  rule.query = "level:error";
  rule.condition.kind = AlertCondition::Kind::column;
  rule.condition.name = "n";
  EXPECT_NE(check_alert_query(rule, query, fault).error().message().find("condition.column"), std::string::npos);
  rule.query = "level:error | stats count() as n";
  EXPECT_TRUE(check_alert_query(rule, query, fault).has_value());
  rule.condition.kind = AlertCondition::Kind::new_value;
  rule.condition.name = "a \"strange\" name";
  rule.query = "*";
  EXPECT_TRUE(check_alert_query(rule, query, fault).has_value()) << fault.message;
}

}  // namespace
}  // namespace dendro
