#include "filter/compiled_filter.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "record/record_batch_builder.h"

namespace dendro {
namespace {

using Fill = std::function<void(RecordBatchBuilder&)>;

std::shared_ptr<const RecordBatch> one_record(const Fill& fill) {
  RecordBatchBuilder builder(Timestamp(77));
  builder.begin_record();
  fill(builder);
  builder.end_record();
  return builder.finish();
}

bool matches(const RecordBatch& batch, const Predicate& predicate, FilterOptions options = {}) {
  std::vector<std::uint32_t> rows(batch.size());
  std::iota(rows.begin(), rows.end(), 0u);
  compile_filter(predicate, options)->select(batch, rows);
  return !rows.empty();
}

Predicate test(std::string field, Condition condition) {
  return Predicate{FieldTest{std::move(field), std::move(condition)}};
}
Predicate is(std::string field, std::string text) {
  return test(std::move(field), Equals{Literal::of_string(text)});
}
Predicate word(std::string text) {
  return test("", TextPattern{std::move(text), false, false});
}

TEST(CompiledFilter, ResolvesNamesInTheirOrder) {
  const auto batch = one_record([](RecordBatchBuilder& b) {
    b.add_leaf(LeafRole::attribute, "user", "user", Value::of_text("attribute"));
    b.add_leaf(LeafRole::body_part, "user", "user", Value::of_text("part"));
    b.add_leaf(LeafRole::body_part, "k.a", "k.a", Value::of_int64(1));
    b.add_leaf(LeafRole::resource, "host.name", "host.name", Value::of_text("h1"));
    b.add_leaf(LeafRole::attribute, "msg", "msg", Value::of_text("own msg"));
    b.add_label("user", Value::of_text("label"));
  });
  EXPECT_TRUE(matches(*batch, is("user", "attribute")));
  EXPECT_FALSE(matches(*batch, is("user", "part")));
  EXPECT_TRUE(matches(*batch, is("body.user", "part")));
  EXPECT_TRUE(matches(*batch, is("resource.user", "label")));
  EXPECT_TRUE(matches(*batch, is("attributes.user", "attribute")));
  EXPECT_TRUE(matches(*batch, is("k.a", "1")));
  EXPECT_TRUE(matches(*batch, is("host", "h1"))) << "alias";
  EXPECT_TRUE(matches(*batch, is("msg", "own msg"))) << "an attribute goes before the alias of body";
  EXPECT_TRUE(matches(*batch, is("body", "part"))) << "the body is its parts";
  EXPECT_TRUE(matches(*batch, test("nosuch", Empty{})));
}

TEST(CompiledFilter, ALiteralExpressionRunsAsTheSubstringItIs) {
  const auto expression = [](const char* pattern) { return test("", RegexMatch{*Regex::compile(pattern)}); };
  Predicate either{AnyOf{{expression("plain"), expression("with.dot")}}};
  const auto filter = compile_filter(Predicate{Negation{std::make_shared<const Predicate>(either)}});
  const Predicate substring = test("", TextPattern{"plain", true, true, false});
  const Predicate expected{AnyOf{{substring, expression("with.dot")}}};
  EXPECT_EQ(*filter->meaning()->predicate, Predicate{Negation{std::make_shared<const Predicate>(expected)}});
}

TEST(CompiledFilter, NullIsMissingAndResolutionGoesOn) {
  const auto batch = one_record([](RecordBatchBuilder& b) {
    b.add_leaf(LeafRole::attribute, "user", "user", Value::of_null());
    b.add_leaf(LeafRole::attribute, "other", "other", Value::of_null());
    b.add_label("user", Value::of_text("label"));
  });
  EXPECT_TRUE(matches(*batch, is("user", "label")));
  EXPECT_TRUE(matches(*batch, test("other", Empty{})));
  EXPECT_FALSE(matches(*batch, test("other", Exists{})));
}

TEST(CompiledFilter, APathThatStandsTwiceMatchesIfEitherDoes) {
  const auto batch = one_record([](RecordBatchBuilder& b) {
    b.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_int64(1));
    b.add_leaf(LeafRole::attribute, "a.b", "b", Value::of_int64(2));
  });
  EXPECT_TRUE(matches(*batch, is("a.b", "1")));
  EXPECT_TRUE(matches(*batch, is("a.b", "2")));
}

TEST(CompiledFilter, FreeTextSearchesValuesNeverNamesNorTimes) {
  const auto batch = one_record([](RecordBatchBuilder& b) {
    b.set_timestamp(*parse_rfc3339("2026-11-20T10:00:00Z"));
    b.add_leaf(LeafRole::timestamp, "_time", "time", Value::of_text("20 Nov 2026"));
    b.add_leaf(LeafRole::severity, "severity", "level", Value::of_text("WARNUNG"));
    b.set_severity(13);
    b.add_leaf(LeafRole::trace_id, "trace_id", "trace_id", Value::of_text("4bf92f3577b34da6a3ce929d0e0e4736"));
    b.add_leaf(LeafRole::attribute, "status", "status", Value::of_int64(504));
    b.add_leaf(LeafRole::attribute, "ok", "ok", Value::of_bool(true));
    b.add_leaf(LeafRole::attribute, "tags", "tags", Value::of_list(R"(["web","s\"q",7,null,["deep"],{"x":"inner"}])"));
    b.add_label("dendro.source", Value::of_text("ingest"));
    b.add_label("pod", Value::of_text("pod-1"));
  });
  for (const char* found :
       {"WARNUNG", "4bf92f3577b34da6a3ce929d0e0e4736", "504", "true", "web", "s\"q", "7", "pod-1", "pod"}) {
    EXPECT_TRUE(matches(*batch, word(found))) << found;
  }
  for (const char* hidden : {"2026", "Nov", "status", "tags", "ingest", "deep", "inner", "null", "warn", "50"}) {
    EXPECT_FALSE(matches(*batch, word(hidden))) << hidden;
  }
  EXPECT_TRUE(matches(*batch, is("dendro.source", "ingest")));
}

TEST(CompiledFilter, ListsMatchByAnyElement) {
  const auto batch = one_record([](RecordBatchBuilder& b) {
    b.add_leaf(LeafRole::attribute, "tags", "tags", Value::of_list(R"(["web",9])"));
    b.add_leaf(LeafRole::attribute, "none", "none", Value::of_list("[]"));
    b.add_leaf(LeafRole::attribute, "objects", "objects", Value::of_list(R"([{"a":1}])"));
  });
  EXPECT_TRUE(matches(*batch, is("tags", "web")));
  EXPECT_TRUE(matches(*batch, test("tags", Comparison{CompareOp::greater, Literal::of_word("8")})));
  EXPECT_FALSE(matches(*batch, is("tags", "w")));
  EXPECT_TRUE(matches(*batch, test("none", Empty{})));
  EXPECT_FALSE(matches(*batch, test("none", Exists{})));
  EXPECT_TRUE(matches(*batch, test("objects", Exists{})));
}

TEST(CompiledFilter, SeverityByRankAlsoFromAnAttribute) {
  const auto error = one_record([](RecordBatchBuilder& b) { b.set_severity(18); });
  const auto unset = one_record([](RecordBatchBuilder&) {});
  const auto attribute = one_record([](RecordBatchBuilder& b) {
    b.set_severity(9);
    b.add_leaf(LeafRole::attribute, "level", "level", Value::of_text("error"));
  });
  const Predicate group{SeverityTest{"severity", 0x1E0000}};
  const Predicate level{SeverityTest{"level", 0x1E0000}};
  EXPECT_TRUE(matches(*error, group));
  EXPECT_TRUE(matches(*error, level));
  EXPECT_FALSE(matches(*attribute, group));
  EXPECT_TRUE(matches(*attribute, level)) << "the attribute goes before the alias";
  EXPECT_TRUE(matches(*unset, Predicate{SeverityTest{"severity", 1}}));
  EXPECT_FALSE(matches(*unset, negation(Predicate{SeverityTest{"severity", 1}})));
}

TEST(CompiledFilter, LabelsByNameOrUnderscores) {
  const auto batch = one_record([](RecordBatchBuilder& b) { b.add_label("service.name", Value::of_text("api")); });
  EXPECT_TRUE(matches(*batch, Predicate{LabelTest{"service_name", "api"}}));
  EXPECT_TRUE(matches(*batch, Predicate{LabelTest{"service.name", "api"}}));
  EXPECT_TRUE(matches(*batch, Predicate{LabelTest{"absent", ""}}));
  EXPECT_FALSE(matches(*batch, Predicate{LabelTest{"service", "api"}}));
}

TEST(CompiledFilter, LeavesDeadLettersOutWhenAsked) {
  const auto dead =
      one_record([](RecordBatchBuilder& b) { b.add_label("dendro.source", Value::of_text("dead_letter")); });
  EXPECT_TRUE(matches(*dead, Predicate{Everything{}}));
  EXPECT_FALSE(matches(*dead, Predicate{Everything{}}, {true}));
}

TEST(CompiledFilter, TellsWhatItMet) {
  const auto batch =
      one_record([](RecordBatchBuilder& b) { b.add_leaf(LeafRole::attribute, "ms", "ms", Value::of_int64(5)); });
  const auto filter = compile_filter(
      all_of({test("ms", Comparison{CompareOp::greater, Literal::of_word("1s")}), test("nosuch", Exists{})}));
  std::vector<std::uint32_t> rows = {0};
  filter->select(*batch, rows);
  rows = {0};
  compile_filter(test("nosuch", Exists{}))->select(*batch, rows);
  const auto findings = filter->findings();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_TRUE(findings[0].was_seen);
  EXPECT_TRUE(findings[0].unit_mismatch);
  EXPECT_FALSE(findings[1].was_seen);
}

}  // namespace
}  // namespace dendro
