// Queries that outgrow their memory: the same answers as without a bound, whatever happens to the files.
#include <gtest/gtest.h>

#include <random>

#include "query/plan/query_plan.h"
#include "query/spill/row_sorter.h"
#include "query/stats/stat_groups.h"
#include "tests/query/query_harness.h"
#include "tests/query/spill_folder.h"

namespace dendro {
namespace {

const Timestamp kSpillNow = at("2026-11-20T10:05:00Z");

/// Records with few and many different values, some of them missing, numbers beside texts that look like them.
std::string spill_records(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  const auto pick = [&random](std::uint64_t below) { return std::to_string(random() % below); };
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += R"({"_time":"2026-11-20T10:0)" + pick(5) + ":" + (random() % 2 == 0 ? "0" : "3") + pick(10) +
             R"(Z","id":")" + std::to_string(i) + R"(","user":"u)" + pick(700) + "\"";
    if (random() % 5 != 0) lines += R"(,"n":)" + pick(200);
    if (random() % 3 != 0) lines += R"(,"mixed":)" + (random() % 2 == 0 ? pick(50) : "\"" + pick(50) + "\"");
    lines += R"(,"x":)" + pick(1000) + "." + pick(100) + R"(,"service.name":"s)" + pick(3) + R"(","body":"line )" +
             pick(100'000) + R"( of user","map":{"inner":)" + pick(9) + "}}\n";
  }
  return lines;
}

struct SpillFixture : testing::Test {
  ManualClock clock{kSpillNow};
  SpillFolder folder;
  QueryRunOptions options;
  std::vector<std::shared_ptr<const RecordBatch>> batches = cut(load_json(spill_records(1, 2'000), kSpillNow));

  static std::vector<std::shared_ptr<const RecordBatch>> cut(
      const std::vector<std::shared_ptr<const RecordBatch>>& from) {
    std::mt19937_64 random(3);
    return split_batches(from, random, 200);
  }
  static QueryRequest ask(std::string query) {
    QueryRequest request;
    request.query = std::move(query);
    request.now = kSpillNow;
    request.limit = 0;
    request.progress = false;
    return request;
  }
  Answer run(const std::string& query, const QueryRunOptions& with) {
    return run_query(ask(query), make_snapshot_input(make_memory_snapshot(batches)), clock, with);
  }
  /// Answers in memory, and with files above so many bytes, are equal.
  void expect_equal(const std::string& query, std::uint64_t above) {
    SCOPED_TRACE(query + ", above " + std::to_string(above));
    const Answer expected = run(query, {});
    ASSERT_TRUE(expected.outcome.complete) << expected.status;
    folder.use_for(options, above);
    const Answer spilled = run(query, options);
    EXPECT_TRUE(spilled.outcome.complete) << spilled.status;
    EXPECT_GT(spilled.outcome.spilled_bytes, 0u);
    EXPECT_EQ(spilled.rows, expected.rows);
    EXPECT_EQ(spilled.outcome.matched, expected.outcome.matched);
    EXPECT_TRUE(folder.names().empty());
  }
};

TEST_F(SpillFixture, SortsGiveTheSameRows) {
  for (const char* query :
       {"* | sort by (user)", "* | sort by (n desc, mixed)", "* | sort by (mixed) | fields id, mixed, _stream",
        "* | sort by (x) | drop body, map.inner", "* | sort by (n) limit 1500", "* | sort by (severity, body desc)",
        "* | extract \"line <number> of <who>\" from body | sort by (number desc) | fields number, who, id",
        "* | stats by (user) count() as n | sort by (n desc, user)"}) {
    for (const std::uint64_t above : {20'000u, 200'000u}) expect_equal(query, above);
  }
}

TEST_F(SpillFixture, GroupsGiveTheSameRows) {
  for (const char* query :
       {"* | stats by (user) count() as n", "* | stats by (mixed) count() as n, values(id) as ids, first(id) as first",
        "* | stats by (user, n) count() as n, sum(x) as sum, avg(x) as avg, median(x) as mid, last(body) as last",
        "* | stats by (user) stddev(x) as s, count_uniq(mixed) as u, uniq_values(n) as v, skew(x) as k, corr(x, n) as "
        "c",
        "* | stats by (user) count() if (n:>100) as many, increase(n) as i, row_max(x, id) as best, ewma(x) as e",
        "* | uniq by (id)", "* | uniq by (user, mixed) with hits", "* | top 40 by (user)", "* | rare 30 by (id)",
        "* | stats by (_time:10s, user) rate() as r",
        "* | stats by (id) count() as n | stats by (n) count() as m | limit 5",
        "* | stats by (user) sum(x) as s | stats by (s) count() as n, values(user) as u"}) {
    for (const std::uint64_t above : {20'000u, 80'000u}) expect_equal(query, above);
  }
}

TEST_F(SpillFixture, TheBestGroupsAreTheFirstOfAllGroups) {
  for (const char* query : {"* | stats by (user) count() as c | sort by (c desc",
                            "* | stats by (user, n) count() as c | sort by (c, n desc",
                            "* | stats by (mixed as m) sum(x) as s, min(id) as i | sort by (i",
                            "* | stats by (user, mixed) count() as c | sort by (mixed desc",
                            "* | stats by (n) max(mixed) as m, values(id) as v | sort by (m desc",
                            "* | uniq by (user, mixed) | sort by (user"}) {
    SCOPED_TRACE(query);
    const Answer all = run(std::string(query) + ")", {});
    for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{300}}) {
      const std::vector<std::string> first(
          all.rows.begin(), all.rows.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.rows.size())));
      const std::string limited = std::string(query) + ") limit " + std::to_string(count);
      EXPECT_EQ(run(limited, {}).rows, first);
      folder.use_for(options, 20'000);
      EXPECT_EQ(run(limited, options).rows, first);
    }
  }
}

TEST_F(SpillFixture, RecordsOfFilesComeInOrder) {
  BatchesSource memory(batches), spilled(batches);
  const Answer expected = run_query(ask("*"), make_source_input(memory), clock, {});
  folder.use_for(options, 50'000);
  const Answer answer = run_query(ask("*"), make_source_input(spilled), clock, options);
  EXPECT_TRUE(answer.outcome.complete);
  EXPECT_GT(answer.outcome.spilled_bytes, 0u);
  EXPECT_EQ(answer.rows, expected.rows);
}

TEST_F(SpillFixture, RandomQueriesGiveTheSameRows) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto one_of = [&random](std::vector<std::string> words) { return words[random() % words.size()]; };
  const std::vector<std::string> fields = {"user", "n", "mixed", "x", "id", "service.name", "body", "map.inner"};
  for (int round = 0; round < 25; ++round) {
    std::string query = one_of({"*", "n:>50", "user:u1*", "mixed:*", "NOT n:*"});
    const bool is_table = random() % 2 == 0;
    if (is_table) {
      query += " | stats by (" + one_of(fields) + ", " + one_of({"user", "id"}) + ") count() as c, " +
               one_of({"sum", "avg", "max", "min", "values", "count_uniq", "median", "first"}) + "(" + one_of(fields) +
               ") as v";
    }
    const std::vector<std::string> keys = is_table ? std::vector<std::string>{"c", "v"} : fields;
    query += " | sort by (" + one_of(keys) + one_of({"", " desc"}) + ", " + one_of(keys) + one_of({"", " desc"}) + ")";
    if (random() % 3 == 0) query += " limit " + std::to_string(random() % 2'000 + 1);
    const Answer expected = run(query, {});
    folder.use_for(options, 5'000 + random() % 150'000);
    const Answer spilled = run(query, options);
    ASSERT_EQ(spilled.rows, expected.rows) << query << "\n" << spilled.status;
    ASSERT_TRUE(spilled.outcome.complete) << query << "\n" << spilled.status;
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST_F(SpillFixture, OneRowAtATimeStillEnds) {
  batches = cut(load_json(spill_records(2, 150), kSpillNow));
  for (const char* query : {"* | sort by (user, n)", "* | stats by (id) count() as n", "* | uniq by (user)"})
    expect_equal(query, 1);
}

TEST_F(SpillFixture, LessMemoryThanRowsIsEnough) {
  folder.use_for(options, 0);
  options.limits.memory_bytes_max = 300'000;
  for (const char* query : {"* | stats by (id) count() as n", "* | stats by (id) count() as n | sort by (n, id)"}) {
    EXPECT_EQ(run(query, options).rows, run(query, {}).rows) << query;
    QueryRunOptions without = options;
    without.limits.spill = nullptr;
    EXPECT_EQ(run(query, without).outcome.reason, "memory") << query;
  }
}

TEST_F(SpillFixture, AFaultAtAnyCallIsToldAndLeavesNoFile) {
  folder.use_for(options, 20'000);
  for (const char* query : {"* | sort by (user)", "* | stats by (id, user) count() as n | sort by (n, id)"}) {
    SCOPED_TRACE(query);
    const std::uint64_t before = folder.files->change_calls();
    const Answer expected = run(query, options);
    ASSERT_TRUE(expected.outcome.complete);
    const std::uint64_t calls = folder.files->change_calls() - before;
    ASSERT_GT(calls, 4u);
    for (std::uint64_t call = 1; call <= calls; call += 1 + call / 12) {
      for (const ErrorCode code : {ErrorCode::io_error, ErrorCode::storage_full}) {
        FileFaults faults;
        faults.fail_call = call;
        faults.code = code;
        folder.files->set_faults(faults);
        const Answer answer = run(query, options);
        EXPECT_EQ(answer.outcome.reason, "error") << call;
        ASSERT_TRUE(answer.outcome.error.has_value()) << call;
        EXPECT_EQ(answer.outcome.error->code(), code);
        EXPECT_FALSE(answer.outcome.complete);
        folder.files->set_faults({});
        EXPECT_EQ(folder.names(), std::vector<std::string>()) << call;
      }
    }
    FileFaults full;
    full.space_bytes = 10'000;
    folder.files->set_faults(full);
    EXPECT_EQ(run(query, options).outcome.error->code(), ErrorCode::storage_full);
    folder.files->set_faults({});
    EXPECT_EQ(run(query, options).rows, expected.rows) << "the next query is not concerned";
  }
}

TEST_F(SpillFixture, FilesAreBoundedLikeMemory) {
  folder.use_for(options, 20'000);
  options.limits.spill_bytes_max = 20'000;
  for (const char* query : {"* | sort by (user)", "* | stats by (id, user) count() as n"}) {
    const Answer answer = run(query, options);
    EXPECT_EQ(answer.outcome.reason, "memory") << query;
    EXPECT_NE(answer.status.find("spill_limit"), std::string::npos) << answer.status;
    EXPECT_FALSE(answer.rows.empty()) << "what is known comes out";
    EXPECT_TRUE(folder.names().empty());
  }
}

TEST_F(SpillFixture, ALeftCallerEndsItAtAnyPlace) {
  folder.use_for(options, 20'000);
  for (const char* query : {"*", "* | sort by (user)", "* | stats by (id, user) count() as n"}) {
    for (int pieces = 1; pieces < 12; ++pieces) {
      QueryRunOptions with = options;
      with.cancel = CancelToken();
      QueryFault fault;
      const auto prepared = prepare_query(ask(query), fault);
      ASSERT_TRUE(prepared.has_value());
      const auto run = start_query(*prepared, make_snapshot_input(make_memory_snapshot(batches)), with, clock);
      for (int i = 0; i < pieces && !run->is_finished(); ++i) (void)run->next_piece();
      with.cancel.cancel();
      const auto last = run->next_piece();
      ASSERT_TRUE(last.has_value());
      EXPECT_TRUE(run->is_finished());
      if (run->outcome().reason == "cancelled") EXPECT_TRUE((*last)->starts_with("{\"_status\"")) << "nobody waits";
      EXPECT_TRUE(run->outcome().reason == "cancelled" || run->outcome().reason == "end");
      EXPECT_TRUE(folder.names().empty());
    }
  }
}

TEST_F(SpillFixture, AGroupIsNeverSplitThoughMemoryComesBack) {
  folder.use_for(options, 800'000);
  QueryFault fault;
  const auto prepared = prepare_query(ask("* | stats by (user) count() as n"), fault);
  const QueryStep& step = prepared->plan().steps[0];
  const auto& pipe = std::get<StatsPipe>(step.pipe);
  QueryContext context(options, clock, std::chrono::seconds(30));
  StatGroups groups(pipe, step.stats, step.input, context);
  RowShape table;
  table.is_table = true;
  RowSorter sorter(StatGroups::order_of(pipe, step.stats), table, FieldNeed(), RowSorter::WhenFull::go_on, context);
  groups.allow_spill();
  for (std::size_t i = 0; i < batches.size(); ++i) {
    // Somebody else takes memory for a while.
    if (i == batches.size() / 3) (void)context.take(800'000);
    if (i == batches.size() * 2 / 3) context.release(800'000);
    RowBatch rows;
    rows.hold(batches[i]);
    for (std::uint32_t row = 0; row < batches[i]->size(); ++row)
      rows.records.push_back({batches[i].get(), row, {}, {}});
    for (std::size_t row = 0; row < rows.size(); ++row) ASSERT_TRUE(groups.add(rows, row));
  }
  EXPECT_TRUE(groups.has_rest());
  while (*groups.hand_to(sorter)) {
  }
  while (groups.has_rest() && *groups.start_rest()) {
    while (*groups.count_rest()) {
    }
    while (*groups.hand_to(sorter)) {
    }
  }
  EXPECT_EQ(sorter.size(), run("* | uniq by (user)", {}).rows.size());
}

TEST_F(SpillFixture, TwoQueriesAtOnceKeepApart) {
  folder.use_for(options, 20'000);
  const std::string queries[] = {"* | sort by (user)", "* | stats by (id, user) count() as n"};
  std::vector<std::unique_ptr<QueryRun>> runs;
  for (const std::string& query : queries) {
    QueryFault fault;
    runs.push_back(start_query(*prepare_query(ask(query), fault), make_snapshot_input(make_memory_snapshot(batches)),
                               options, clock));
  }
  std::string texts[2];
  while (!runs[0]->is_finished() || !runs[1]->is_finished()) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (const auto piece = runs[i]->next_piece(); piece.has_value() && piece->has_value()) texts[i] += **piece;
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const Answer expected = run(queries[i], {});
    EXPECT_EQ(texts[i].substr(0, texts[i].find("{\"_status\"")),
              expected.whole.substr(0, expected.whole.find("{\"_status\"")));
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST_F(SpillFixture, ASharedBudgetThatIsGoneIsMadeUpForByFiles) {
  batches = cut(load_json(spill_records(1, 4'000), kSpillNow));
  folder.use_for(options, 0);
  const auto shared = std::make_shared<ByteBudget>(std::uint64_t{2} << 20);
  options.limits.shared_memory = shared;
  ASSERT_TRUE(shared->try_acquire(std::uint64_t{1} << 20));
  const Answer answer = run("* | sort by (user, body)", options);
  EXPECT_TRUE(answer.outcome.complete) << answer.status;
  EXPECT_GT(answer.outcome.spilled_bytes, 0u);
  EXPECT_EQ(shared->used(), std::uint64_t{1} << 20);
}

TEST_F(SpillFixture, ExplainSaysWhatWasWritten) {
  folder.use_for(options, 20'000);
  QueryRequest request = ask("* | sort by (user)");
  request.explain = ExplainMode::analyze;
  const Answer answer = run_query(request, make_snapshot_input(make_memory_snapshot(batches)), clock, options);
  EXPECT_NE(answer.whole.find("\"spilled_bytes\":" + std::to_string(answer.outcome.spilled_bytes)), std::string::npos);
  EXPECT_GT(answer.outcome.spilled_bytes, 0u);
}

}  // namespace
}  // namespace dendro
