#include <gtest/gtest.h>

#include "meta/alert_rule_table.h"
#include "meta/alert_state_table.h"
#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

struct AlertTablesFixture : testing::Test {
  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  SystemRandom random;
  AlertRuleTable rules{*database, clock, random};
  AlertSilenceTable silences{*database, clock, random};
  AlertStateTable states{*database};
  const TenantId shop = TenantId::parse("shop").value();
  const TenantId bank = TenantId::parse("bank").value();

  AlertCommit commit_of(const std::string& rule) {
    AlertCommit commit;
    commit.tenant = shop;
    commit.rule = rule;
    commit.state.evaluated = commit.now = clock.now();
    return commit;
  }
};

TEST_F(AlertTablesFixture, KeepsStatesOfARuleAndForgetsThemWithIt) {
  const std::string id = rules.create(shop, "a", "{}")->id;
  EXPECT_EQ(rules.create(shop, "a", "{}").error().code(), ErrorCode::already_exists);
  ASSERT_TRUE(rules.create(bank, "a", "{}").has_value());
  AlertCommit commit = commit_of(id);
  commit.state.instances = {{"{}", "firing", "3", clock.now(), clock.now(), Timestamp(), clock.now()}};
  commit.seen = {{"v", Timestamp(), clock.now()}};
  commit.history = {{0, clock.now(), "{}", "pending", "firing", "3", ""}};
  ASSERT_TRUE(states.commit(commit, kTimestampMin).has_value());
  EXPECT_EQ(states.load(shop, id)->instances[0].told, clock.now());
  EXPECT_TRUE(states.load(bank, id)->instances.empty());
  EXPECT_EQ(states.seen(shop, id)->size(), 1u);
  EXPECT_EQ(rules.remove(bank, id).error().code(), ErrorCode::not_found);
  ASSERT_TRUE(rules.remove(shop, id).has_value());
  EXPECT_TRUE(states.load(shop, id)->instances.empty());
  EXPECT_TRUE(states.history(shop, id, 0, 10)->empty());
  EXPECT_EQ(rules.list()->size(), 1u);
}

TEST_F(AlertTablesFixture, HistoryIsBoundedByCountAndAge) {
  AlertCommit commit = commit_of("r");
  commit.history.assign(AlertStateTable::kHistoryMax + 5, {0, clock.now(), "{}", "a", "b", "", ""});
  ASSERT_TRUE(states.commit(commit, kTimestampMin).has_value());
  const auto all = states.history(shop, "r", 0, 20'000);
  EXPECT_EQ(all->size(), AlertStateTable::kHistoryMax);
  const auto page = states.history(shop, "r", all->front().number, 2);
  EXPECT_EQ(page->front().number, all->front().number - 1);
  clock.advance(AlertStateTable::kHistoryAge + std::chrono::hours(1));
  commit = commit_of("r");
  commit.history = {{0, clock.now(), "{}", "b", "c", "", ""}};
  ASSERT_TRUE(states.commit(commit, kTimestampMin).has_value());
  EXPECT_EQ(states.history(shop, "r", 0, 10)->size(), 1u);
}

TEST_F(AlertTablesFixture, ValuesThatWereLastSeenLongAgoAreForgotten) {
  AlertCommit commit = commit_of("r");
  commit.seen = {{"old", Timestamp(), Timestamp(10)}, {"new", Timestamp(), Timestamp(20)}};
  ASSERT_TRUE(states.commit(commit, Timestamp(11)).has_value());
  ASSERT_EQ(states.seen(shop, "r")->size(), 1u);
  EXPECT_EQ(states.seen(shop, "r")->front().value, "new");
}

TEST_F(AlertTablesFixture, AFullHourIsATenantsOwn) {
  for (std::int64_t i = 0; i < AlertStateTable::kPerHourMax; ++i) {
    AlertCommit commit = commit_of("r");
    commit.dispatches = {{{"x", "y"}, "k", "{}", {{"f", "{}"}}}};
    EXPECT_TRUE(states.commit(commit, kTimestampMin)->front());
  }
  EXPECT_EQ(states.outbox(100)->size(), 40u) << "a message to two receivers counts once";
  AlertCommit commit = commit_of("r");
  commit.dispatches = {{{"x"}, "k", "{}", {{"f", "{}"}}}};
  EXPECT_FALSE(states.commit(commit, kTimestampMin)->front());
  EXPECT_TRUE(states.held_outside(clock.now())->empty()) << "not while the hour runs";
  commit.tenant = bank;
  EXPECT_TRUE(states.commit(commit, kTimestampMin)->front());
  clock.advance(std::chrono::hours(1));
  const auto held = states.held_outside(clock.now());
  ASSERT_EQ(held->size(), 1u);
  ASSERT_TRUE(states.commit_digests(held->front(), {{0, "x", "d", "{}"}}).has_value());
  EXPECT_TRUE(states.held_outside(clock.now())->empty());
}

/// The hour of the tenant is full.
struct HeldAlerts : AlertTablesFixture {
  HeldAlerts() {
    for (std::int64_t i = 0; i < AlertStateTable::kPerHourMax; ++i) hold("none", "");
  }
  void hold(const std::string& fingerprint, const std::string& document) {
    AlertCommit commit = commit_of("r");
    commit.dispatches = {{{"x"}, "k", "{}", {{fingerprint, document}}}};
    EXPECT_TRUE(states.commit(commit, kTimestampMin).has_value());
  }
  std::vector<std::string> held() {
    const auto all = states.held_outside(clock.now());
    EXPECT_TRUE(all.has_value());
    return all->empty() ? std::vector<std::string>() : all->front().documents;
  }
  using Documents = std::vector<std::string>;
};

TEST_F(HeldAlerts, OfAnAlertThatFlapsTheLastWordIsKeptAlone) {
  for (const char* word : {"fires", "resolves", "fires again"}) {
    hold("a", word);
    hold("b", std::string("b ") + word);
  }
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(held(), (Documents{"fires again", "b fires again"}));
}

TEST_F(HeldAlerts, AreTheirReceiversOwn) {
  hold("a", "for x");
  AlertCommit commit = commit_of("r");
  commit.dispatches = {{{"y"}, "k", "{}", {{"a", "for y"}}}};
  EXPECT_TRUE(states.commit(commit, kTimestampMin).has_value());
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(states.held_outside(clock.now())->size(), 2u);
}

TEST_F(HeldAlerts, AClockThatStepsBackKeepsNothingBack) {
  hold("a", "of the hour that was");
  clock.set_now(clock.now().next(-5 * 3'600 * kNanosPerSecond));
  EXPECT_EQ(held(), (Documents{"of the hour that was"}));
}

TEST_F(HeldAlerts, ADigestTakesWithItWhatItTellsAndNothingElse) {
  const Timestamp hour = clock.now();
  clock.set_now(hour.next(-3'600 * kNanosPerSecond));
  for (std::int64_t i = 0; i < AlertStateTable::kPerHourMax; ++i) hold("none", "");
  clock.set_now(hour);
  for (std::int64_t i = 0; i < AlertStateTable::kPerHourMax; ++i) hold("none", "");
  hold("a", "of this hour");
  clock.set_now(hour.next(-3'600 * kNanosPerSecond));
  for (std::int64_t i = 0; i < AlertStateTable::kPerHourMax; ++i) hold("none", "");
  hold("b", "of the hour before, and written later");
  clock.set_now(hour);
  const auto all = states.held_outside(clock.now());
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().documents, (Documents{"of the hour before, and written later"}));
  ASSERT_TRUE(states.commit_digests(all->front(), {}).has_value());
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(held(), (Documents{"of this hour"}));
}

TEST_F(AlertTablesFixture, TestMessagesAreRefusedWhereManyWait) {
  for (std::int64_t i = 0; i < AlertStateTable::kPostedMax; ++i) {
    ASSERT_TRUE(states.post({0, "x", "k", "{}"}).has_value());
  }
  EXPECT_EQ(states.post({0, "x", "k", "{}"}).error().code(), ErrorCode::resource_exhausted);
  ASSERT_TRUE(states.remove_from_outbox(states.outbox(1)->front().number).has_value());
  EXPECT_TRUE(states.post({0, "x", "k", "{}"}).has_value());
}

TEST_F(AlertTablesFixture, WhatIsForgottenIsWrittenAnew) {
  AlertCommit commit = commit_of("r");
  commit.seen = {{"old", Timestamp(), clock.now()}};
  commit.state.asked = "one";
  ASSERT_TRUE(states.commit(commit, kTimestampMin).has_value());
  EXPECT_EQ(states.load(shop, "r")->asked, "one");
  commit.seen = {{"new", Timestamp(), clock.now()}};
  commit.forgets_seen = true;
  ASSERT_TRUE(states.commit(commit, kTimestampMin).has_value());
  ASSERT_EQ(states.seen(shop, "r")->size(), 1u);
  EXPECT_EQ(states.seen(shop, "r")->front().value, "new");
}

TEST_F(AlertTablesFixture, SilencesAreListedUntilAWeekAfterTheirEnd) {
  const AlertSilenceRow row{{}, "[]", clock.now(), clock.now().next(10), "why", Timestamp()};
  const auto made = silences.create(shop, row);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(silences.list(shop)->size(), 1u);
  EXPECT_TRUE(silences.list(bank)->empty());
  EXPECT_EQ(silences.remove(bank, made->id).error().code(), ErrorCode::not_found);
  clock.advance(AlertSilenceTable::kShownAfterEnd + std::chrono::hours(1));
  ASSERT_TRUE(silences.create(shop, row).has_value());
  EXPECT_EQ(silences.list(shop)->size(), 1u);
}

}  // namespace
}  // namespace dendro
