#include "query/plan/field_need.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "query/plan/query_plan.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

/// "*" for all, else the names, sorted.
std::string need_of(const std::string& query, std::size_t first_step = 0) {
  QueryRequest request;
  request.query = query;
  request.now = at("2026-11-20T10:05:00Z");
  QueryFault fault;
  const auto plan = make_plan(request, fault);
  EXPECT_TRUE(plan.has_value()) << fault.detail();
  const FieldNeed need = fields_needed_from(**plan, first_step);
  for (std::size_t step = 0; step + 1 < (*plan)->steps.size(); ++step) {
    const FieldNeed behind = fields_needed_from(**plan, step + 1);
    EXPECT_EQ((*plan)->steps[step].need.is_all, behind.is_all) << "the plan holds the same";
    EXPECT_EQ((*plan)->steps[step].need.names, behind.names);
  }
  if (need.is_all) return "*";
  std::vector<std::string> names;
  for (const NamePattern& name : need.names) names.push_back(name.name + (name.is_prefix ? "*" : ""));
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

TEST(FieldNeed, WholeRecordsNeedAll) {
  EXPECT_EQ(need_of("* | extract \"<a> \""), "*");
  EXPECT_EQ(need_of("* | eval a + 1 as b | drop a"), "*");
  EXPECT_EQ(need_of("* | extract \"<a> \" | facets"), "*");
}

TEST(FieldNeed, StatisticsRestrict) {
  EXPECT_EQ(need_of("* | extract \"<a> <b> \" | stats by (a) sum(n) if (m:>1)"), "a body m n");
  EXPECT_EQ(need_of("* | extract \"<a> <b> \" | stats by (a) sum(n) if (m:>1)", 1), "a m n");
  EXPECT_EQ(need_of("* | extract \"<a> \" | top 3 by (a)", 1), "a");
  EXPECT_EQ(need_of("* | extract \"<a> \" | field_values a", 1), "a");
}

TEST(FieldNeed, FieldsRestrictAndKeepWhatIsSetBehindThem) {
  EXPECT_EQ(need_of("* | unpack json | fields a, b.*", 1), "a b.*");
  EXPECT_EQ(need_of("* | fields a, c | rename a as b | extract \"<x> \" from b", 2), "b c x");
}

TEST(FieldNeed, WhatIsSetAnewIsNotNeededBefore) {
  EXPECT_EQ(need_of("* | eval x * 2 as y | fields y"), "x");
  EXPECT_EQ(need_of("* | copy x as y | format \"<z>\" as q | stats count(y), count(q)"), "x z");
  EXPECT_EQ(need_of("* | format if (c:1) \"<z>\" as q | stats count(q)"), "c q z")
      << "where the condition fails it stays";
}

TEST(FieldNeed, AFilterOnAnyValueNeedsAll) {
  EXPECT_EQ(need_of("* | extract \"<a> \" | where error | stats count()", 1), "*");
  EXPECT_EQ(need_of("* | eval if (error) 1 else 0 as e | stats sum(e)"), "*");
  EXPECT_EQ(need_of("* | extract \"<a> \" | where a:error | stats count()", 1), "a");
}

TEST(FieldNeed, PipesOverSeveralRowsNeedWhatTheyRead) {
  EXPECT_EQ(need_of("* | delta n by (k) | fields id, delta_n"), "id k n");
  EXPECT_EQ(need_of("* | eventstats max(n) as top by (k) | fields id, top"), "id k n");
  EXPECT_EQ(need_of("* | streamstats window 3 sum(n) if (m:1) as s | stats count(s)"), "m n");
  EXPECT_EQ(need_of("* | flatten (tags) | stats sum(tags.0)"), "tags tags.0");
  EXPECT_EQ(need_of("* | transaction by (k) startswith (body:x) | fields count"), "body k");
  EXPECT_EQ(need_of("* | histogram n"), "n");
  EXPECT_EQ(need_of("a:1 | context 2 | fields id, _match"), "id");
}

}  // namespace
}  // namespace dendro
