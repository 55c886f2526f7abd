#include "filter/predicate.h"
#include "storage/compaction/retention_clock.h"
#include "storage/tombstone.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr std::chrono::hours kOneDay{24};

StreamRetention rule_for(std::string_view service, int days) {
  const auto predicate = encode_tombstone_predicate(Predicate{LabelTest{"service.name", std::string(service)}});
  return {predicate.value(), kOneDay * days};
}

/// Records of two services over some days before kTestTime.
class StreamRetentionTest : public testing::Test {
 protected:
  StreamRetentionTest() { fixture_.options.retention.streams = {rule_for("debug", 2)}; }

  void append(std::string_view service, std::int64_t days_ago, const std::string& body) {
    RecordBatchBuilder builder(fixture_.clock.now());
    builder.begin_record();
    builder.set_timestamp(Timestamp(kTestTime.number() - days_ago * kNanosPerDay));
    builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text(service));
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(body));
    builder.end_record();
    CommitRequest request;
    request.receive_time = fixture_.clock.now();
    request.batches = {builder.finish()};
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  }
  void append_both(std::int64_t days_ago) {
    append("debug", days_ago, "debug " + std::to_string(days_ago));
    append("api", days_ago, "api " + std::to_string(days_ago));
  }
  void compact() {
    const Status compacted = fixture_.store->compact();
    ASSERT_TRUE(compacted.has_value()) << compacted.error().message();
  }
  std::vector<TombstoneInfo> pending() { return fixture_.store->pending_deletions(TenantId::default_tenant()); }

  StoreFixture fixture_;
};

TEST_F(StreamRetentionTest, DropsItsStreamAloneAndOnlyWholeDays) {
  fixture_.open();
  for (const std::int64_t days_ago : {4, 3, 2, 0}) append_both(days_ago);
  ASSERT_TRUE(fixture_.store->flush().has_value());
  compact();
  const Bodies expected = {"api 4", "api 3", "debug 2", "api 2", "debug 0", "api 0"};
  EXPECT_EQ(fixture_.bodies(), expected);
  EXPECT_TRUE(pending().empty());  // the round itself took them out of the files
  EXPECT_EQ(fixture_.store->stats().records_deleted, 2u);
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), expected);
  compact();
  EXPECT_EQ(fixture_.store->stats().records_deleted, 0u);
  fixture_.clock.advance(kOneDay);
  compact();
  EXPECT_EQ(fixture_.bodies(), (Bodies{"api 4", "api 3", "api 2", "debug 0", "api 0"}));
}

TEST_F(StreamRetentionTest, EveryRuleHoldsForEveryTenant) {
  const TenantId other = make_tenant("other");
  fixture_.options.retention.streams.push_back(rule_for("api", 3));
  fixture_.open();
  CommitRequest request;
  request.tenant = other;
  request.receive_time = kTestTime;
  request.batches = {make_batch({{"old", Timestamp(kTestTime.number() - 5 * kNanosPerDay)}, {"new"}})};
  ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  compact();
  EXPECT_EQ(bodies_by_sequence(*fixture_.store, other), (Bodies{"new"}));
}

TEST_F(StreamRetentionTest, DoesNotPileUpWhatCannotBeCarriedOut) {
  fixture_.open();
  append_both(4);
  ASSERT_TRUE(fixture_.store->flush().has_value());
  append_both(3);
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.files->damage("/data/t/default/20231110/0000000000000001.seg", 70);  // nobody knows what it holds
  fixture_.open();
  (void)fixture_.store->compact();
  ASSERT_EQ(pending().size(), 1u);
  const TombstoneInfo first = pending().front();
  EXPECT_EQ(first.origin, TombstoneOrigin::retention_rule);
  EXPECT_EQ(first.created, kTestTime);
  EXPECT_EQ(first.range.last, day_start(Timestamp(kTestTime.number() - 2 * kNanosPerDay)));
  for (int round = 0; round < 3; ++round) (void)fixture_.store->compact();
  EXPECT_EQ(pending(), (std::vector<TombstoneInfo>{first}));  // not again on the same day
  fixture_.open();
  (void)fixture_.store->compact();
  EXPECT_EQ(pending(), (std::vector<TombstoneInfo>{first}));  // nor after a restart
  append_both(2);
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.clock.advance(kOneDay);
  (void)fixture_.store->compact();
  ASSERT_EQ(pending().size(), 1u);  // the later one took its place
  EXPECT_GT(pending().front().id, first.id);
  EXPECT_EQ(pending().front().range.last.number(), first.range.last.number() + kNanosPerDay);
  fixture_.open();
  EXPECT_EQ(pending().size(), 1u);
}

TEST_F(StreamRetentionTest, WithoutAMatchThereIsNoDeletion) {
  fixture_.open();
  append("api", 5, "kept");
  append("debug", 1, "young");
  ASSERT_TRUE(fixture_.store->flush().has_value());
  append("debug", 0, "younger");
  compact();
  EXPECT_TRUE(pending().empty());
  EXPECT_EQ(fixture_.bodies().size(), 3u);
}

TEST_F(StreamRetentionTest, AClockThatJumpsAheadDropsNothing) {
  fixture_.options.retention.standard.max_age = kOneDay * 5;
  fixture_.open();
  append_both(3);
  append_both(0);
  ASSERT_TRUE(fixture_.store->flush().has_value());
  compact();
  const Bodies kept = {"api 3", "debug 0", "api 0"};
  ASSERT_EQ(fixture_.bodies(), kept);
  fixture_.clock.set_now(Timestamp(kTestTime.number() + 365 * kNanosPerDay));
  compact();
  EXPECT_EQ(fixture_.bodies(), kept);
  EXPECT_GT(fixture_.store->condition().wall_clock_lead, kOneDay * 360);
  fixture_.open();  // the clock was wrong before the store was opened
  compact();
  EXPECT_EQ(fixture_.bodies(), kept);
  EXPECT_GT(fixture_.store->condition().wall_clock_lead, kOneDay * 360);
  fixture_.options.retention.clock_jump_max = std::chrono::nanoseconds(0);
  fixture_.open();  // an operator says that it is right
  compact();
  EXPECT_EQ(fixture_.bodies(), Bodies());
}

TEST(RetentionClock, GoesByTheWallClockWithinTheBound) {
  ManualClock clock(kTestTime);
  const RetentionClock retention(clock, Timestamp(kTestTime.number() - kNanosPerDay), kOneDay);
  EXPECT_EQ(retention.now(), kTestTime);
  clock.advance(kOneDay * 100);
  EXPECT_EQ(retention.now(), clock.now());
  EXPECT_EQ(retention.wall_clock_lead().count(), 0);
  clock.set_now(clock.now().next(kNanosPerDay));
  EXPECT_EQ(retention.now(), clock.now());
  clock.set_now(clock.now().next());
  EXPECT_EQ(retention.wall_clock_lead().count(), 1);
  clock.set_now(Timestamp(0));  // back: nothing is old
  EXPECT_EQ(retention.now(), Timestamp(0));
  EXPECT_EQ(retention.wall_clock_lead().count(), 0);
}

TEST(RetentionClock, GoesByTheNewestRecordWhereTheClockIsFarFromIt) {
  ManualClock clock(kTestTime);
  const Timestamp long_ago(kTestTime.number() - 10 * kNanosPerDay);
  const RetentionClock idle(clock, long_ago, kOneDay);
  EXPECT_EQ(idle.now(), long_ago.next(kNanosPerDay));
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(idle.now(), long_ago.next(kNanosPerDay + 3'600 * kNanosPerSecond));
  // Behind the newest record, as a machine without a battery starts: the right time comes later.
  clock.set_now(Timestamp(0));
  const RetentionClock early(clock, kTestTime, kOneDay);
  clock.set_now(kTestTime);
  EXPECT_EQ(early.now(), kTestTime);
}

TEST(RetentionClock, CountsToTheEndOfTime) {
  ManualClock clock(kTimestampMax);
  const RetentionClock retention(clock, kTimestampMax, kOneDay);
  EXPECT_EQ(retention.now(), kTimestampMax);
  const RetentionClock far(clock, kTimestampMin, kOneDay);
  EXPECT_EQ(far.now(), Timestamp(kTimestampMin.number() + kNanosPerDay));
  EXPECT_GT(far.wall_clock_lead(), kOneDay);
}

}  // namespace
}  // namespace dendro
