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
    commit.dispatches = {{{"x", "y"}, "k", "{}", {"{}"}}};
    EXPECT_TRUE(states.commit(commit, kTimestampMin)->front());
  }
  EXPECT_EQ(states.outbox(100)->size(), 40u) << "a message to two receivers counts once";
  AlertCommit commit = commit_of("r");
  commit.dispatches = {{{"x"}, "k", "{}", {"{}"}}};
  EXPECT_FALSE(states.commit(commit, kTimestampMin)->front());
  EXPECT_TRUE(states.held_before(clock.now())->empty()) << "not while the hour runs";
  commit.tenant = bank;
  EXPECT_TRUE(states.commit(commit, kTimestampMin)->front());
  clock.advance(std::chrono::hours(1));
  const auto held = states.held_before(clock.now());
  ASSERT_EQ(held->size(), 1u);
  ASSERT_TRUE(states.commit_digests(held->front(), {{0, "x", "d", "{}"}}).has_value());
  EXPECT_TRUE(states.held_before(clock.now())->empty());
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
