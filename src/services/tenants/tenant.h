#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/field_fault.h"
#include "base/json_document.h"
#include "base/json_writer.h"
#include "meta/tenant_register.h"
#include "services/privacy/mask_rule.h"

namespace dendro {

/// Bounds of a tenant; 0: none.
struct TenantQuota {
  std::uint32_t requests_per_s = 0;        ///< over all credentials; short bursts of twice as many pass
  std::uint64_t ingest_bytes_per_day = 0;  ///< of decompressed bodies, by UTC day
  std::uint32_t queries_at_once = 0;       ///< that run, not counting live tails
  std::uint32_t query_timeout_ms = 0;      ///< what a request may ask for at most
  friend bool operator==(const TenantQuota&, const TenantQuota&) = default;
};

/// Settings of a tenant (five-systems.md 4.4), with the values of one that nobody created.
struct TenantSettings {
  static constexpr std::uint32_t kRetentionDaysMax = 36'500;
  std::uint32_t retention_days = 90;
  std::vector<std::string> log_levels = {"INFO", "WARNING", "ERROR", "CRITICAL"};
  TenantQuota quota;
  std::shared_ptr<const MaskRules> masking;  ///< null: as the configuration says (privacy.masking)
  bool is_masking_unreadable = false;        ///< stored by a later version: nothing may be stored by half of the rules
  friend bool operator==(const TenantSettings&, const TenantSettings&) = default;
};

struct Tenant {
  TenantId id;
  std::string object_id;
  std::string name;
  TenantSettings settings;
  TenantState state = TenantState::active;
  std::string proof;
  Timestamp created;
};

/// Reads members of `document` over `settings`; members that are absent stay. Faults are appended.
void read_tenant_settings(const JsonValue& document, TenantSettings& settings, FieldFaults& faults);
/// {"retention_days":90,"log_levels":[..]} and, where they are set, "quota" and "masking".
void write_tenant_settings(JsonWriter& json, const TenantSettings& settings);

/// {"id","tenant_id","name","settings","created_at"} and, of a suspended one, "suspended":true (five-systems.md 4.4).
void write_tenant(JsonWriter& json, const Tenant& tenant);

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`: the names that can be created.
bool is_tenant_name(std::string_view text);

}  // namespace dendro
