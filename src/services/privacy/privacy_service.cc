#include "services/privacy/privacy_service.h"

#include <utility>

#include "base/log.h"
#include "services/privacy/record_masker.h"

namespace dendro {

Result<std::shared_ptr<const MaskPlan>> PrivacyService::make_plan(const TenantId& tenant, const MaskRules& rules) {
  std::shared_ptr<const ValueSealer> sealer;
  if (needs_privacy_key(rules)) {
    DENDRO_TRY_ASSIGN(sealer, keys_.sealer(tenant));
  }
  return MaskPlan::compile(rules, std::move(sealer));
}

Result<std::shared_ptr<const MaskPlan>> PrivacyService::plan_of(const TenantId& tenant,
                                                                std::shared_ptr<const MaskRules> rules) {
  {
    MutexLock lock(mutex_);
    const auto known = plans_.find(tenant);
    if (known != plans_.end() && known->second.rules == rules) return known->second.plan;
  }
  DENDRO_TRY_ASSIGN(auto plan, make_plan(tenant, *rules));
  MutexLock lock(mutex_);
  plans_.insert_or_assign(tenant, Known{std::move(rules), plan});
  return plan;
}

Status PrivacyService::rewrite(CommitRequest& request) {
  auto rules = rules_of_(request.tenant);
  if (rules && (*rules == nullptr || (*rules)->empty())) return {};
  auto plan = rules ? plan_of(request.tenant, std::move(*rules)) : rules.error();
  if (!plan) {
    MutexLock lock(mutex_);
    ++totals_.refused_requests;
    return plan.error().code() == ErrorCode::unavailable
               ? plan.error()
               : Error(ErrorCode::unavailable, "records cannot be masked: " + plan.error().message());
  }
  RecordMasker masker(**plan);
  request.batches = masker.mask(std::move(request.batches));
  if (masker.records_changed() == 0) return {};
  MutexLock lock(mutex_);
  totals_.records_masked += masker.records_changed();
  return {};
}

Status PrivacyService::check(const MaskRules& rules) const {
  if (keys_.can_seal() || !needs_privacy_key(rules)) return {};
  return Error(ErrorCode::invalid_argument,
               "hash and tokenize need a key: set privacy.key_file of the server, at least 32 bytes");
}

Result<PrivacyService::Preview> PrivacyService::preview(const TenantId& tenant, std::shared_ptr<const MaskRules> rules,
                                                        std::vector<std::shared_ptr<const RecordBatch>> batches) {
  if (rules == nullptr) {
    DENDRO_TRY_ASSIGN(rules, rules_of_(tenant));
  }
  Preview preview;
  if (rules == nullptr || rules->empty()) {
    preview.batches = std::move(batches);
    return preview;
  }
  DENDRO_TRY(check(*rules));
  DENDRO_TRY_ASSIGN(const auto plan, make_plan(tenant, *rules));
  RecordMasker masker(*plan);
  masker.texts().on_match = [&](const MaskMatch& match) {
    ++preview.matches[{plan->rules()[match.rule].name, match.kind}];
  };
  preview.batches = masker.mask(std::move(batches));
  return preview;
}

Result<std::vector<std::optional<std::string>>> PrivacyService::unmask(const TenantId& tenant,
                                                                       const std::vector<std::string>& tokens) {
  std::vector<std::optional<std::string>> values(tokens.size());
  DENDRO_TRY_ASSIGN(const auto sealer, keys_.find(tenant));
  if (sealer == nullptr) return values;
  std::uint64_t opened = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    values[i] = sealer->open(tokens[i]);
    opened += values[i] ? 1 : 0;
  }
  MutexLock lock(mutex_);
  totals_.tokens_unmasked += opened;
  return values;
}

Result<std::uint64_t> PrivacyService::erase_keys(const TenantId& tenant) {
  auto erased = keys_.erase(tenant);
  MutexLock lock(mutex_);
  plans_.erase(tenant);
  return erased;
}

void PrivacyService::forget(const TenantId& tenant) {
  keys_.forget(tenant);
  MutexLock lock(mutex_);
  plans_.erase(tenant);
}

PrivacyService::Totals PrivacyService::totals() const {
  MutexLock lock(mutex_);
  return totals_;
}

}  // namespace dendro
