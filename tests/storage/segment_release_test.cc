#include "filter/predicate.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId& kTenant = TenantId::default_tenant();

/// However a segment leaves the list, its file stays while one of several readers has it.
class FilesOfReaders : public testing::TestWithParam<const char*> {};

TEST_P(FilesOfReaders, StayUntilTheLastOneLetsGo) {
  StoreFixture fixture;
  fixture.options.retention.standard.max_age = std::chrono::hours(24);
  fixture.open();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  ASSERT_TRUE(fixture.append({"b"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  const std::string folder = fixture.options.directory + "/t/default/20231114/";
  const auto are_there = [&] {
    return fixture.files->exists(folder + "0000000000000001.seg") &&
           fixture.files->exists(folder + "0000000000000002.seg");
  };
  auto first = fixture.store->snapshot(kTenant).value();
  auto second = fixture.store->snapshot(kTenant).value();
  const std::string way = GetParam();
  if (way == "merge") {
    ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
  } else if (way == "retention") {
    fixture.clock.advance(std::chrono::hours(72));
    ASSERT_TRUE(fixture.store->compact().has_value());
  } else if (way == "deletion") {
    const Predicate every{FieldTest{"body", Exists{}}};
    ASSERT_TRUE(fixture.store->delete_records(kTenant, {}, every).has_value());
    ASSERT_TRUE(fixture.store->compact().has_value());
  } else {
    ASSERT_TRUE(fixture.store->drop_tenant(kTenant).has_value());
  }
  EXPECT_EQ(fixture.bodies().size(), way == "merge" ? 2u : 0u);
  EXPECT_TRUE(are_there());
  first.reset();
  EXPECT_TRUE(are_there());
  EXPECT_EQ(run_scan(*second).bodies.size(), 2u);  // reads what it never read before
  second.reset();
  EXPECT_FALSE(fixture.files->exists(folder + "0000000000000001.seg"));
  EXPECT_FALSE(fixture.files->exists(folder + "0000000000000002.seg"));
}

INSTANTIATE_TEST_SUITE_P(Ways, FilesOfReaders, testing::Values("merge", "retention", "deletion", "tenant"));

}  // namespace
}  // namespace dendro
