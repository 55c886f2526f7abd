#include "storage/compaction/retention.h"

#include <gtest/gtest.h>

#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

using Dropped = std::vector<std::pair<std::string, std::int64_t>>;

SegmentInfo day_segment(std::string_view tenant, std::int64_t day, std::uint64_t bytes) {
  SegmentInfo info;
  info.tenant = make_tenant(tenant);
  info.day = Timestamp(day * kNanosPerDay);
  info.file_bytes = bytes;
  return info;
}

Dropped planned(const std::vector<SegmentInfo>& segments, double now_days, const RetentionRules& rules) {
  Dropped dropped;
  const Timestamp now(static_cast<std::int64_t>(now_days * static_cast<double>(kNanosPerDay)));
  for (const DropDay& drop : plan_retention(segments, now, rules)) {
    dropped.emplace_back(drop.tenant.text(), drop.day.number() / kNanosPerDay);
  }
  return dropped;
}

TEST(RetentionPlan, KeepsForEverByDefault) {
  EXPECT_EQ(planned({day_segment("a", 1, 1 << 30)}, 1e5, {}), Dropped());
}

TEST(RetentionPlan, DropsADayOnceItsLastMomentIsTooOld) {
  RetentionRules rules;
  rules.standard.max_age = std::chrono::hours(48);
  const std::vector<SegmentInfo> segments = {day_segment("a", 10, 1), day_segment("a", 11, 1), day_segment("a", 10, 1)};
  EXPECT_EQ(planned(segments, 12.999, rules), Dropped());
  EXPECT_EQ(planned(segments, 13, rules), (Dropped{{"a", 10}}));
  EXPECT_EQ(planned(segments, 14, rules), (Dropped{{"a", 10}, {"a", 11}}));
}

TEST(RetentionPlan, ATenantsOwnRuleStandsInsteadOfTheStandard) {
  RetentionRules rules;
  rules.standard.max_age = std::chrono::hours(24);
  rules.tenants[make_tenant("kept")] = {};
  const std::vector<SegmentInfo> segments = {day_segment("kept", 1, 1), day_segment("other", 1, 1)};
  EXPECT_EQ(planned(segments, 100, rules), (Dropped{{"other", 1}}));
}

TEST(RetentionPlan, DropsOldestDaysOfATenantOverItsBytesButNeverTheNewest) {
  RetentionRules rules;
  rules.standard.max_bytes = 25;
  const std::vector<SegmentInfo> segments = {day_segment("a", 3, 10), day_segment("a", 1, 10), day_segment("a", 2, 10),
                                             day_segment("b", 1, 10), day_segment("c", 5, 99)};
  EXPECT_EQ(planned(segments, 6, rules), (Dropped{{"a", 1}}));
}

TEST(RetentionPlan, DropsOldestDaysOfAllTenantsOverTheTotal) {
  RetentionRules rules;
  rules.total_bytes = 30;
  const std::vector<SegmentInfo> segments = {day_segment("a", 3, 10), day_segment("a", 4, 10), day_segment("b", 2, 10),
                                             day_segment("b", 5, 10), day_segment("c", 1, 5)};
  EXPECT_EQ(planned(segments, 6, rules), (Dropped{{"b", 2}, {"a", 3}}));  // c has one day only
}

class RetentionTest : public testing::Test {
 protected:
  void append_day(std::int64_t days_ago, const std::string& body) {
    CommitRequest request;
    request.receive_time = kTestTime;
    request.batches = {make_batch({{body, Timestamp(kTestTime.number() - days_ago * kNanosPerDay)}})};
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  }
  StoreFixture fixture_;
};

TEST_F(RetentionTest, DropsDaysByAgeForReadersThatComeAndFiles) {
  fixture_.options.retention.standard.max_age = std::chrono::hours(24 * 3);
  fixture_.open();
  for (const std::int64_t day : {0, 2, 3, 5}) append_day(day, std::to_string(day));
  ASSERT_TRUE(fixture_.store->flush().has_value());
  auto snapshot = fixture_.store->snapshot(TenantId::default_tenant()).value();
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0", "2", "3"}));
  EXPECT_EQ(fixture_.store->stats().days_dropped, 1u);
  EXPECT_EQ(run_scan(*snapshot).bodies.size(), 4u);  // as long as it holds it
  snapshot.reset();
  EXPECT_EQ(fixture_.list("/t/default/20231109"), Bodies());
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0", "2", "3"}));
  fixture_.clock.advance(std::chrono::hours(48));
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0"}));
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0"}));
  EXPECT_EQ(fixture_.list("/t/default"), (Bodies{"20231114"}));  // empty folders go at opening
}

TEST_F(RetentionTest, ATenantsRuleChangesWhileTheStoreRuns) {
  fixture_.options.retention.standard.max_age = std::chrono::hours(24 * 5);
  fixture_.open();
  for (const std::int64_t day : {0, 2, 4}) append_day(day, std::to_string(day));
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.store->set_tenant_retention(make_tenant("other"), RetentionRule{std::chrono::hours(24), std::nullopt});
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0", "2", "4"}));
  fixture_.store->set_tenant_retention(TenantId::default_tenant(), RetentionRule{std::chrono::hours(72), std::nullopt});
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0", "2"}));
  fixture_.store->set_tenant_retention(TenantId::default_tenant(), std::nullopt);
  append_day(4, "4");
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0", "2", "4"})) << "the standard again";
}

TEST_F(RetentionTest, DropsDaysByBytes) {
  fixture_.open();
  for (const std::int64_t day : {0, 1, 2, 3}) append_day(day, std::to_string(day));
  ASSERT_TRUE(fixture_.store->flush().has_value());
  const std::uint64_t bytes = fixture_.store->stats().segment_bytes;
  fixture_.options.retention.standard.max_bytes = bytes / 2 + 10;
  fixture_.open();
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0", "1"}));
  fixture_.options.retention.total_bytes = 1;
  fixture_.open();
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"0"}));
}

TEST_F(RetentionTest, DroppingATenantLeavesNothingOfItAndNothingOfOthersGoes) {
  const TenantId other = make_tenant("other");
  fixture_.open();
  append_day(0, "kept");
  CommitRequest request = make_request({{"gone"}}, other);
  request.key = make_key("k");
  ASSERT_TRUE(fixture_.append(request).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.append(make_request({{"gone, too"}}, other)).has_value());
  append_day(0, "kept, too");
  const Status dropped = fixture_.store->drop_tenant(other);
  ASSERT_TRUE(dropped.has_value()) << dropped.error().message();
  EXPECT_EQ(bodies_by_sequence(*fixture_.store, other), Bodies());
  EXPECT_EQ(fixture_.list("/t"), (Bodies{"default"}));
  fixture_.open();
  EXPECT_EQ(bodies_by_sequence(*fixture_.store, other), Bodies());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept", "kept, too"}));
  const auto again = fixture_.append(request);  // the key went with the records
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->replayed);
  EXPECT_EQ(bodies_by_sequence(*fixture_.store, other), (Bodies{"gone"}));
}

}  // namespace
}  // namespace dendro
