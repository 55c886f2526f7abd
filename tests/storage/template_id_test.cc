// `_template` is the same from memory, from segments and from compacted ones, and counts by it are exact.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "codec/canonical_leaf.h"
#include "filter/compiled_filter.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr std::size_t kRecords = 4'000;

/// Sentences of few statements, words that no template is made of, numbers, and records without a body.
std::shared_ptr<const RecordBatch> make_mixed_batch(std::mt19937& random) {
  const auto pick = [&random](unsigned below) { return static_cast<unsigned>(random() % below); };
  RecordBatchBuilder builder(kTestTime);
  for (std::size_t i = 0; i < kRecords; ++i) {
    builder.begin_record();
    builder.set_timestamp(Timestamp(kTestTime.number() + pick(600) * kNanosPerSecond));
    switch (pick(7)) {
      case 0:
        break;
      case 1:
        builder.add_leaf(LeafRole::body, "body", "msg", Value::of_int64(pick(9)));
        break;
      case 2:
        builder.add_leaf(LeafRole::attribute, "body", "body",
                         Value::of_text("an attribute of that name " + std::to_string(pick(9))));
        break;
      case 3: {
        std::string words = "unknown";  // many skeletons, so that values are kept whole
        for (unsigned w = 0; w < 6; ++w) words += " " + std::string(1 + pick(9), static_cast<char>('a' + pick(26)));
        builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(words));
        break;
      }
      default: {
        const char* const kStatements[] = {"GET /users/%u answered in %u ms by the server",
                                           "connection to 10.0.0.%u refused after %u tries, giving up",
                                           "cache miss for key user:%u at level %u of the hierarchy"};
        char text[128];
        std::snprintf(text, sizeof text, kStatements[pick(3)], pick(1000), pick(100));
        builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(text));
      }
    }
    builder.end_record();
  }
  return builder.finish();
}

std::string expected_id(const RecordView& record) {
  std::string id;
  record.for_each_leaf([&id](const Leaf& leaf, const Value& value) {
    if (leaf.role == LeafRole::body && value.type == ValueType::text) id = template_id_of(value.text);
    return true;
  });
  return id;
}

struct TemplateFigures {
  std::uint64_t count = 0;
  Timestamp first = kTimestampMax, last = kTimestampMin;
  friend bool operator==(const TemplateFigures&, const TemplateFigures&) = default;
};
using FiguresById = std::map<std::string, TemplateFigures>;

FiguresById figures_of(Store& store, ScanRequest request, std::size_t* rows = nullptr) {
  FiguresById figures;
  const auto snapshot = store.snapshot(TenantId::default_tenant());
  const auto source = (*snapshot)->scan(std::move(request));
  for (auto block = source->next(); block && block->has_value(); block = source->next()) {
    for (std::size_t i = 0; i < (*block)->rows.size(); ++i) {
      const RecordView record = (*block)->record((*block)->rows[i]);
      TemplateFigures& own = figures[expected_id(record)];
      own.count += (*block)->weights.empty() ? 1 : (*block)->weights[i];
      own.first = std::min(own.first, record.timestamp());
      own.last = std::max(own.last, record.timestamp());
      if (rows != nullptr) ++*rows;
    }
  }
  return figures;
}

class TemplateIds : public testing::Test {
 protected:
  void SetUp() override {
    const auto seed = static_cast<std::uint32_t>(std::random_device{}());
    RecordProperty("seed", static_cast<int>(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    fixture_.options.wal_file_bytes = 4 << 20;
    fixture_.open();
    for (int i = 0; i < 3; ++i) {
      CommitRequest request;
      request.receive_time = kTestTime;
      request.batches.push_back(make_mixed_batch(random));
      ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
    }
    expected_ = figures_of(*fixture_.store, {});
  }
  /// Every id, and one that nothing has.
  void check() {
    for (const auto& [id, figures] : expected_) {
      if (id.empty() || figures.count < 3) continue;
      ScanRequest request;
      request.filter = compile_filter(Predicate{FieldTest{"_template", Equals{Literal::of_string(id)}}});
      const FiguresById found = figures_of(*fixture_.store, request);
      EXPECT_EQ(found, (FiguresById{{id, figures}}));
    }
    ScanRequest request;
    request.filter = compile_filter(Predicate{FieldTest{"_template", Empty{}}});
    const FiguresById without = figures_of(*fixture_.store, request);
    EXPECT_EQ(without, (FiguresById{{"", expected_[""]}}));
  }
  void check_reduced() {
    ScanRequest request;
    request.reduction = Reduction{{"_template"}, 0, true};
    std::size_t rows = 0;
    EXPECT_EQ(figures_of(*fixture_.store, request, &rows), expected_);
    EXPECT_LT(rows, 2 * kRecords) << "nothing was reduced";
  }

  StoreFixture fixture_;
  FiguresById expected_;
};

TEST_F(TemplateIds, AreTheSameInMemoryInSegmentsAndMerged) {
  EXPECT_GT(expected_.size(), 100u);
  check();
  ASSERT_TRUE(fixture_.store->flush().has_value());
  check();
  check_reduced();
  ASSERT_TRUE(fixture_.store->compact(CompactionScope::all_final).has_value());
  check();
  check_reduced();
}

TEST(TemplateId, IsOneForBodiesThatDifferInTheirVariables) {
  EXPECT_EQ(template_id_of("took 12 ms"), template_id_of("took 7 ms"));
  EXPECT_NE(template_id_of("took 12 ms"), template_id_of("needed 12 ms"));
  EXPECT_EQ(template_id_of("took 12 ms").size(), 16u);
}

}  // namespace
}  // namespace dendro
