#include "services/tenants/tenant_service.h"

#include <gtest/gtest.h>

#include "meta/meta_schema.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

using Use = TenantService::Use;

struct TenantServiceFixture : testing::Test {
  TenantServiceFixture() { restart(); }
  void restart() {
    TenantStoreParts parts;
    parts.drop_records = [this](const TenantId& tenant) -> Result<std::uint64_t> {
      if (drop_fails) return Error(ErrorCode::io_error, "disk");
      return std::exchange(records[tenant], 0);
    };
    parts.count_records = [this](const TenantId& tenant) -> Result<std::uint64_t> { return records[tenant]; };
    parts.set_retention = [this](const TenantId& tenant, std::optional<std::uint32_t> days) {
      retention[tenant] = days;
    };
    service = std::make_unique<TenantService>(table, std::move(parts), clock, random);
    ASSERT_TRUE(service->open().has_value());
  }
  static TenantService::Draft draft(std::string id, TenantSettings settings = {}) {
    return {std::move(id), "Name", std::move(settings), {}};
  }
  ErrorCode verdict(Use use) {
    const auto verdict = service->admits(shop, use);
    return verdict.status ? ErrorCode{} : verdict.status.error().code();
  }
  bool passes(Use use) { return service->admits(shop, use).status.has_value(); }

  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  ManualClock clock{Timestamp(1'790'000'000 * kNanosPerSecond)};
  SystemRandom random;
  TenantRegister table{*database};
  std::map<TenantId, std::uint64_t> records;
  std::map<TenantId, std::optional<std::uint32_t>> retention;
  bool drop_fails = false;
  const TenantId shop = *TenantId::parse("shop");
  std::unique_ptr<TenantService> service;
};

TEST_F(TenantServiceFixture, CreatesChangesAndFindsAgainAfterARestart) {
  TenantSettings settings;
  settings.retention_days = 7;
  settings.quota.requests_per_s = 5;
  const auto made = service->create(draft("shop", settings));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ((*made)->object_id.size(), 24u);
  EXPECT_EQ(retention[shop], 7u);
  const auto again = service->create(draft("shop"));
  EXPECT_EQ(again.error().code(), ErrorCode::already_exists);
  EXPECT_EQ(again.error().message(), "Tenant with ID shop already exists");
  restart();
  EXPECT_EQ(retention[shop], 7u);
  EXPECT_EQ(service->find(shop)->settings, settings);
  EXPECT_EQ(service->find(service->find(shop)->object_id)->id, shop);
  settings.retention_days = 30;
  ASSERT_TRUE(service->replace(shop, "Shop", settings).has_value());
  EXPECT_EQ(service->find(shop)->name, "Shop");
  EXPECT_EQ(retention[shop], 30u);
}

TEST_F(TenantServiceFixture, KeepsMaskingRulesAndSaysSoWhereItCannotReadThem) {
  TenantSettings settings;
  MaskRule rule;
  rule.name = "cards";
  rule.patterns = {"card"};
  settings.masking = std::make_shared<const MaskRules>(MaskRules{rule});
  ASSERT_TRUE(service->create(draft("shop", settings)).has_value());
  restart();
  ASSERT_NE(service->find(shop)->settings.masking, nullptr);
  EXPECT_EQ(*service->find(shop)->settings.masking, *settings.masking);
  EXPECT_FALSE(service->find(shop)->settings.is_masking_unreadable);
  TenantRow row = (*table.list())[0];
  row.settings = R"({"masking":[{"name":"a","pattern":"of a later version"}]})";
  ASSERT_TRUE(table.replace(row).has_value());
  restart();
  EXPECT_TRUE(service->find(shop)->settings.is_masking_unreadable);
  ASSERT_TRUE(service->replace(shop, "Shop", settings).has_value());
  EXPECT_FALSE(service->find(shop)->settings.is_masking_unreadable);
}

TEST_F(TenantServiceFixture, OneThatNobodyCreatedHasTheDefaults) {
  EXPECT_EQ(service->find(shop), nullptr);
  EXPECT_EQ(service->settings_of(shop), TenantSettings());
  EXPECT_TRUE(passes(Use::ingest));
  EXPECT_EQ(service->replace(shop, "x", {}).error().message(), "Tenant not found");
  EXPECT_EQ(service->remove(shop).error().code(), ErrorCode::not_found);
}

TEST_F(TenantServiceFixture, NamesAreChecked) {
  for (const char* bad : {"", "-a", ".a", "a/b", "a b", "\xC3\xA4"}) {
    EXPECT_EQ(service->create(draft(bad)).error().code(), ErrorCode::invalid_argument) << bad;
  }
  EXPECT_EQ(service->create(draft(std::string(64, 'a'))).error().code(), ErrorCode::invalid_argument);
  EXPECT_TRUE(service->create(draft(std::string(63, 'a'))).has_value());
  EXPECT_TRUE(service->create(draft("A.b-c_1")).has_value());
}

TEST_F(TenantServiceFixture, ASuspendedTenantTakesNothing) {
  ASSERT_TRUE(service->create(draft("shop")).has_value());
  ASSERT_TRUE(service->set_suspended(shop, true).has_value());
  EXPECT_EQ(verdict(Use::read), ErrorCode::permission_denied);
  restart();
  EXPECT_EQ(verdict(Use::ingest), ErrorCode::permission_denied);
  ASSERT_TRUE(service->set_suspended(shop, false).has_value());
  EXPECT_TRUE(passes(Use::read));
}

TEST_F(TenantServiceFixture, DeletesWithAProofAndTheNameDoesNotComeBack) {
  ASSERT_TRUE(service->create(draft("shop")).has_value());
  records[shop] = 42;
  ASSERT_TRUE(service->remove(shop).has_value());
  EXPECT_EQ(records[shop], 0u);
  EXPECT_EQ(retention[shop], std::nullopt);
  EXPECT_EQ(service->find(shop), nullptr);
  EXPECT_TRUE(service->list().empty());
  EXPECT_EQ(verdict(Use::ingest), ErrorCode::permission_denied) << "a credential that still names it";
  const TenantRow row = table.list()->front();
  EXPECT_EQ(row.state, TenantState::deleted);
  EXPECT_NE(row.proof.find(R"("records_deleted":42,"records_left":0)"), std::string::npos);
  ASSERT_TRUE(service->create(draft("shop")).has_value());
  EXPECT_TRUE(passes(Use::ingest));
}

TEST_F(TenantServiceFixture, ADeletionThatWasBegunIsFinishedAtTheNextStart) {
  ASSERT_TRUE(service->create(draft("shop")).has_value());
  records[shop] = 42;
  drop_fails = true;
  EXPECT_EQ(service->remove(shop).error().code(), ErrorCode::io_error);
  EXPECT_EQ(verdict(Use::read), ErrorCode::permission_denied);
  drop_fails = false;
  restart();
  EXPECT_EQ(records[shop], 0u);
  EXPECT_EQ(table.list()->front().state, TenantState::deleted);
}

TEST_F(TenantServiceFixture, RequestsASecondRefillWithTime) {
  TenantSettings settings;
  settings.quota.requests_per_s = 2;
  ASSERT_TRUE(service->create(draft("shop", settings)).has_value());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(passes(Use::read)) << "a burst of two seconds' worth";
  EXPECT_EQ(verdict(Use::read), ErrorCode::resource_exhausted);
  clock.advance(std::chrono::milliseconds(499));
  EXPECT_FALSE(passes(Use::read));
  clock.advance(std::chrono::milliseconds(501));
  EXPECT_TRUE(passes(Use::read));
  EXPECT_TRUE(passes(Use::read));
  EXPECT_FALSE(passes(Use::read));
}

TEST_F(TenantServiceFixture, BytesOfADayAreCountedAcrossARestart) {
  TenantSettings settings;
  settings.quota.ingest_bytes_per_day = 100;
  ASSERT_TRUE(service->create(draft("shop", settings)).has_value());
  service->count_ingested(shop, 99);
  EXPECT_TRUE(passes(Use::ingest));
  service->count_ingested(shop, 1);
  const auto refused = service->admits(shop, Use::ingest);
  ASSERT_FALSE(refused.status.has_value());
  EXPECT_EQ(refused.status.error().code(), ErrorCode::resource_exhausted);
  const std::int64_t second_of_day = clock.now().number() / kNanosPerSecond % 86'400;
  EXPECT_EQ(refused.retry_after.count(), 86'400 - second_of_day + 1);
  EXPECT_TRUE(passes(Use::read)) << "reading costs none";
  ASSERT_TRUE(service->save_usage().has_value());
  restart();
  EXPECT_FALSE(passes(Use::ingest));
  clock.advance(std::chrono::hours(24));
  EXPECT_TRUE(passes(Use::ingest));
}

TEST(TenantSettings, FaultsNameTheirPlace) {
  const auto faults_of = [](std::string_view text) {
    TenantSettings settings;
    FieldFaults faults;
    read_tenant_settings(*parse_json_document(text), settings, faults);
    EXPECT_EQ(faults.empty(), false) << text;
    return faults.empty() ? std::string() : faults[0].field;
  };
  EXPECT_EQ(faults_of(R"({"retention_days":0})"), "settings.retention_days");
  EXPECT_EQ(faults_of(R"({"retention_days":"7"})"), "settings.retention_days");
  EXPECT_EQ(faults_of(R"({"log_levels":[]})"), "settings.log_levels");
  EXPECT_EQ(faults_of(R"({"log_levels":["INFO","LOUD"]})"), "settings.log_levels");
  EXPECT_EQ(faults_of(R"({"quota":{"requests_per_s":-1}})"), "settings.quota.requests_per_s");
  EXPECT_EQ(faults_of(R"({"quota":{"rps":1}})"), "settings.quota.rps");
  EXPECT_EQ(faults_of(R"({"retention":7})"), "settings.retention");
  EXPECT_EQ(faults_of(R"([])"), "settings");
}

}  // namespace
}  // namespace dendro
