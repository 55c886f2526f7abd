#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "ingest/decode_ingest.h"
#include "meta/meta_schema.h"
#include "record/record_json.h"
#include "services/privacy/privacy_service.h"
#include "tests/io/temporary_folder.h"

namespace dendro {

/// A service over a database of its own, and rules by tenant that a test sets.
struct PrivacyFixture : testing::Test {
  PrivacyFixture() { restart({std::string(32, 'k'), {}}); }

  void restart(MasterKeys master) {
    privacy.reset();
    keys = std::make_unique<PrivacyKeys>(table, std::move(master), clock, random);
    ASSERT_TRUE(keys->open().has_value());
    privacy = std::make_unique<PrivacyService>(
        *keys, [this](const TenantId& tenant) -> Result<std::shared_ptr<const MaskRules>> { return rules[tenant]; });
  }

  static std::shared_ptr<const MaskRules> rules_of(const std::string& json) {
    FieldFaults faults;
    auto read = read_mask_rules(*parse_json_document(json), "rules", faults);
    EXPECT_TRUE(faults.empty()) << faults[0].field << " " << faults[0].message;
    return std::make_shared<const MaskRules>(std::move(read));
  }
  void set_rules(const std::string& json, const TenantId& tenant = TenantId::default_tenant()) {
    rules[tenant] = rules_of(json);
  }

  CommitRequest request_of(const std::string& body, const TenantId& tenant = TenantId::default_tenant()) {
    IngestRequest intake;
    intake.body = body;
    intake.content_type = "application/json";
    intake.request_id = "req";
    intake.receive_time = clock.now();
    IngestOptions options;
    return to_commit_request(*decode_ingest(intake, options), tenant, clock.now());
  }
  /// What is stored of a body, a JSON text a record.
  std::vector<std::string> stored(const std::string& body, const TenantId& tenant = TenantId::default_tenant()) {
    CommitRequest request = request_of(body, tenant);
    const Status rewritten = privacy->rewrite(request);
    EXPECT_TRUE(rewritten.has_value()) << rewritten.error().message();
    std::vector<std::string> records;
    for (const auto& batch : request.batches) {
      for (std::size_t row = 0; row < batch->size(); ++row) {
        append_record_json(records.emplace_back(), batch->record(row));
        labels = to_stream_text(batch->record(row).stream());
      }
    }
    return records;
  }
  /// Of a body of one record.
  std::string stored_one(const std::string& body) { return stored(body).at(0); }

  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> database = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  ManualClock clock{Timestamp(1'790'000'000 * kNanosPerSecond)};
  SystemRandom random;
  PrivacyKeyTable table{*database};
  std::map<TenantId, std::shared_ptr<const MaskRules>> rules;
  std::unique_ptr<PrivacyKeys> keys;
  std::unique_ptr<PrivacyService> privacy;
  std::string labels;  ///< of the last record that stored() saw
};

}  // namespace dendro
