#include "services/tail/tail_hub.h"

#include <random>

#include "tests/services/tail/tail_fixture.h"

namespace dendro {
namespace {

using Kind = TailFrame::Kind;

TEST_F(TailFixture, SendsWhatMatchesInOrderOfArrival) {
  append({"before"});
  const auto reader = open("body:keep*");
  append({"keep 1", "drop", "keep 2"});
  append({"keep 3"});
  EXPECT_EQ(read_rows(*reader, 3), (Bodies{"keep 1", "keep 2", "keep 3"}));
}

TEST_F(TailFixture, OrderIsThatOfArrivalNotOfTime) {
  const auto reader = open("*");
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches.push_back(make_batch({{"late", Timestamp(kTestTime.number() + 9)}, {"early", kTestTime}}));
  ASSERT_TRUE(store.append(std::move(request)).has_value());
  EXPECT_EQ(read_rows(*reader, 2), (Bodies{"late", "early"}));
}

TEST_F(TailFixture, CursorsAreExclusiveSoThatAReaderGoesOnWhereItStopped) {
  const auto first = open("*");
  append(numbered(0, 5));
  EXPECT_EQ(read_rows(*first, 5), numbered(0, 5));
  const std::string cursor = last_cursor;
  first->session().close();
  append(numbered(5, 9));
  ASSERT_TRUE(store.store->flush().has_value());
  append(numbered(9, 12));
  const auto second = open("*", cursor);
  append(numbered(12, 14));
  EXPECT_EQ(read_rows(*second, 9), numbered(5, 14));
}

TEST_F(TailFixture, ACursorInTheMiddleOfABatchDoesNotRepeatItsFirstRows) {
  const auto reply = store.append(numbered(0, 10));
  ASSERT_TRUE(reply.has_value());
  const auto reader = open("*", to_tail_cursor(reply->first_sequence.next(3)));
  EXPECT_EQ(read_rows(*reader, 6), numbered(4, 10));
}

TEST_F(TailFixture, ACursorBetweenTwoFramesOfOneBatchBelongsToTheFirst) {
  const auto first = open("*");
  append(numbered(0, 700));
  first->ask();
  settle();
  const TailFrame frame = first->take();
  EXPECT_EQ(frame.rows, kTailFrameRows);
  const auto second = open("*", to_tail_cursor(frame.cursor));
  EXPECT_EQ(read_rows(*second, 200), numbered(500, 700));
}

/// The feed may still hand out what was committed before the snapshot was taken.
TEST_F(TailFixture, WhatTheSnapshotHadIsNotTakenFromTheFeedAgain) {
  const auto batch = make_batch({{"a"}, {"b"}});
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {batch, batch};
  const auto reply = store.append(std::move(request));
  ASSERT_TRUE(reply.has_value());
  const auto reader = open("*", to_tail_cursor(SequenceNumber(reply->first_sequence.number() - 1)));
  for (const std::uint64_t skipped : {0U, 2U}) {
    RecordBlock block{batch, nullptr, reply->first_sequence.next(skipped), {0, 1}};
    reader->session().offer(std::make_shared<const RecordBlock>(block), block.sequence(1));
  }
  append({"c"});
  EXPECT_EQ(read_rows(*reader, 5), (Bodies{"a", "b", "a", "b", "c"}));
}

TEST_F(TailFixture, ACursorOfAStoreThatWasLostBeginsNow) {
  append({"a"});
  const auto reader = open("*", "999999");
  append({"b"});
  EXPECT_EQ(read_rows(*reader, 1), (Bodies{"b"}));
}

TEST_F(TailFixture, RowPipesRunForEachRecord) {
  const auto reader = open("body:n* | where body:!=n2 | eval 1 as one | fields body, one");
  append(numbered(0, 4));
  reader->ask();
  settle();
  EXPECT_EQ(reader->take().rows_json, R"({"body":"n0","one":1},{"body":"n1","one":1},{"body":"n3","one":1})");
}

TEST_F(TailFixture, ALimitEndsTheTail) {
  const auto reader = open("* | limit 3");
  append(numbered(0, 2));
  EXPECT_EQ(read_rows(*reader, 2), numbered(0, 2));
  append(numbered(2, 9));
  EXPECT_EQ(read_rows(*reader, 1), numbered(2, 3));
  const TailFrame end = reader->next();
  EXPECT_EQ(end.kind, Kind::end);
  EXPECT_EQ(end.end, TailEnd::limit);
}

TEST_F(TailFixture, ATableIsSentWholeOnceASecond) {
  append({"before"});
  const auto reader = open("body:n* | stats count() as n");
  const auto table = [&] {
    reader->ask();
    settle(std::chrono::milliseconds(1000));
    return reader->take();
  };
  TailFrame frame = table();
  EXPECT_EQ(frame.kind, Kind::table);
  EXPECT_EQ(frame.rows_json, R"({"n":0})");
  append(numbered(0, 3));
  append({"other"});
  frame = table();
  EXPECT_EQ(frame.rows_json, R"({"n":3})");
  EXPECT_EQ(frame.columns_json, R"("n")");
  EXPECT_TRUE(frame.complete);
  EXPECT_EQ(table().kind, Kind::rate) << "nothing new, nothing sent";
  append(numbered(3, 5));
  EXPECT_EQ(table().rows_json, R"({"n":5})");
}

TEST_F(TailFixture, WhatWaitsForTheLastRecordIsRefused) {
  for (const char* query : {"* | sort by (body)", "* | tail 3", "service:in(* | fields service) | limit 3",
                            "_time:[2020-01-01, 2020-01-02)", "severity:="}) {
    TailRequest request;
    request.query = query;
    fault = QueryFault();
    const auto session = try_open(request);
    EXPECT_FALSE(session.has_value()) << query;
    EXPECT_FALSE(fault.message.empty()) << query;
  }
  TailRequest request;
  request.query = "*";
  request.since = "12x";
  EXPECT_EQ(try_open(request).error().code(), ErrorCode::invalid_argument);
}

TEST_F(TailFixture, AQuietTailSaysSoOnceASecond) {
  const auto reader = open("*");
  append({"a"});
  read_rows(*reader, 1);
  reader->ask();
  settle(std::chrono::milliseconds(900));
  EXPECT_FALSE(reader->has_frame());
  settle(std::chrono::milliseconds(100));
  const TailFrame frame = reader->take();
  EXPECT_EQ(frame.kind, Kind::rate);
  EXPECT_EQ(to_tail_cursor(frame.cursor), last_cursor);
}

TEST_F(TailFixture, RowsWaitATenthOfASecondAtMostAndGoAtFiveHundred) {
  const auto reader = open("*");
  reader->ask();
  append({"a"});
  wait_for_workers();
  EXPECT_FALSE(reader->has_frame());
  settle(std::chrono::milliseconds(99));
  EXPECT_FALSE(reader->has_frame());
  settle(std::chrono::milliseconds(1));
  EXPECT_EQ(reader->take().rows, 1U);
  reader->ask();
  append(numbered(0, 700));
  wait_for_workers();
  EXPECT_EQ(reader->take().rows, kTailFrameRows);
  EXPECT_EQ(reader->next().rows, 200U);
}

TEST_F(TailFixture, WhatIsOverTheRateBecomesAGap) {
  const auto reader = open("*", {}, 10);
  append(numbered(0, 25));
  append(numbered(25, 30));
  EXPECT_EQ(read_rows(*reader, 10), numbered(0, 10));
  const TailFrame gap = reader->next();
  ASSERT_EQ(gap.kind, Kind::gap);
  EXPECT_EQ(gap.gap_count, 20U);
  EXPECT_EQ(gap.gap_reason, TailGapReason::rate);
  settle(std::chrono::seconds(1));
  append(numbered(30, 33));
  EXPECT_EQ(read_rows(*reader, 3), numbered(30, 33));
  // The cursors of the gap name exactly what was left out.
  const auto snapshot = store.store->snapshot(TenantId::default_tenant());
  ScanRequest scan;
  scan.sequences = range_of_gap(gap.gap_from, gap.gap_to);
  Bodies found = run_scan(**snapshot, scan).bodies;
  Bodies expected = numbered(10, 30);
  std::sort(found.begin(), found.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(found, expected);
}

TEST_F(TailFixture, AReaderThatStopsGetsAGapAndTheOtherEverything) {
  options.queue_bytes_max = 4000;
  const auto slow = open("*");
  const auto other = open("*");
  Bodies of_other;
  for (int i = 0; i < 100; i += 5) {
    append(numbered(i, i + 5));
    for (std::string& body : read_rows(*other, 5)) of_other.push_back(std::move(body));
  }
  EXPECT_EQ(of_other, numbered(0, 100));
  std::uint64_t rows = 0, left_out = 0;
  while (rows + left_out < 100 && !HasFailure()) {
    const TailFrame frame = slow->next();
    if (frame.kind == Kind::rows) {
      EXPECT_EQ(bodies_of(frame).front(), "n" + std::to_string(rows + left_out)) << "in order";
      rows += frame.rows;
    } else {
      ASSERT_EQ(frame.kind, Kind::gap);
      EXPECT_EQ(frame.gap_reason, TailGapReason::slow_reader);
      left_out += frame.gap_count;
    }
  }
  EXPECT_GT(rows, 0U);
  EXPECT_GT(left_out, 0U);
  append({"n100"});
  EXPECT_EQ(read_rows(*slow, 1), (Bodies{"n100"}));
}

TEST_F(TailFixture, MoreThanTheReplayLimitBecomesOneGapBeforeTheNewest) {
  options.replay.rows_max = 50;
  append({"before"});
  const auto reply = store.append({"mark"});
  ASSERT_TRUE(reply.has_value());
  for (int i = 0; i < 130; i += 10) append(numbered(i, i + 10));
  const auto reader = open("body:n*", to_tail_cursor(reply->first_sequence));
  const TailFrame gap = reader->next();
  ASSERT_EQ(gap.kind, Kind::gap) << tail_frame_json(gap);
  EXPECT_EQ(gap.gap_count, 80U);
  EXPECT_EQ(gap.gap_reason, TailGapReason::replay_limit);
  EXPECT_EQ(gap.gap_from, reply->first_sequence);
  EXPECT_EQ(read_rows(*reader, 50), numbered(80, 130));
}

TEST_F(TailFixture, WhatTheFeedDroppedIsReadFromTheStore) {
  options.feed_bytes_max = 1;
  const auto reader = open("body:n*");
  append(numbered(0, 10));
  append({"other"});
  append(numbered(10, 20));
  EXPECT_EQ(read_rows(*reader, 20), numbered(0, 20));
}

/// All memory of tails is one reader's that takes nothing; the others must not feel it.
TEST_F(TailFixture, WhenMemoryIsShortTheOneThatWaitsWithMuchGetsAGap) {
  options.memory_bytes_max = 40'000;
  const auto slow = open("*");
  const auto other = open("*");
  Bodies of_other;
  for (int i = 0; i < 300; i += 5) {
    append(numbered(i, i + 5));
    for (std::string& body : read_rows(*other, 5)) of_other.push_back(std::move(body));
    EXPECT_LE(hub().memory_bytes(), options.memory_bytes_max);
  }
  EXPECT_EQ(of_other, numbered(0, 300));
  std::uint64_t rows = 0, left_out = 0;
  while (rows + left_out < 300 && !HasFailure()) {
    const TailFrame frame = slow->next();
    rows += frame.rows;
    left_out += frame.gap_count;
    if (frame.kind == Kind::gap) EXPECT_EQ(frame.gap_reason, TailGapReason::slow_reader);
  }
  EXPECT_GT(rows, 0U);
  EXPECT_GT(left_out, 0U);
}

TEST_F(TailFixture, WhatWaitsIsGivenUpWhereItIsMoreThanAReadersPart) {
  std::vector<TestRecord> records;
  for (const std::string& body : numbered(0, 60)) records.push_back({body});
  options.memory_bytes_max = TailMemory::bytes_of(*make_batch(records)) * 3 / 2;
  const auto slow = open("*");
  append(numbered(0, 60));  // over half of the memory, and all this reader's
  wait_for_workers();
  const auto other = open("*");
  append(numbered(60, 120));  // no room for it beside the first
  const TailFrame gap = slow->next();
  ASSERT_EQ(gap.kind, Kind::gap) << tail_frame_json(gap);
  EXPECT_EQ(gap.gap_count, 60U);
  EXPECT_EQ(gap.gap_reason, TailGapReason::slow_reader);
  // What was missed is read from the store, as much of it as there is room for, and the rest is counted.
  for (TailReaderProbe* reader : {other.get(), slow.get()}) {
    std::uint64_t rows = 0, left_out = 0;
    while (rows + left_out < 60 && !HasFailure()) {
      reader->ask();
      settle();
      const TailFrame frame = reader->take();
      rows += frame.rows;
      left_out += frame.gap_count;
      if (frame.rows > 0) EXPECT_EQ(bodies_of(frame).back(), "n119") << "the newest";
    }
    EXPECT_EQ(rows + left_out, 60U);
    EXPECT_GT(rows, 10U);
  }
}

TEST_F(TailFixture, WithoutAnyMemoryAllIsCountedInGaps) {
  options.memory_bytes_max = 10;
  const auto reader = open("body:n*");
  append(numbered(0, 10));
  append({"other"});
  wait_for_workers();
  const TailFrame gap = reader->next();
  ASSERT_EQ(gap.kind, Kind::gap) << tail_frame_json(gap);
  EXPECT_EQ(gap.gap_count, 10U);
  EXPECT_EQ(gap.gap_reason, TailGapReason::replay_limit);
}

TEST_F(TailFixture, MemoryIsGivenBackWithTheLastWhoHoldsIt) {
  tables = one_table();
  auto first = open("*");
  auto second = open("* | dedup by (body)");
  auto third = open("* | lookup \"t.csv\" by (body)");
  EXPECT_GT(hub().memory_bytes(), 0U) << "a table";
  append(numbered(0, 100));
  second->ask();
  settle();
  second->take();
  const std::string cursor = "1";
  auto resumed = open("*", cursor);
  resumed->next();
  EXPECT_GT(hub().memory_bytes(), 5'000U);
  for (auto* reader : {&first, &second, &third, &resumed}) reader->reset();
  wait_for_workers();
  EXPECT_EQ(hub().memory_bytes(), 0U);
}

/// A reader that takes nothing while the feed drops batches again and again.
TEST_F(TailFixture, GapsAndMissedRangesDoNotPileUpWithoutEnd) {
  options.queue_bytes_max = 1;
  const auto reader = open("*");
  const auto batch = make_batch({{"x"}});
  std::uint64_t sequence = 100;
  const int turns = 3 * static_cast<int>(kTailQueueItems);
  for (int i = 0; i < turns; ++i) {
    const RecordBlock block{batch, nullptr, SequenceNumber(++sequence), {0}};
    reader->session().offer(std::make_shared<const RecordBlock>(block), SequenceNumber(sequence));
    ++sequence;
    reader->session().miss(SequenceNumber(sequence), SequenceNumber(sequence));
  }
  int frames = 0;
  for (bool is_quiet = false; !is_quiet && frames < turns; ++frames) {
    reader->ask();
    settle(std::chrono::seconds(1));
    is_quiet = reader->take().kind == Kind::rate;
  }
  EXPECT_LE(frames, static_cast<int>(kTailQueueItems));
}

TEST_F(TailFixture, ATableIsLookedUpForEachRecordAsItWasWhenTheTailBegan) {
  tables = one_table("body,team\nn1,blue\nn3,red\n");
  const auto reader = open("body:n* | lookup \"t.csv\" by (body) | fields body, team");
  append(numbered(0, 4));
  reader->ask();
  settle();
  EXPECT_EQ(reader->take().rows_json,
            R"({"body":"n0"},{"body":"n1","team":"blue"},{"body":"n2"},{"body":"n3","team":"red"})");
  table_text = "body,team\nn1,green\n";
  const auto later = open("body:n* | lookup \"t.csv\" by (body) | fields body, team");
  const auto counted = open("body:n* | lookup \"t.csv\" by (body) | stats by (team) count() as n | sort by (team)");
  append({"n1"});
  for (auto* one : {reader.get(), later.get()}) one->ask();
  settle();
  EXPECT_EQ(reader->take().rows_json, R"({"body":"n1","team":"blue"})");
  EXPECT_EQ(later->take().rows_json, R"({"body":"n1","team":"green"})") << "the same text, but not the same table";
  counted->ask();
  settle(std::chrono::milliseconds(1000));
  EXPECT_EQ(counted->take().rows_json, R"({"team":"green","n":1})");
}

TEST_F(TailFixture, ATableThatIsNotThereOrDoesNotFitIsRefused) {
  TailRequest request;
  request.query = "* | lookup \"t.csv\" by (body)";
  EXPECT_FALSE(try_open(request).has_value());
  EXPECT_NE(fault.message.find("not known here"), std::string::npos) << fault.message;
}

TEST_F(TailFixture, ATableThatDoesNotFitIntoTheMemoryOfTailsIsRefused) {
  tables = one_table();
  options.memory_bytes_max = 50;
  TailRequest request;
  request.query = "* | lookup \"t.csv\" by (body)";
  EXPECT_FALSE(try_open(request).has_value());
  EXPECT_NE(fault.message.find("more than live tails have left"), std::string::npos) << fault.message;
}

/// shut_down() goes through the tails while this one is still being made.
TEST_F(TailFixture, ATailThatJoinsDuringAShutDownIsEnded) {
  tables = one_table();
  while_table_is_read = [this] { hub().shut_down(); };
  TailRequest request;
  request.query = "* | lookup \"t.csv\" by (body)";
  const auto session = try_open(request);
  ASSERT_TRUE(session.has_value()) << session.error().message();
  TailReaderProbe reader(*session);
  const TailFrame end = reader.next();
  EXPECT_EQ(end.kind, Kind::end) << tail_frame_json(end);
  EXPECT_EQ(end.end, TailEnd::shutdown);
}

TEST_F(TailFixture, TailsWithTheSameTextShareOneQuery) {
  const auto first = open("body:n*");
  const auto second = open("body:n*");
  const auto third = open("body:n* | limit 5");
  append(numbered(0, 3));
  for (TailReaderProbe* reader : {first.get(), second.get(), third.get()})
    EXPECT_EQ(read_rows(*reader, 3), numbered(0, 3));
  EXPECT_EQ(hub().open_tails(), 3U);
}

TEST_F(TailFixture, ThereIsABoundAndAPlaceIsGivenBack) {
  options.tails_per_tenant_max = 2;
  const auto first = open("*");
  auto second = open("body:x");
  TailRequest request;
  request.query = "*";
  EXPECT_EQ(try_open(request).error().code(), ErrorCode::resource_exhausted);
  request.tenant = make_tenant("other");
  const auto of_other = try_open(request);
  ASSERT_TRUE(of_other.has_value());
  (*of_other)->close();
  second.reset();
  request.tenant = TenantId::default_tenant();
  const auto again = try_open(request);
  ASSERT_TRUE(again.has_value());
  (*again)->close();
}

TEST_F(TailFixture, TenantsHearOnlyTheirOwn) {
  const auto reader = open("*");
  ASSERT_TRUE(store.append(make_request({{"theirs"}}, make_tenant("other"))).has_value());
  append({"mine"});
  EXPECT_EQ(read_rows(*reader, 1), (Bodies{"mine"}));
}

TEST_F(TailFixture, ShuttingDownEndsEveryTailAndBeginsNone) {
  const auto asking = open("*");
  const auto silent = open("*");
  asking->ask();
  hub().shut_down();
  for (TailReaderProbe* reader : {asking.get(), silent.get()}) {
    if (reader == silent.get()) reader->ask();
    const TailFrame end = reader->take();
    EXPECT_EQ(end.kind, Kind::end);
    EXPECT_EQ(end.end, TailEnd::shutdown);
    EXPECT_GT(end.retry_after_ms, 0);
  }
  TailRequest request;
  request.query = "*";
  EXPECT_EQ(try_open(request).error().code(), ErrorCode::unavailable);
}

/// A writer writes all the time; a reader leaves and comes again at random, on a hub that runs by itself.
TEST_F(TailFixture, NothingIsLostOrRepeatedWhileReadersComeAndGo) {
  const unsigned seed = std::random_device()();
  RecordProperty("seed", static_cast<int>(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr int kCount = 2000;
  append({"mark"});
  std::jthread writer([this] {
    for (int i = 0; i < kCount; i += 4) append(numbered(i, i + 4));
  });
  Bodies seen;
  std::string cursor = "1";  // of the mark
  while (seen.size() < kCount && !HasFailure()) {
    const auto reader = open("body:n*", cursor, kTailRowsPerSecondMax);
    const auto frames = 1 + random() % 6;
    for (unsigned i = 0; i < frames && seen.size() < kCount; ++i) {
      reader->ask();
      hub().tick();
      // A little over a second, and no more: time must not run away from a replay, which gives up after 30 s.
      for (int step = 0; step < 11 && !reader->has_frame(); ++step) {
        store.clock.advance(std::chrono::milliseconds(100));
        hub().tick();
      }
      const TailFrame frame = reader->take();
      ASSERT_NE(frame.kind, Kind::gap) << tail_frame_json(frame);
      cursor = to_tail_cursor(frame.cursor);
      if (frame.kind != Kind::rows) continue;
      for (std::string& body : bodies_of(frame)) seen.push_back(std::move(body));
    }
  }
  EXPECT_EQ(seen, numbered(0, kCount));
}

/// Makes its blocks as it is asked for them, each with one record that matters, and knows how much of them lives.
class FreshBlocks final : public BlockSource {
 public:
  FreshBlocks(int count, std::size_t& living_max) : left_(count), living_max_(living_max) {}
  Result<std::optional<RecordBlock>> next() override {
    note_living();
    if (left_-- == 0) return std::optional<RecordBlock>();
    RecordBlock block;
    block.batch = make_batch({{"keep"}, {std::string(256 << 10, 'x')}});
    block.first_sequence = SequenceNumber(++sequence_);
    ++sequence_;
    block.rows = {0};
    made_.push_back(block.batch);
    return std::optional(std::move(block));
  }
  Timestamp bound() const override { return kTimestampMin; }
  std::uint64_t scanned_records() const override { return 0; }
  std::uint64_t scanned_bytes() const override { return 0; }

 private:
  void note_living() {
    std::erase_if(made_, [](const auto& batch) { return batch.expired(); });
    living_max_ = std::max(living_max_, made_.size());
  }
  int left_;
  std::size_t& living_max_;
  std::uint64_t sequence_ = 0;
  std::vector<std::weak_ptr<const RecordBatch>> made_;
};

struct FreshSnapshot final : Snapshot {
  const TenantId& tenant() const override { return TenantId::default_tenant(); }
  SequenceNumber last_sequence() const override { return SequenceNumber(1'000'000); }
  std::unique_ptr<BlockSource> scan(ScanRequest) const override {
    return std::make_unique<FreshBlocks>(400, living_max);
  }
  Result<std::optional<RecordBlock>> find(RecordPosition) const override { return std::optional<RecordBlock>(); }
  mutable std::size_t living_max = 0;
};

std::shared_ptr<const RecordRestriction> restriction(const Access& access) {
  return std::make_shared<const RecordRestriction>(*make_record_restriction(access, kTestTime));
}

TEST_F(TailFixture, ARestrictedReaderSeesItsRowsOnlyFromTheStoreAndAsTheyCome) {
  append({"mine 1", "theirs 1"});
  TailRequest request;
  request.query = "*";
  request.since = to_tail_cursor(SequenceNumber(0));
  request.restriction = restriction({{Permission::audit_trail}, {}, {"mine"}, {}, {}});
  const auto restricted = open(request);
  request.restriction = nullptr;
  const auto all = open(request);
  append({"theirs 2", "mine 2"});
  EXPECT_EQ(read_rows(*restricted, 2), (Bodies{"mine 1", "mine 2"}));
  EXPECT_EQ(read_rows(*all, 4), (Bodies{"mine 1", "theirs 1", "theirs 2", "mine 2"})) << "the same text, another view";
}

TEST_F(TailFixture, WhatIsHiddenFromAReaderCannotBeAskedForLive) {
  TailRequest request;
  request.query = "secret";
  request.restriction = restriction({{Permission::audit_trail}, {}, {}, {"body"}, {}});
  const auto searching = open(request);
  request.query = "*";
  const auto reader = open(request);
  append({"secret"});
  reader->ask();
  settle();
  const TailFrame frame = reader->take();
  EXPECT_EQ(frame.rows, 1u);
  EXPECT_EQ(tail_frame_json(frame).find("secret"), std::string::npos);
  searching->ask();
  settle(std::chrono::seconds(2));
  EXPECT_EQ(searching->take().kind, TailFrame::Kind::rate) << "nothing but a sign of life";
}

/// What each tenant saved under `mine`.
class OneSavedFilter final : public SavedFilters {
 public:
  explicit OneSavedFilter(std::string text) : text_(std::move(text)) {}
  std::optional<std::string> find(std::string_view name) const override {
    return name == "mine" ? std::optional(text_) : std::nullopt;
  }

 private:
  const std::string text_;
};

TEST_F(TailFixture, FollowsWhatASavedFilterStandsFor) {
  std::string text = "boom";
  saved_filters_of = [&text](const TenantId& tenant) {
    EXPECT_EQ(tenant, TenantId::default_tenant());
    return std::make_shared<OneSavedFilter>(text);
  };
  const auto first = open("$mine");
  text = "bang";  // who saves another filter under the name changes no tail that runs
  const auto second = open("$mine | where body:*");
  const auto third = open("$mine");
  for (const auto* reader : {&first, &second, &third}) (*reader)->ask();
  append({"boom", "bang", "noise"});
  settle();
  for (const auto* reader : {&first, &second, &third}) {
    const TailFrame frame = (*reader)->take();
    ASSERT_EQ(frame.kind, TailFrame::Kind::rows);
    EXPECT_EQ(frame.rows, 1u);
    EXPECT_NE(frame.rows_json.find(reader == &first ? "boom" : "bang"), std::string::npos) << frame.rows_json;
  }
  TailRequest request;
  request.query = "$nobody";
  EXPECT_FALSE(try_open(request).has_value());
  EXPECT_NE(fault.message.find("nobody"), std::string::npos) << fault.message;
}

TEST_F(TailFixture, WithoutSavedFiltersSuchNamesAreRefused) {
  TailRequest request;
  request.query = "$mine";
  EXPECT_FALSE(try_open(request).has_value());
  request.query = "* | geoip ip";
  EXPECT_FALSE(try_open(request).has_value());
  EXPECT_NE(fault.message.find("query.geoip_database"), std::string::npos) << fault.message;
  request.query = "* | block_stats";
  EXPECT_FALSE(try_open(request).has_value());
  EXPECT_NE(fault.message.find("block_stats"), std::string::npos) << fault.message;
}

TEST(TailReplay, AFewRecordsOfEachBatchDoNotHoldAllBatches) {
  TailRequest request;
  request.query = "*";
  QueryFault fault;
  const auto query = TailQuery::prepare(request, {}, fault);
  ASSERT_TRUE(query.has_value());
  const FreshSnapshot snapshot;
  ManualClock clock{kTestTime};
  const auto replay = replay_records(snapshot, **query, range_of_gap(SequenceNumber(0), SequenceNumber(1'000'000)),
                                     {kTailReplayRows, kTailReplayBytes}, CancelToken(), clock);
  ASSERT_TRUE(replay.has_value());
  std::uint64_t rows = 0;
  for (const RecordBlock& block : replay->blocks) {
    rows += block.rows.size();
    EXPECT_EQ(body_of(block.record(block.rows.back())), "keep");
  }
  EXPECT_EQ(rows, 400U);
  EXPECT_EQ(replay->left_out, 0U);
  EXPECT_LE(snapshot.living_max, 80U) << "of 256 KiB each";
}

TEST(TailFrame, IsWrittenAsTheProtocolSays) {
  TailFrame frame;
  frame.cursor = SequenceNumber(7);
  frame.epoch = 2;
  EXPECT_EQ(tail_frame_json(frame), R"({"type":"hello","epoch":2,"cursor":"7"})");
  frame.kind = Kind::rows;
  frame.rows_json = R"({"a":1})";
  frame.rate_per_s = 1940;
  EXPECT_EQ(tail_frame_json(frame), R"({"type":"rows","epoch":2,"cursor":"7","rows":[{"a":1}],"rate_per_s":1940})");
  frame.kind = Kind::gap;
  frame.gap_count = 3200;
  frame.gap_from = SequenceNumber(7);
  frame.gap_to = SequenceNumber(9);
  frame.gap_reason = TailGapReason::slow_reader;
  EXPECT_EQ(tail_frame_json(frame),
            R"({"type":"gap","epoch":2,"count":3200,"from_cursor":"7","to_cursor":"9","reason":"slow_reader"})");
  EXPECT_EQ(tail_frame_json(make_tail_end(TailEnd::shutdown, 2)),
            R"({"type":"end","epoch":2,"reason":"shutdown","retry_after_ms":1000})");
}

}  // namespace
}  // namespace dendro
