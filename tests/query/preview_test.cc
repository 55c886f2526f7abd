#include <gtest/gtest.h>

#include "tests/query/query_harness.h"
#include "tests/query/spill_folder.h"

namespace dendro {
namespace {

/// Batches, with something done before each is handed out.
class SteppedSource final : public RecordSource {
 public:
  SteppedSource(std::vector<std::shared_ptr<const RecordBatch>> batches, std::function<void(std::size_t)> before)
      : batches_(std::move(batches)), before_(std::move(before)) {}
  Result<std::shared_ptr<const RecordBatch>> next() override {
    before_(next_);
    return next_ < batches_.size() ? batches_[next_++] : nullptr;
  }

 private:
  const std::vector<std::shared_ptr<const RecordBatch>> batches_;
  const std::function<void(std::size_t)> before_;
  std::size_t next_ = 0;
};

class Preview : public testing::Test {
 protected:
  Preview() {
    for (int batch = 0; batch < 6; ++batch) {
      std::string text;
      for (int i = 0; i < 20; ++i) {
        text += "{\"_time\":\"2026-11-20T10:00:00Z\",\"pod\":\"p" + std::to_string((batch * 20 + i * i) % 7) +
                "\",\"n\":" + std::to_string(batch * i) + "}\n";
      }
      batches_.push_back(load_json(text, clock_.now()).front());
    }
  }

  QueryRequest request_of(const std::string& query) const {
    QueryRequest request;
    request.query = query;
    request.now = clock_.now();
    return request;
  }
  /// What the query answers if there are only so many batches.
  std::string answer_of_first(const std::string& query, std::size_t count) {
    SteppedSource source({batches_.begin(), batches_.begin() + static_cast<std::ptrdiff_t>(count)}, [](std::size_t) {});
    QueryRunOptions options;
    options.envelope = false;
    return run_query(request_of(query), make_source_input(source), clock_, options).whole;
  }
  /// Previews where each batch takes `step`.
  std::vector<QueryPreview> previews_of(const std::string& query, std::chrono::milliseconds step,
                                        QueryRunOptions options = {}) {
    std::vector<QueryPreview> previews;
    options.envelope = false;
    options.on_preview = [&previews](const QueryPreview& preview) { previews.push_back(preview); };
    SteppedSource source(batches_, [this, step](std::size_t) { clock_.advance(step); });
    last_ = run_query(request_of(query), make_source_input(source), clock_, options);
    return previews;
  }

  ManualClock clock_{at("2026-11-20T10:05:00Z")};
  std::vector<std::shared_ptr<const RecordBatch>> batches_;
  Answer last_;
};

TEST_F(Preview, IsTheAnswerOverWhatWasRead) {
  for (const char* query :
       {"* | stats by (pod) count() as n",
        "* | stats by (pod) sum(n) as s, count_uniq(n) as u | sort by (s desc) | limit 3", "* | stats count() as n",
        "pod:p1 | top 2 (n)", "* | stats by (pod) avg(n) as a | where a:>10 | fields a",
        "* | eval n * 2 as m | stats by (m) count() as k | sort by (k, m) | offset 1"}) {
    const auto previews = previews_of(query, kPreviewTime);
    ASSERT_GE(previews.size(), batches_.size()) << query;
    for (std::size_t i = 0; i < batches_.size(); ++i) {
      ASSERT_TRUE(previews[i].rows.has_value()) << query;
      EXPECT_EQ(*previews[i].rows, answer_of_first(query, i + 1)) << query << " after batch " << i;
      EXPECT_EQ(previews[i].scanned_records, (i + 1) * 20);
    }
    EXPECT_EQ(last_.whole, answer_of_first(query, batches_.size())) << query;
  }
}

TEST_F(Preview, ComesFourTimesASecondAtMost) {
  EXPECT_EQ(previews_of("* | stats count() as n", std::chrono::milliseconds(100)).size(), 2u);  // of 700 ms
  EXPECT_EQ(previews_of("* | stats count() as n", std::chrono::milliseconds(1)).size(), 0u);
}

TEST_F(Preview, ShowsNoRowsWhereTheyAreNotKnown) {
  for (const char* query : {"* | facets 2", "* | field_names"}) {
    for (const QueryPreview& preview : previews_of(query, kPreviewTime))
      EXPECT_FALSE(preview.rows.has_value()) << query;
  }
  EXPECT_TRUE(previews_of("*", kPreviewTime).empty());
}

TEST_F(Preview, ShowsNoRowsOnceSomeAreInFiles) {
  const SpillFolder folder;
  QueryRunOptions options;
  folder.use_for(options, 1);
  const auto previews = previews_of("* | stats by (n) count() as k", kPreviewTime, options);
  ASSERT_FALSE(previews.empty());
  EXPECT_FALSE(previews.back().rows.has_value());
  EXPECT_EQ(last_.whole, answer_of_first("* | stats by (n) count() as k", batches_.size()));
}

TEST_F(Preview, AnInterruptEndsTheInput) {
  for (const char* query :
       {"* | stats by (pod) count() as n", "* | sort by (n) | fields n, pod", "pod:none | stats count() as n"}) {
    QueryRunOptions options;
    options.envelope = false;
    SteppedSource source(batches_, [&options](std::size_t next) {
      if (next == 3) options.interrupt.cancel();
    });
    const Answer answer = run_query(request_of(query), make_source_input(source), clock_, options);
    EXPECT_EQ(answer.outcome.reason, "interrupted") << query;
    EXPECT_FALSE(answer.outcome.complete);
    EXPECT_EQ(answer.whole, answer_of_first(query, 3)) << query;
  }
}

}  // namespace
}  // namespace dendro
