#include "services/alerts/alert_evaluator.h"

#include <gtest/gtest.h>

#include "services/alerts/alert_notification.h"
#include "services/alerts/alert_schedule.h"
#include "services/alerts/alert_silence.h"
#include "services/alerts/limits.h"

namespace dendro {
namespace {

constexpr Timestamp kStart{1'790'000'000'000'000'000};

AlertRule make_rule(std::chrono::seconds wait = std::chrono::seconds(0)) {
  AlertRule rule;
  rule.id = "r1";
  rule.name = "errors";
  rule.every = std::chrono::seconds(60);
  rule.pending_for = wait;
  return rule;
}

/// What one evaluation sees: "a b" = label sets a and b active; "?a" = the same of an incomplete answer; "!" = failed.
AlertReading reading_of(std::string_view text) {
  AlertReading reading;
  if (text == "!") return {{}, "disk on fire", false};
  if (text.starts_with('?')) {
    reading.problem = "incomplete";
    text.remove_prefix(1);
  }
  for (const char c : text) {
    if (c != ' ') reading.active.push_back({{{"s", std::string(1, c)}}, "7"});
  }
  return reading;
}

/// States after it: "a:firing !:pending".
std::string text_of(const std::vector<AlertInstance>& instances) {
  std::string text;
  for (const AlertInstance& one : instances) {
    const auto name = one.labels.find("s");
    text += (text.empty() ? "" : " ") + (name == one.labels.end() ? "!" : name->second) + ":" +
            std::string(alert_state_name(one.state));
  }
  return text;
}

struct TableRow {
  const char* reading;
  const char* after;
};
void run_table(const AlertRule& rule, const std::vector<TableRow>& rows) {
  std::vector<AlertInstance> instances;
  Timestamp at = kStart;
  for (const TableRow& row : rows) {
    instances = step_alerts(rule, instances, reading_of(row.reading), at).instances;
    EXPECT_EQ(text_of(instances), row.after)
        << "after \"" << row.reading << "\" at +" << (at.number() - kStart.number()) / kNanosPerSecond << " s";
    at = at.next(60 * kNanosPerSecond);
  }
}

TEST(AlertEvaluator, FiresAtOnceWithoutAWait) {
  run_table(make_rule(), {{"", ""}, {"a", "a:firing"}, {"a", "a:firing"}, {"", "a:resolved"}, {"a", "a:firing"}});
}

TEST(AlertEvaluator, WaitsAndForgetsWhatWasNotActiveThroughout) {
  run_table(make_rule(std::chrono::seconds(120)), {{"a", "a:pending"},
                                                   {"a", "a:pending"},
                                                   {"", ""},
                                                   {"a", "a:pending"},
                                                   {"a", "a:pending"},
                                                   {"a", "a:firing"},
                                                   {"", "a:resolved"},
                                                   {"a", "a:pending"}});
}

TEST(AlertEvaluator, KeepsLabelSetsApart) {
  run_table(make_rule(), {{"a", "a:firing"}, {"a b", "a:firing b:firing"}, {"b", "a:resolved b:firing"}});
}

TEST(AlertEvaluator, AFailureIsAStateOfItsOwnAndMovesNothingElse) {
  run_table(make_rule(), {{"a", "a:firing"},
                          {"!", "!:pending a:firing"},
                          {"!", "!:firing a:firing"},
                          {"a", "!:resolved a:firing"},
                          {"", "!:resolved a:resolved"}});
}

TEST(AlertEvaluator, AFailureWhileWaitingDoesNotFire) {
  run_table(make_rule(std::chrono::seconds(60)), {{"a", "a:pending"}, {"!", "!:pending a:pending"}, {"", ""}});
}

TEST(AlertEvaluator, AnIncompleteAnswerFiresButDoesNotResolve) {
  run_table(make_rule(), {{"a", "a:firing"}, {"?", "!:pending a:firing"}, {"?b", "!:firing a:firing b:firing"}});
}

TEST(AlertEvaluator, AResolvedOneIsShownForAWhile) {
  std::vector<TableRow> rows = {{"a", "a:firing"}};
  for (int i = 0; i < 15; ++i) rows.push_back({"", "a:resolved"});
  rows.push_back({"", ""});
  run_table(make_rule(), rows);
}

TEST(AlertEvaluator, AClockThatStepsBackLetsNobodyWaitForIt) {
  const AlertRule rule = make_rule(std::chrono::seconds(120));
  const std::int64_t day = 86'400 * kNanosPerSecond;
  std::vector<AlertInstance> instances = step_alerts(rule, {}, reading_of("a"), kStart.next(day)).instances;
  instances = step_alerts(rule, instances, reading_of("a"), kStart).instances;
  EXPECT_EQ(text_of(instances), "a:pending");
  instances = step_alerts(rule, instances, reading_of("a"), kStart.next(120 * kNanosPerSecond)).instances;
  EXPECT_EQ(text_of(instances), "a:firing") << "two minutes behind the step";
  // Told a day ahead: the next time is four hours from now, not a day and four hours.
  instances[0].told = kStart.next(day);
  instances = step_alerts(rule, instances, reading_of("a"), kStart.next(180 * kNanosPerSecond)).instances;
  EXPECT_EQ(instances[0].told, kStart.next(180 * kNanosPerSecond));
  instances = step_alerts(rule, instances, reading_of(""), kStart.next(day)).instances;
  instances = step_alerts(rule, instances, reading_of(""), kStart).instances;
  instances =
      step_alerts(rule, instances, reading_of(""), kStart.next(std::chrono::nanoseconds(kAlertResolvedShown).count()))
          .instances;
  EXPECT_EQ(text_of(instances), "") << "a resolved one is shown for its fifteen minutes";
}

TEST(AlertEvaluator, SaysEachChangeOnce) {
  const AlertRule rule = make_rule();
  const AlertStep first = step_alerts(rule, {}, reading_of("a"), kStart);
  ASSERT_EQ(first.changes.size(), 2u);
  EXPECT_EQ(first.changes[1].before, AlertState::pending);
  EXPECT_EQ(first.changes[1].after, AlertState::firing);
  EXPECT_EQ(first.changes[1].value, "7");
  EXPECT_TRUE(step_alerts(rule, first.instances, reading_of("a"), kStart.next(1)).changes.empty());
}

struct Telling : testing::Test {
  AlertRule rule = make_rule();
  std::vector<AlertInstance> instances;
  std::vector<AlertSilence> silences;
  std::vector<ToldAlert> told(const char* reading, std::chrono::seconds at) {
    const Timestamp time = kStart.next(std::chrono::nanoseconds(at).count());
    instances = step_alerts(rule, instances, reading_of(reading), time).instances;
    return choose_told(rule, instances, silences, time);
  }
};

TEST_F(Telling, OnceAndAgainAfterFourHours) {
  EXPECT_EQ(told("a", std::chrono::seconds(0)).size(), 1u);
  EXPECT_TRUE(told("a", std::chrono::seconds(60)).empty());
  EXPECT_TRUE(told("a", std::chrono::hours(4) - std::chrono::seconds(1)).empty());
  EXPECT_EQ(told("a", std::chrono::hours(4)).size(), 1u);
  const auto resolved = told("", std::chrono::hours(4) + std::chrono::seconds(60));
  ASSERT_EQ(resolved.size(), 1u);
  EXPECT_FALSE(resolved[0].is_firing);
  EXPECT_TRUE(told("", std::chrono::hours(4) + std::chrono::seconds(120)).empty());
}

TEST_F(Telling, ASilenceHoldsBackWhatFiresUntilItEnds) {
  silences = {{"s1", {{"s", "a", false}}, kStart, kStart.next(100 * kNanosPerSecond), ""}};
  const auto first = told("a b", std::chrono::seconds(0));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].labels.at("s"), "b");
  EXPECT_TRUE(told("a b", std::chrono::seconds(60)).empty());
  EXPECT_EQ(told("a b", std::chrono::seconds(120)).size(), 1u) << "the silence is over and it still fires";
}

TEST_F(Telling, WhatFiredAndResolvedInASilenceIsNotTold) {
  silences = {{"s1", {{"alertname", "errors", false}}, kStart, kTimestampMax, ""}};
  EXPECT_TRUE(told("a", std::chrono::seconds(0)).empty());
  EXPECT_TRUE(told("", std::chrono::seconds(60)).empty());
}

TEST_F(Telling, WhatWasToldBeforeASilenceIsToldWhenItResolves) {
  EXPECT_EQ(told("a", std::chrono::seconds(0)).size(), 1u);
  silences = {{"s1", {{"alertname", "errors", false}}, kStart, kTimestampMax, ""}};
  EXPECT_EQ(told("", std::chrono::seconds(60)).size(), 1u);
}

TEST(AlertSilence, FitsByAllMatchers) {
  const auto silenced = [](std::vector<AlertMatcher> matchers, Timestamp at = kStart) {
    const std::vector<AlertSilence> silences = {{"", std::move(matchers), kStart, kStart.next(10), ""}};
    return is_silenced(silences, "errors", {{"service", "pay"}, {"zone", "a"}}, at);
  };
  EXPECT_TRUE(silenced({{"service", "pay", false}}));
  EXPECT_FALSE(silenced({{"service", "pay", true}}));
  EXPECT_FALSE(silenced({{"service", "pay", false}, {"zone", "b", false}}));
  EXPECT_TRUE(silenced({{"service", "pay", false}, {"zone", "b", true}}));
  EXPECT_TRUE(silenced({{"missing", "", false}}));
  EXPECT_TRUE(silenced({{"alertname", "errors", false}}));
  EXPECT_FALSE(silenced({{"service", "pay", false}}, kStart.next(-1)));
  EXPECT_FALSE(silenced({{"service", "pay", false}}, kStart.next(10)));
}

TEST(AlertNotification, ReadsBackWhatItWrote) {
  AlertRule rule = make_rule();
  rule.labels = {{"severity", "critical"}, {"s", "rule's"}};
  rule.annotations = {{"runbook", "see \"page\"\n7"}};
  AlertInstance instance{{{"s", "a"}}, AlertState::firing, "12", kStart, kStart, Timestamp(), Timestamp()};
  const auto made = make_notifications(rule, {told_alert(rule, instance)}, kStart);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].alerts[0].labels.at("s"), "a") << "the label set's own wins";
  const auto read = parse_notification(notification_json(made[0]));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(notification_json(*read), notification_json(made[0]));
  EXPECT_EQ(read->alerts[0].annotations, rule.annotations);
  EXPECT_EQ(make_notifications(rule, {told_alert(rule, instance)}, kStart)[0].dedupe_key, made[0].dedupe_key);
  EXPECT_NE(make_notifications(rule, {told_alert(rule, instance)}, kStart.next())[0].dedupe_key, made[0].dedupe_key);
}

TEST(AlertNotification, DividesWhatIsTooMuchForOneMessageAndLeavesNothingOut) {
  const AlertRule rule = make_rule();
  std::vector<ToldAlert> alerts(2 * kAlertsOfAMessageMax + 1);
  const auto parts = make_notifications(rule, alerts, kStart);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[2].alerts.size(), 1u);
  EXPECT_NE(parts[0].dedupe_key, parts[1].dedupe_key);
  EXPECT_TRUE(make_notifications(rule, {}, kStart).empty());
}

TEST(AlertNotification, AnAlertFitsAMessageWhateverItsLabelsHold) {
  ToldAlert alert;
  for (int i = 0; i < 64; ++i) alert.labels["l" + std::to_string(i)] = std::string(1'024, '\x01');
  const auto parts = make_notifications(make_rule(), {alert, alert}, kStart);
  ASSERT_FALSE(parts.empty());
  for (const AlertNotification& part : parts) {
    EXPECT_LE(notification_json(part).size(), std::size_t{256} << 10);
    EXPECT_EQ(part.alerts[0].labels.size(), 64u);
  }
}

TEST(AlertSchedule, PlacesARuleAtOneMomentOfItsInterval) {
  const AlertRule rule = make_rule();
  const Timestamp first = first_slot(rule, kStart);
  EXPECT_GE(first, kStart);
  EXPECT_LT(first.number() - kStart.number(), 60 * kNanosPerSecond);
  EXPECT_EQ(first_slot(rule, first), first);
  EXPECT_EQ(first_slot(rule, first.next()).number() - first.number(), 60 * kNanosPerSecond);
  EXPECT_EQ(next_slot(rule, Timestamp(), kStart, kStart).at, first);
}

TEST(AlertSchedule, MakesUpForWhatWasMissedUpToABound) {
  const AlertRule rule = make_rule();
  const Timestamp last = first_slot(rule, kStart);
  const auto after = [&](std::int64_t turns) { return last.next(turns * 60 * kNanosPerSecond); };
  EXPECT_EQ(next_slot(rule, last, kStart, after(5)).at, after(1));
  const AlertSlot far = next_slot(rule, last, kStart, after(100));
  EXPECT_EQ(far.at, after(100 - kAlertMissedMax));
  EXPECT_EQ(far.missed, 100u - kAlertMissedMax - 1);
  EXPECT_LE(next_slot(rule, after(1000), kStart, after(1)).at, after(2)) << "the clock stepped back";
}

TEST(AlertRule, ReadsItsDocumentAndWritesAllOfItBack) {
  const auto document = parse_json_document(
      R"({"name":"n","query":"* | stats by (s) count() as n","every":"30s","for":"1m","condition":{"column":"n","above":3},)"
      R"("labels":{"severity":"warning"},"receivers":["ops"]})");
  const auto rule = parse_alert_rule(*document);
  ASSERT_TRUE(rule.has_value()) << rule.error().message();
  EXPECT_EQ(rule->every, std::chrono::seconds(30));
  EXPECT_EQ(rule->range, std::chrono::seconds(300));
  EXPECT_EQ(rule->pending_for, std::chrono::seconds(60));
  const std::string text = alert_rule_json(*rule);
  EXPECT_EQ(alert_rule_json(*parse_alert_rule(*parse_json_document(text))), text);
}

TEST(AlertRule, NamesTheMemberThatIsWrong) {
  const auto problem = [](const char* json) {
    const auto rule = parse_alert_rule(*parse_json_document(json));
    return rule ? std::string("taken") : rule.error().message();
  };
  EXPECT_TRUE(problem(R"({"query":"*","condition":{"rows_above":1}})").starts_with("name:"));
  EXPECT_TRUE(problem(R"({"name":"n","query":"*"})").starts_with("condition:"));
  EXPECT_TRUE(problem(R"({"name":"n","query":"*","condition":{}})").starts_with("condition:"));
  EXPECT_TRUE(problem(R"({"name":"n","query":"*","condition":{"rows_above":1,"below":2}})").starts_with("condition:"));
  EXPECT_TRUE(problem(R"({"name":"n","query":"*","every":"9s","condition":{"rows_above":1}})").starts_with("every:"));
  EXPECT_TRUE(problem(R"({"name":"n","query":"*","url":"http://x","condition":{"rows_above":1}})").starts_with("url:"));
  EXPECT_TRUE(
      problem(R"({"name":"n","query":"*","condition":{"new_value_of":"s","days":0}})").starts_with("condition.days"));
}

}  // namespace
}  // namespace dendro
