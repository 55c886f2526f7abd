#include "services/tenants/tenant.h"

#include <algorithm>
#include <array>
#include <limits>

namespace dendro {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"INFO", "WARNING", "ERROR", "CRITICAL"};

template <typename Number>
void read_count(const JsonValue& object, std::string_view prefix, std::string_view name, std::uint64_t max,
                Number& member, FieldFaults& faults) {
  const JsonValue* value = object.find(name);
  if (value == nullptr) return;
  const auto number = value->as_int();
  if (number && *number >= 0 && static_cast<std::uint64_t>(*number) <= max) {
    member = static_cast<Number>(*number);
    return;
  }
  faults.push_back({"body",
                    {},
                    std::string(prefix).append(name),
                    "must be a whole number from 0 (no bound) to " + std::to_string(max),
                    "value_error"});
}

void read_retention(const JsonValue& value, TenantSettings& settings, FieldFaults& faults) {
  const auto days = value.as_int();
  if (days && *days >= 1 && *days <= TenantSettings::kRetentionDaysMax) {
    settings.retention_days = static_cast<std::uint32_t>(*days);
    return;
  }
  faults.push_back({"body",
                    {},
                    "settings.retention_days",
                    "must be a whole number of days from 1 to " + std::to_string(TenantSettings::kRetentionDaysMax),
                    "value_error"});
}

void read_levels(const JsonValue& value, TenantSettings& settings, FieldFaults& faults) {
  std::vector<std::string> levels;
  const auto is_level = [&levels](const JsonValue& element) {
    const auto text = element.as_string();
    if (!text || std::ranges::find(kLevels, *text) == kLevels.end()) return false;
    if (std::ranges::find(levels, *text) == levels.end()) levels.emplace_back(*text);
    return true;
  };
  if (value.is_array() && !value.elements().empty() && std::ranges::all_of(value.elements(), is_level)) {
    settings.log_levels = std::move(levels);
    return;
  }
  faults.push_back({"body",
                    {},
                    "settings.log_levels",
                    "must be a list of INFO, WARNING, ERROR, CRITICAL with at least one",
                    "value_error"});
}

void read_quota(const JsonValue& object, TenantQuota& quota, FieldFaults& faults) {
  if (!object.is_object()) {
    faults.push_back({"body", {}, "settings.quota", "must be an object", "value_error"});
    return;
  }
  constexpr std::string_view kPrefix = "settings.quota.";
  constexpr std::uint64_t kCountMax = 1'000'000;
  read_count(object, kPrefix, "requests_per_s", kCountMax, quota.requests_per_s, faults);
  read_count(object, kPrefix, "ingest_bytes_per_day", std::numeric_limits<std::int64_t>::max(),
             quota.ingest_bytes_per_day, faults);
  read_count(object, kPrefix, "queries_at_once", kCountMax, quota.queries_at_once, faults);
  read_count(object, kPrefix, "query_timeout_ms", std::uint64_t{24} * 3'600'000, quota.query_timeout_ms, faults);
  for (const auto& [name, value] : object.members()) {
    constexpr std::array<std::string_view, 4> kKnown = {"requests_per_s", "ingest_bytes_per_day", "queries_at_once",
                                                        "query_timeout_ms"};
    if (std::ranges::find(kKnown, name) != kKnown.end()) continue;
    faults.push_back({"body", {}, std::string(kPrefix) + name, "there is no such quota", "value_error"});
  }
}

}  // namespace

void read_tenant_settings(const JsonValue& document, TenantSettings& settings, FieldFaults& faults) {
  if (!document.is_object()) {
    faults.push_back({"body", {}, "settings", "must be an object", "value_error"});
    return;
  }
  for (const auto& [name, value] : document.members()) {
    if (name == "retention_days") {
      read_retention(value, settings, faults);
    } else if (name == "log_levels") {
      read_levels(value, settings, faults);
    } else if (name == "quota") {
      read_quota(value, settings.quota, faults);
    } else if (name == "masking" && value.is_null()) {
      settings.masking = nullptr;
      settings.is_masking_unreadable = false;
    } else if (name == "masking") {
      settings.masking = std::make_shared<const MaskRules>(read_mask_rules(value, "settings.masking", faults));
      settings.is_masking_unreadable = false;
    } else {
      faults.push_back({"body",
                        {},
                        "settings." + name,
                        "there is no such setting; known are retention_days, log_levels, quota, masking",
                        "value_error"});
    }
  }
}

void write_tenant_settings(JsonWriter& json, const TenantSettings& settings) {
  json.begin_object();
  json.member("retention_days", settings.retention_days);
  json.member("log_levels", settings.log_levels);
  if (settings.quota != TenantQuota()) {
    json.key("quota");
    json.begin_object();
    json.member("requests_per_s", settings.quota.requests_per_s);
    json.member("ingest_bytes_per_day", settings.quota.ingest_bytes_per_day);
    json.member("queries_at_once", settings.quota.queries_at_once);
    json.member("query_timeout_ms", settings.quota.query_timeout_ms);
    json.end_object();
  }
  if (settings.masking != nullptr) {
    json.key("masking");
    write_mask_rules(json, *settings.masking);
  }
  json.end_object();
}

void write_tenant(JsonWriter& json, const Tenant& tenant) {
  json.begin_object();
  json.member("id", tenant.object_id);
  json.member("tenant_id", tenant.id.text());
  json.member("name", tenant.name);
  json.key("settings");
  write_tenant_settings(json, tenant.settings);
  json.key("created_at");
  if (tenant.created == Timestamp()) {  // only a credential names it
    json.null();
  } else {
    json.value(to_rfc3339(tenant.created, 6));
  }
  if (tenant.state == TenantState::suspended) json.member("suspended", true);
  json.end_object();
}

bool is_tenant_name(std::string_view text) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 63 && is_alphanumeric(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace dendro
