#include "storage/compaction/compactor.h"

#include <gtest/gtest.h>

#include <iostream>

#include "record/limits.h"
#include "tests/storage/crash_model.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId kTenant = TenantId::default_tenant();

/// A record in full, as an answer gives it.
struct FullRecord {
  RecordPosition position;
  Timestamp received;
  std::string leaves;
  friend bool operator==(const FullRecord&, const FullRecord&) = default;
};

std::string leaves_of(const RecordView& record) {
  std::string text = std::to_string(record.severity()) + (record.severity_is_from_body() ? "b" : "");
  record.for_each_leaf([&text](const Leaf& leaf, const Value& value) {
    text += "|" + std::string(leaf.path) + ":" + std::to_string(static_cast<int>(leaf.role)) + ":" +
            std::to_string(static_cast<int>(value.type)) + "=" + std::string(value.text) + "," +
            std::to_string(value.integer) + "," + std::to_string(value.real);
    return true;
  });
  for (const StreamLabel& label : record.stream().labels)
    text += "{" + std::string(label.path) + "=" + std::string(label.value.text) + "}";
  return text;
}

FullRecord full_record(const RecordBlock& block, std::uint32_t row) {
  return {block.position(row), block.receive_time(row), leaves_of(block.record(row))};
}

/// All records by position; fails on any error and on disorder within a block.
std::vector<FullRecord> read_all(const Snapshot& snapshot, ScanOrder order) {
  ScanRequest request;
  request.order = order;
  const auto source = snapshot.scan(request);
  std::vector<FullRecord> records;
  for (;;) {
    const auto block = source->next();
    if (!block) {
      ADD_FAILURE() << block.error().message();
      break;
    }
    if (!block->has_value()) break;
    for (const std::uint32_t row : (*block)->rows) records.push_back(full_record(**block, row));
  }
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
  return records;
}

std::vector<FullRecord> read_all(Store& store, ScanOrder order = ScanOrder::newest_first) {
  return read_all(*store.snapshot(kTenant).value(), order);
}

Bodies segment_files(StoreFixture& fixture, const std::string& folder = "/t/default/20231114") {
  Bodies files;
  for (const std::string& name : fixture.list(folder)) files.push_back(name);
  return files;
}

/// Random requests: mixed shapes, types, streams, equal and falling times, two days.
class RandomRequests {
 public:
  explicit RandomRequests(std::uint64_t seed) : random_(seed) {}

  CommitRequest next() {
    CommitRequest request;
    request.receive_time = Timestamp(kTestTime.number() + static_cast<std::int64_t>(count_ / 3));
    if (random_() % 3 == 0) request.key = make_key("key " + std::to_string(count_));
    RecordBatchBuilder builder(request.receive_time);
    for (std::uint64_t i = 0, records = 1 + random_() % 60; i < records; ++i) add_record(builder);
    request.batches = {builder.finish()};
    request.accepted = request.batches[0]->size();
    ++count_;
    return request;
  }

 private:
  void add_record(RecordBatchBuilder& builder) {
    builder.begin_record();
    const std::int64_t offset = static_cast<std::int64_t>(random_() % 50) * kNanosPerSecond / 10;
    builder.set_timestamp(Timestamp(kTestTime.number() - offset - (random_() % 8 == 0 ? kNanosPerDay : 0)));
    builder.set_severity(static_cast<SeverityNumber>(random_() % 25), random_() % 2 == 0);
    builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text(random_() % 2 == 0 ? "api" : "db"));
    if (random_() % 10 != 0) builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(body()));
    if (random_() % 2 == 0) {
      builder.add_leaf(LeafRole::attribute, "status", "status",
                       Value::of_int64(static_cast<std::int64_t>(random_() % 600)));
    } else if (random_() % 3 == 0) {
      builder.add_leaf(LeafRole::attribute, "status", "status", Value::of_text("none"));
    }
    if (random_() % 4 == 0)
      builder.add_leaf(LeafRole::attribute, "ratio", "ratio",
                       Value::of_float64(0.5 * static_cast<double>(random_() % 9)));
    if (random_() % 5 == 0) builder.add_leaf(LeafRole::attribute, "ok", "ok", Value::of_bool(random_() % 2 == 0));
    builder.end_record();
  }

  std::string body() {
    switch (random_() % 5) {
      case 0:
        return "GET /items/" + std::to_string(random_() % 1000) + " took " + std::to_string(random_() % 90) + " ms";
      case 1:
        return std::string("nul\0in it", 9);
      case 2:
        return "";
      case 3:
        return "user " + std::to_string(random_()) + " logged in from 10.0.0." + std::to_string(random_() % 256);
      default: {
        std::string text;
        for (std::uint64_t i = random_() % 300; i > 0; --i) text.push_back(static_cast<char>(' ' + random_() % 95));
        return text;
      }
    }
  }

  std::mt19937_64 random_;
  std::uint64_t count_ = 0;
};

TEST(Compaction, ChangesNoAnswer) {
  const SeedRange seeds = seeds_from_environment(7);  // each fan-in from 2 to 8 once
  std::cout << "seeds " << seeds.first << " to " << seeds.first + seeds.count - 1 << "\n";
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StoreFixture fixture;
    fixture.options.wal_file_bytes = 64 << 10;
    fixture.options.compaction.fan_in = 2 + seed % 7;
    fixture.open();
    RandomRequests requests(seed);
    std::vector<CommitRequest> sent;
    std::vector<CommitReply> replies;
    for (int i = 0; i < 40; ++i) {
      sent.push_back(requests.next());
      const auto reply = fixture.append(sent.back());
      ASSERT_TRUE(reply.has_value());
      replies.push_back(*reply);
      if (i % 4 == 3) ASSERT_TRUE(fixture.store->flush().has_value());
      if (i % 16 == 15) ASSERT_TRUE(fixture.store->compact().has_value());
    }
    const std::vector<FullRecord> before = read_all(*fixture.store);
    const auto old_snapshot = fixture.store->snapshot(kTenant).value();
    const auto old_scan = old_snapshot->scan({});
    const Status compacted = fixture.store->compact(CompactionScope::all_final);
    ASSERT_TRUE(compacted.has_value()) << compacted.error().message();
    EXPECT_GT(fixture.store->stats().compactions, 0u);
    EXPECT_LE(fixture.store->stats().segment_count, 4u);  // final ones of two days
    EXPECT_EQ(read_all(*fixture.store, ScanOrder::newest_first), before);
    EXPECT_EQ(read_all(*fixture.store, ScanOrder::oldest_first), before);
    EXPECT_EQ(read_all(*old_snapshot, ScanOrder::newest_first), before);
    fixture.open();
    EXPECT_EQ(read_all(*fixture.store), before);
    const auto snapshot = fixture.store->snapshot(kTenant).value();
    for (const FullRecord& record : before) {
      const auto found = snapshot->find(record.position);
      ASSERT_TRUE(found.has_value() && found->has_value());
      EXPECT_EQ(full_record(**found, (*found)->rows.front()), record);
    }
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (!sent[i].key) continue;
      const auto again = fixture.append(sent[i]);
      ASSERT_TRUE(again.has_value());
      EXPECT_TRUE(again->replayed);
      EXPECT_EQ(again->first_sequence, replies[i].first_sequence);
    }
  }
}

/// Several row groups and slices an input, overlapping in time.
TEST(Compaction, MergesSegmentsOfSeveralRowGroups) {
  StoreFixture fixture;
  fixture.files = std::make_unique<MemoryFileSystem>();
  fixture.options.wal_file_bytes = 8 << 20;
  fixture.open();
  std::mt19937_64 random(5);
  std::vector<RecordPosition> expected;
  for (int flush = 0; flush < 2; ++flush) {
    for (int i = 0; i < 3; ++i) {
      std::vector<TestRecord> records;
      for (int j = 0; j < 22'000; ++j) {
        const Timestamp time(kTestTime.number() - static_cast<std::int64_t>(random() % 1'000) * kNanosPerMilli);
        records.push_back({"record " + std::to_string(random() % 50), time});
        expected.push_back({time, SequenceNumber(expected.size() + 1)});
      }
      CommitRequest request;
      request.receive_time = kTestTime;
      request.batches = {make_batch(records)};
      ASSERT_TRUE(fixture.append(std::move(request)).has_value());
    }
    ASSERT_TRUE(fixture.store->flush().has_value());
  }
  ASSERT_GT(expected.size(), 2 * kMaxBatchRecords);  // each segment has more than a row group of records
  ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
  EXPECT_EQ(fixture.store->stats().segment_count, 1u);
  EXPECT_EQ(fixture.store->stats().segment_records, expected.size());
  ScanRequest request;
  request.order = ScanOrder::oldest_first;
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(run_scan(*fixture.store->snapshot(kTenant).value(), request).positions, expected);
}

TEST(Compaction, LeavesARunningDayAloneUntilItIsDue) {
  StoreFixture fixture;
  fixture.open();
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(fixture.append({"record " + std::to_string(i)}).has_value());
    ASSERT_TRUE(fixture.store->flush().has_value());
  }
  ASSERT_TRUE(fixture.store->compact().has_value());
  EXPECT_EQ(fixture.store->stats().segment_count, 7u);
  fixture.clock.advance(std::chrono::hours(24));
  ASSERT_TRUE(fixture.store->compact().has_value());
  EXPECT_EQ(fixture.store->stats().segment_count, 1u);
  EXPECT_EQ(fixture.store->stats().compactions, 1u);
  ASSERT_TRUE(fixture.store->compact().has_value());
  EXPECT_EQ(fixture.store->stats().compactions, 1u);  // final stays final
}

TEST(Compaction, FilesGoWhenTheLastReaderLetsGo) {
  StoreFixture fixture;
  fixture.open();
  for (const char* body : {"a", "b"}) {
    ASSERT_TRUE(fixture.append({body}).has_value());
    ASSERT_TRUE(fixture.store->flush().has_value());
  }
  auto snapshot = fixture.store->snapshot(kTenant).value();
  auto scan = snapshot->scan({});
  ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
  EXPECT_EQ(segment_files(fixture).size(), 3u);
  EXPECT_EQ(run_scan(*snapshot).bodies, (Bodies{"b", "a"}));
  snapshot.reset();
  EXPECT_EQ(segment_files(fixture).size(), 3u);
  ASSERT_TRUE(scan->next().has_value());
  scan.reset();
  EXPECT_EQ(segment_files(fixture), (Bodies{"0000000000000003.seg"}));
  EXPECT_EQ(fixture.bodies(), (Bodies{"a", "b"}));
}

TEST(Compaction, EndsWhenCancelledAndIsDoneLater) {
  StoreFixture fixture;
  fixture.options.compaction.fan_in = 2;
  fixture.open();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(fixture.append({"record " + std::to_string(i)}).has_value());
    ASSERT_TRUE(fixture.store->flush().has_value());
  }
  EXPECT_EQ(fixture.store->condition().debt.segments, 6u);
  WorkWatch watch;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  watch.on_progress = [&](std::uint64_t done, std::uint64_t total) {
    told.emplace_back(done, total);
    if (done == 2) watch.cancel.cancel();
  };
  EXPECT_EQ(fixture.store->compact(CompactionScope::due, watch).error().code(), ErrorCode::cancelled);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told.front(), (std::pair<std::uint64_t, std::uint64_t>(0, 1)));
  EXPECT_EQ(fixture.store->stats().compactions, 2u);
  EXPECT_EQ(segment_files(fixture).size(), 4u);  // nothing half-made stays
  EXPECT_EQ(fixture.bodies().size(), 6u);
  ASSERT_TRUE(fixture.store->compact().has_value());
  EXPECT_EQ(fixture.store->condition().debt.segments, 0u);
  EXPECT_EQ(fixture.bodies().size(), 6u);
}

TEST(Compaction, AReaderMayOutliveTheStore) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  auto snapshot = fixture.store->snapshot(kTenant).value();
  ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
  fixture.close();
  EXPECT_EQ(run_scan(*snapshot).bodies, (Bodies{"a"}));
  fixture.open();  // deletes the unlisted file under it
  snapshot.reset();
  EXPECT_EQ(fixture.bodies(), (Bodies{"a"}));
  EXPECT_EQ(segment_files(fixture).size(), 1u);
}

TEST(Compaction, LeavesDamagedSegmentsWhereTheyAre) {
  StoreFixture fixture;
  fixture.open();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(fixture.append({"record " + std::to_string(i)}).has_value());
    ASSERT_TRUE(fixture.store->flush().has_value());
  }
  const std::string folder = fixture.options.directory + "/t/default/20231114/";
  fixture.files->damage(folder + "0000000000000002.seg", 70);  // a block: met while merging
  fixture.open();
  const Status compacted = fixture.store->compact(CompactionScope::all_final);
  ASSERT_FALSE(compacted.has_value());
  EXPECT_EQ(compacted.error().code(), ErrorCode::corruption);
  EXPECT_GT(fixture.store->stats().compaction_failures, 0u);
  EXPECT_EQ(segment_files(fixture), (Bodies{"0000000000000002.seg", "0000000000000006.seg"}));
  const ScanOutcome outcome = run_scan(*fixture.store->snapshot(kTenant).value());
  EXPECT_EQ(outcome.bodies.size(), 3u);
  EXPECT_EQ(outcome.errors.size(), 1u);
  ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());  // not tried again
}

TEST(Compaction, WithoutSpaceLeavesEverythingAndGoesOnLater) {
  StoreFixture fixture;
  fixture.open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(fixture.append({"record " + std::to_string(i)}).has_value());
    ASSERT_TRUE(fixture.store->flush().has_value());
  }
  const Bodies files = segment_files(fixture);
  FileFaults full;
  full.space_bytes = 100;
  fixture.files->set_faults(full);
  EXPECT_EQ(fixture.store->compact(CompactionScope::all_final).error().code(), ErrorCode::storage_full);
  EXPECT_EQ(segment_files(fixture), files);  // no .tmp either
  EXPECT_TRUE(fixture.store->health().accepts_writes);
  fixture.files->set_faults({});
  fixture.files->set_disk_space({1 << 20, 1 << 30});
  fixture.options.free_bytes_min = 2 << 20;
  fixture.open();
  EXPECT_EQ(fixture.store->compact(CompactionScope::all_final).error().code(), ErrorCode::storage_full);
  fixture.files->set_disk_space({1 << 30, 1 << 30});
  ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
  EXPECT_EQ(fixture.store->stats().segment_count, 1u);
  EXPECT_EQ(fixture.bodies().size(), 3u);
}

TEST(Compaction, StopsInTheMiddleOfAMerge) {
  StoreFixture fixture;
  fixture.options.wal_file_bytes = 8 << 20;
  fixture.options.compacts_by_itself = true;
  fixture.open();
  std::vector<TestRecord> records;
  for (int i = 0; i < 60'000; ++i) records.push_back({"record " + std::to_string(i * 7919 % 10'007), Timestamp(i)});
  for (int i = 0; i < 3; ++i) {
    CommitRequest request;
    request.receive_time = kTestTime;
    request.batches = {make_batch(records)};
    ASSERT_TRUE(fixture.append(std::move(request)).has_value());
  }
  ASSERT_TRUE(fixture.store->flush().has_value());  // wakes the compactor: the day is long over
  while (fixture.list("/t/default/19700101").size() == 1) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  fixture.close();
  const auto took = std::chrono::steady_clock::now() - begin;
  std::cout << "closed after " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
  EXPECT_EQ(fixture.list("/t/default/19700101"), (Bodies{"0000000000000001.seg"}));
  fixture.options.compacts_by_itself = false;
  fixture.open();
  EXPECT_EQ(fixture.store->stats().segment_records, 180'000u);
}

TEST(Compaction, CompactsByItselfBehindAFlush) {
  StoreFixture fixture;
  fixture.options.compacts_by_itself = true;
  fixture.open();
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {make_batch({{"old", Timestamp(0)}})};
  ASSERT_TRUE(fixture.append(std::move(request)).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  while (fixture.store->stats().compactions == 0) std::this_thread::yield();
  EXPECT_EQ(fixture.bodies(), (Bodies{"old"}));
}

TEST(Compaction, GoesOnWhileRecordsComeAndAreRead) {
  StoreFixture fixture;
  fixture.files = std::make_unique<MemoryFileSystem>();
  fixture.options.compaction.fan_in = 2;
  fixture.options.compacts_by_itself = true;
  fixture.open();
  constexpr int kRequests = 300;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      ASSERT_TRUE(fixture.append({"record " + std::to_string(i)}).has_value());
      if (i % 5 == 4) ASSERT_TRUE(fixture.store->flush().has_value());
    }
    done = true;
  });
  std::size_t seen_before = 0;
  while (!done) {
    const auto snapshot = fixture.store->snapshot(kTenant).value();
    const ScanOutcome outcome = run_scan(*snapshot);
    ASSERT_TRUE(outcome.errors.empty()) << outcome.errors.front().message();
    EXPECT_EQ(outcome.bodies.size(), snapshot->last_sequence().number());
    EXPECT_GE(outcome.bodies.size(), seen_before);
    seen_before = outcome.bodies.size();
  }
  writer.join();
  ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
  EXPECT_EQ(fixture.bodies().size(), static_cast<std::size_t>(kRequests));
  std::cout << fixture.store->stats().compactions << " compactions\n";
}

/// Fails the k-th changing call of a life with compactions: nothing is lost or doubled, and it goes on afterwards.
class CompactionFault : public testing::TestWithParam<std::tuple<ErrorCode, bool>> {};

TEST_P(CompactionFault, LosesNothing) {
  const auto [code, fail_on] = GetParam();
  bool fault_was_reached = true;
  for (std::uint64_t k = 1; fault_was_reached; ++k) {
    StoreFixture fixture;
    fixture.options.wal_file_bytes = 2048;
    fixture.options.compaction.fan_in = 2;
    fixture.open();
    Bodies acknowledged;
    for (int i = 0; i < 5; ++i) {
      acknowledged.push_back("record " + std::to_string(i));
      ASSERT_TRUE(fixture.append({acknowledged.back()}).has_value());
      if (i != 3) ASSERT_TRUE(fixture.store->flush().has_value());
    }
    FileFaults faults;
    faults.fail_call = k;
    faults.fail_on = fail_on;
    faults.code = code;
    const std::uint64_t calls_before = fixture.files->change_calls();
    fixture.files->set_faults(faults);
    (void)fixture.store->compact();
    EXPECT_EQ(fixture.bodies(), acknowledged) << "fault at call " << k;
    (void)fixture.store->flush();
    (void)fixture.store->compact(CompactionScope::all_final);
    EXPECT_EQ(fixture.bodies(), acknowledged) << "fault at call " << k;
    fault_was_reached = fixture.files->change_calls() - calls_before >= k && k < 200;
    fixture.files->set_faults({});
    if (fixture.store->health().accepts_writes) {
      const Status again = fixture.store->compact(CompactionScope::all_final);
      EXPECT_TRUE(again.has_value()) << "fault at call " << k << ": " << again.error().message();
    }
    fixture.open();
    EXPECT_EQ(fixture.bodies(), acknowledged) << "fault at call " << k;
    ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
    EXPECT_EQ(fixture.store->stats().segment_count, 1u) << "fault at call " << k;
    EXPECT_EQ(fixture.bodies(), acknowledged) << "fault at call " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, CompactionFault,
                         testing::Combine(testing::Values(ErrorCode::io_error, ErrorCode::storage_full),
                                          testing::Bool()));

}  // namespace
}  // namespace dendro
