// The rows of docs/operations.md, "What happens when", that no other test drives through a whole store.
#include "filter/predicate.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId& kTenant = TenantId::default_tenant();

class FailurePolicy : public testing::Test {
 protected:
  FailurePolicy() { fixture_.open(); }

  void flush_each(const Bodies& bodies) {
    for (const std::string& body : bodies) {
      ASSERT_TRUE(fixture_.append({body}).has_value());
      ASSERT_TRUE(fixture_.store->flush().has_value());
    }
  }
  void fail_sync_of(const std::string& path_part) {
    FileFaults faults;
    faults.fail_sync = 1;
    faults.path_part = path_part;
    fixture_.files->set_faults(faults);
  }
  Bodies segment_names() { return fixture_.list("/t/default/20231114"); }

  StoreFixture fixture_;
};

TEST_F(FailurePolicy, AFailedSyncAcknowledgesNoneOfItsGroup) {
  ASSERT_TRUE(fixture_.append({"kept"}).has_value());
  fail_sync_of(".wal");
  constexpr int kRequests = 32;
  std::atomic<int> answered{0};
  std::atomic<int> of_the_group{0};
  std::atomic<int> refused{0};
  int refused_at_once = 0;
  for (int i = 0; i < kRequests; ++i) {
    const Status queued =
        fixture_.store->append(make_request({{"unknown " + std::to_string(i)}}), [&](Result<CommitReply> reply) {
          if (!reply && reply.error().code() == ErrorCode::io_error) ++of_the_group;
          if (!reply && reply.error().code() == ErrorCode::unavailable) ++refused;
          ++answered;
        });
    if (queued) continue;
    EXPECT_EQ(queued.error().code(), ErrorCode::unavailable);
    ++refused_at_once;
  }
  while (answered + refused_at_once < kRequests) std::this_thread::yield();
  EXPECT_GE(of_the_group, 1);
  EXPECT_EQ(of_the_group + refused + refused_at_once, kRequests);
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept"}));
  for (const auto& refusing : {fixture_.store->delete_records(kTenant, {}, Predicate{Everything{}}).error(),
                               fixture_.store->backup("/backup", {}).error(), fixture_.store->compact().error()}) {
    EXPECT_EQ(refusing.code(), ErrorCode::unavailable) << refusing.message();
  }
  EXPECT_TRUE(fixture_.store->verify({}).has_value());  // it only reads
  fixture_.open();
  EXPECT_EQ(fixture_.bodies().front(), "kept");
  EXPECT_TRUE(fixture_.append({"again"}).has_value());
}

TEST_F(FailurePolicy, AFailedSyncOfTheManifestStopsWritingAndKeepsTheJournal) {
  ASSERT_TRUE(fixture_.append({"kept"}).has_value());
  fail_sync_of("MANIFEST-");
  EXPECT_EQ(fixture_.store->flush().error().code(), ErrorCode::io_error);
  EXPECT_FALSE(fixture_.store->health().accepts_writes);
  EXPECT_EQ(fixture_.append({"refused"}).error().code(), ErrorCode::unavailable);
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept"}));
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept"}));
}

TEST_F(FailurePolicy, AFailedSyncOfASegmentOnlyCostsItsFile) {
  ASSERT_TRUE(fixture_.append({"kept"}).has_value());
  fail_sync_of(".seg.tmp");
  EXPECT_EQ(fixture_.store->flush().error().code(), ErrorCode::io_error);
  EXPECT_EQ(segment_names(), Bodies());
  EXPECT_TRUE(fixture_.store->health().accepts_writes);  // the journal has the records
  ASSERT_TRUE(fixture_.append({"more"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept", "more"}));
}

TEST_F(FailurePolicy, BelowTheReserveCompactionAndIntakeStopAndFlushGoesOn) {
  fixture_.options.free_bytes_min = 1 << 20;
  fixture_.open();
  flush_each({"a", "b"});
  ASSERT_TRUE(fixture_.append({"in the journal"}).has_value());
  fixture_.files->set_disk_space({(1 << 20) - 1, 1 << 30});
  EXPECT_EQ(fixture_.store->compact(CompactionScope::all_final).error().code(), ErrorCode::storage_full);
  EXPECT_EQ(fixture_.append({"refused"}).error().code(), ErrorCode::storage_full);
  EXPECT_FALSE(fixture_.store->health().accepts_writes);
  EXPECT_TRUE(fixture_.store->flush().has_value());
  EXPECT_EQ(segment_names().size(), 3u);
  EXPECT_EQ(fixture_.bodies(), (Bodies{"a", "b", "in the journal"}));
  // A little above the reserve records are taken again, and a merge still has no room.
  fixture_.files->set_disk_space({(1 << 20) + 100, 1 << 30});
  EXPECT_TRUE(fixture_.append({"taken"}).has_value());
  EXPECT_TRUE(fixture_.store->health().accepts_writes);
  EXPECT_EQ(fixture_.store->compact(CompactionScope::all_final).error().code(), ErrorCode::storage_full);
  EXPECT_EQ(fixture_.store->stats().segment_count, 3u);
}

TEST_F(FailurePolicy, ACompactionWithoutSpaceBacksOff) {
  fixture_.options.compacts_by_itself = true;
  fixture_.options.compaction.fan_in = 2;
  fixture_.options.free_bytes_min = 1 << 20;
  fixture_.open();
  ASSERT_TRUE(fixture_.append({"a"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.append({"b"}).has_value());
  fixture_.files->set_disk_space({(1 << 20) + 10, 1 << 30});
  ASSERT_TRUE(fixture_.store->flush().has_value());
  while (fixture_.store->stats().compaction_failures == 0) std::this_thread::yield();
  for (int i = 0; i < 4; ++i) flush_each({"more " + std::to_string(i)});  // each wakes it
  EXPECT_EQ(fixture_.store->stats().compaction_failures, 1u);
  EXPECT_EQ(fixture_.store->stats().compactions, 0u);
}

TEST_F(FailurePolicy, ADamagedOrMissingSegmentIsNeverSilentlyEmpty) {
  flush_each({"a", "b", "c"});
  fixture_.close();
  ASSERT_TRUE(fixture_.files->remove("/data/t/default/20231114/0000000000000001.seg").has_value());
  fixture_.files->damage("/data/t/default/20231114/0000000000000002.seg", 70);
  fixture_.open();
  EXPECT_EQ(fixture_.store->condition().damaged_segments, 1u);  // the other one opens
  const auto snapshot = fixture_.store->snapshot(kTenant).value();
  const ScanOutcome outcome = run_scan(*snapshot);
  EXPECT_EQ(outcome.bodies, (Bodies{"c"}));
  ASSERT_EQ(outcome.errors.size(), 2u);
  std::string texts = outcome.errors[0].message() + "\n" + outcome.errors[1].message();
  EXPECT_NE(texts.find("0000000000000001.seg"), std::string::npos) << texts;
  EXPECT_NE(texts.find("0000000000000002.seg: block at offset 64"), std::string::npos) << texts;
  EXPECT_EQ(snapshot->find({kTestTime, SequenceNumber(1)}).error().code(), ErrorCode::corruption);
  // Nobody can say that what was deleted is gone, nor does a merge swallow what it cannot read.
  ASSERT_TRUE(fixture_.store->delete_records(kTenant, {}, Predicate{Everything{}}).has_value());
  EXPECT_EQ(fixture_.store->compact(CompactionScope::all_final).error().code(), ErrorCode::corruption);
  EXPECT_EQ(fixture_.store->stats().live_tombstones, 1u);
  EXPECT_EQ(fixture_.store->stats().segment_count, 2u);
  EXPECT_EQ(fixture_.store->verify({})->faults.size(), 2u);
}

TEST_F(FailurePolicy, AClockThatStepsBackChangesNoAge) {
  fixture_.options.memtable_age_max = std::chrono::seconds(60);
  fixture_.options.retention.standard.max_age = std::chrono::hours(24);
  fixture_.open();
  CommitRequest keyed = make_request({{"kept"}});
  keyed.key = make_key("k");
  ASSERT_TRUE(fixture_.append(keyed).has_value());
  fixture_.clock.set_now(Timestamp(kTestTime.number() - 400 * kNanosPerDay));
  EXPECT_TRUE(fixture_.append(keyed)->replayed);
  ASSERT_TRUE(fixture_.append({"later"}).has_value());
  fixture_.clock.advance(std::chrono::minutes(11));  // tiny memtables wait ten times as long
  while (fixture_.store->stats().memtable_records > 0) std::this_thread::yield();
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept", "later"}));
  fixture_.open();
  EXPECT_TRUE(fixture_.append(keyed)->replayed);
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.bodies(), (Bodies{"kept", "later"}));
}

TEST_F(FailurePolicy, RetryKeysOutliveAMergeUnderAClockThatJumpedAhead) {
  CommitRequest keyed = make_request({{"kept"}});
  keyed.key = make_key("k");
  ASSERT_TRUE(fixture_.append(keyed).has_value());
  flush_each({"more"});
  fixture_.clock.set_now(Timestamp(kTestTime.number() + 400 * kNanosPerDay));
  ASSERT_TRUE(fixture_.store->compact(CompactionScope::all_final).has_value());
  fixture_.clock.set_now(kTestTime);
  fixture_.open();
  EXPECT_TRUE(fixture_.append(keyed)->replayed);
}

}  // namespace
}  // namespace dendro
