#include "services/search/running_queries.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace dendro {
namespace {

/// Keeps the fields of each line.
class KeptLog final : public LogSink {
 public:
  KeptLog() { set_log_sink(this); }
  ~KeptLog() override { set_log_sink(nullptr); }
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const LogField& field : fields) line += " " + std::string(field.name) + "=" + field.value;
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

/// Two pieces, then the end.
class ShortRun final : public QueryRun {
 public:
  Result<std::optional<std::string>> next_piece() override {
    outcome_.scanned_records = ++pieces_;
    return pieces_ < 3 ? std::optional<std::string>("piece") : std::optional<std::string>();
  }
  bool is_finished() const override { return pieces_ >= 2; }
  const QueryOutcome& outcome() const override { return outcome_; }

 private:
  std::uint64_t pieces_ = 0;
  QueryOutcome outcome_;
};

struct RunningQueriesFixture : testing::Test {
  KeptLog log;
  ManualClock clock{Timestamp(1'790'000'000'000'000'000)};
  RunningQueries queries{clock, std::chrono::milliseconds(500)};
  std::unique_ptr<RunningQueries::Ticket> begin(const std::string& id, CancelToken cancel = {}) {
    return queries.begin({id, TenantId::parse("shop").value(), "query", "error | stats count()", std::move(cancel)});
  }
};

TEST_F(RunningQueriesFixture, ListsWhatRunsAndForgetsWhatEnded) {
  const auto first = begin("r1");
  clock.advance(std::chrono::milliseconds(100));
  auto second = begin("r2");
  clock.advance(std::chrono::milliseconds(50));
  const std::vector<QueryActivity> running = queries.list();
  ASSERT_EQ(running.size(), 2u);
  EXPECT_EQ(running[0].id, "r1");
  EXPECT_EQ(running[0].elapsed, std::chrono::milliseconds(150));
  EXPECT_EQ(running[0].tenant.text(), "shop");
  EXPECT_EQ(running[0].query, "error | stats count()");
  EXPECT_EQ(running[1].elapsed, std::chrono::milliseconds(50));
  second.reset();
  EXPECT_EQ(queries.list().size(), 1u);
  EXPECT_EQ(queries.totals().running, 1u);
  EXPECT_EQ(queries.totals().ended, 1u);
}

TEST_F(RunningQueriesFixture, AnOperatorEndsOneByItsRequest) {
  CancelToken token, other;
  auto ticket = begin("r1", token);
  const auto left = begin("r2", other);
  EXPECT_FALSE(queries.cancel("nosuch"));
  EXPECT_TRUE(queries.cancel("r1"));
  EXPECT_TRUE(token.cancelled());
  EXPECT_FALSE(other.cancelled());
  ticket.reset();
  EXPECT_EQ(queries.totals().cancelled, 1u);
  EXPECT_FALSE(queries.cancel("r1"));
}

TEST_F(RunningQueriesFixture, SlowOnesAreLoggedAndKept) {
  {
    const auto fast = begin("fast");
  }
  EXPECT_TRUE(log.lines.empty());
  for (int i = 0; i < 120; ++i) {
    const auto slow = begin("slow" + std::to_string(i));
    clock.advance(std::chrono::milliseconds(500));
    QueryOutcome outcome;
    outcome.reason = "timeout";
    outcome.scanned_records = 77;
    slow->set_outcome(outcome);
  }
  ASSERT_EQ(log.lines.size(), 120u);
  EXPECT_NE(log.lines[0].find("slow query request_id=slow0 tenant=shop operation=query query=error | stats count() "
                              "elapsed_ms=500 scanned_records=77"),
            std::string::npos)
      << log.lines[0];
  ASSERT_EQ(queries.slow().size(), RunningQueries::kSlowKept);
  EXPECT_EQ(queries.slow().front().id, "slow119");
  EXPECT_EQ(queries.totals().slow, 120u);
  EXPECT_EQ(queries.totals().timed_out, 120u);
  EXPECT_NEAR(queries.totals().seconds, 60.0, 1e-6);
}

TEST_F(RunningQueriesFixture, ATrackedRunTellsItsEndOnce) {
  const auto run = track_run(std::make_unique<ShortRun>(), begin("r1"));
  ASSERT_TRUE(run->next_piece().has_value());
  EXPECT_EQ(queries.list().size(), 1u);
  ASSERT_TRUE(run->next_piece().has_value());
  EXPECT_TRUE(queries.list().empty()) << "its last piece is made; sending it is not the query's time";
  EXPECT_EQ(queries.totals().scanned_records, 2u);
  ASSERT_TRUE(run->next_piece().has_value());
  EXPECT_EQ(queries.totals().ended, 1u);
}

TEST_F(RunningQueriesFixture, ARunThatIsDroppedHasEnded) {
  CancelToken token;
  auto run = track_run(std::make_unique<ShortRun>(), begin("r1", token));
  token.cancel();
  run.reset();
  EXPECT_TRUE(queries.list().empty());
  EXPECT_EQ(queries.totals().cancelled, 1u);
}

}  // namespace
}  // namespace dendro
