#include "services/tenants/tenant_meters.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

using Counts = TenantMeters::Counts;

TenantId tenant_named(std::string_view name) {
  return *TenantId::parse(name);
}

TEST(TenantMeters, TheBusiestGetThePlacesAndTheRestIsOther) {
  TenantMeters meters(2);
  meters.add(tenant_named("a"), {.records = 10, .bytes = 100});
  meters.add(tenant_named("b"), {.queries = 1});
  meters.add(tenant_named("c"), {.records = 20, .bytes = 200});
  auto labels = meters.read();  // what was before stays in other
  EXPECT_EQ(labels.size(), 3u);
  EXPECT_EQ(labels["other"], (Counts{30, 300, 1, 0}));
  EXPECT_EQ(labels["b"], Counts());
  EXPECT_TRUE(labels.contains("c"));
  for (const char* name : {"a", "b", "c"}) meters.add(tenant_named(name), {.records = 5, .refusals = 1});
  labels = meters.read();
  EXPECT_EQ(labels["b"], (Counts{5, 0, 0, 1}));
  EXPECT_EQ(labels["c"], (Counts{5, 0, 0, 1}));
  EXPECT_EQ(labels["other"], (Counts{35, 300, 1, 1}));
}

TEST(TenantMeters, NoFigureEverShrinks) {
  TenantMeters meters(1);
  meters.add(tenant_named("a"), {.records = 10});
  (void)meters.read();
  meters.add(tenant_named("a"), {.records = 1});
  meters.add(tenant_named("b"), {.records = 7});
  EXPECT_EQ(meters.read()["other"].records, 17u);
  meters.forget(tenant_named("b"));
  EXPECT_EQ(meters.read()["other"].records, 17u);
  meters.forget(tenant_named("a"));  // its label ends, its place is free
  meters.add(tenant_named("c"), {.records = 1});
  auto labels = meters.read();
  EXPECT_FALSE(labels.contains("a"));
  EXPECT_TRUE(labels.contains("c"));
  EXPECT_EQ(labels["other"].records, 18u);
  meters.forget(tenant_named("none"));
}

TEST(TenantMeters, WithoutPlacesAllIsOther) {
  TenantMeters meters(0);
  meters.add(tenant_named("a"), {.records = 10});
  EXPECT_EQ(meters.read(), (std::map<std::string, Counts>{{"other", {10, 0, 0, 0}}}));
}

}  // namespace
}  // namespace dendro
