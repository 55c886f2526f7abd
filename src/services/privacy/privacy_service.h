#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "record/record_sink.h"
#include "services/privacy/field_mask.h"
#include "services/privacy/mask_rule.h"
#include "services/privacy/privacy_keys.h"

namespace dendro {

/// What a tenant's records are masked by; null: nothing is. Errors: unavailable (rules that cannot be read: until they
/// can, nothing may be stored).
using MaskRulesOf = std::function<Result<std::shared_ptr<const MaskRules>>(const TenantId&)>;

/// The one place that masks: everything that is stored passes `rewrite` on its way into the journal
/// (Store::set_intake), dead letters and the trail of reads, too. Thread-safe.
class PrivacyService {
 public:
  /// `keys` outlives this.
  PrivacyService(PrivacyKeys& keys, MaskRulesOf rules_of) : keys_(keys), rules_of_(std::move(rules_of)) {}

  /// Replaces the request's batches by what is to be stored; without rules it does nothing. Retry keys stay those of
  /// what was sent. Errors: unavailable (a rule needs a key that cannot be had: nothing may be stored).
  Status rewrite(CommitRequest& request);

  /// Whether such rules can be kept here. Errors: invalid_argument (a rule needs privacy.key, and there is none).
  Status check(const MaskRules& rules) const;

  /// What would be stored of these batches, by these rules or the tenant's own, and which rules found something.
  struct Preview {
    std::vector<std::shared_ptr<const RecordBatch>> batches;
    std::map<std::pair<std::string, std::string>, std::uint64_t> matches;  ///< by rule and kind
  };
  Result<Preview> preview(const TenantId& tenant, std::shared_ptr<const MaskRules> rules,
                          std::vector<std::shared_ptr<const RecordBatch>> batches);

  /// Values of tokens, in their order; nothing for one that the tenant's keys did not make. Errors: unavailable.
  Result<std::vector<std::optional<std::string>>> unmask(const TenantId& tenant,
                                                         const std::vector<std::string>& tokens);
  /// Erases the tenant's keys: its tokens cannot be read any more, values that come later get others. How many keys
  /// there were.
  Result<std::uint64_t> erase_keys(const TenantId& tenant);
  /// The tenant was deleted, and its keys with it.
  void forget(const TenantId& tenant);

  struct Totals {
    std::uint64_t records_masked = 0, refused_requests = 0, tokens_unmasked = 0;
  };
  Totals totals() const;

 private:
  struct Known {
    std::shared_ptr<const MaskRules> rules;
    std::shared_ptr<const MaskPlan> plan;
  };
  Result<std::shared_ptr<const MaskPlan>> plan_of(const TenantId& tenant, std::shared_ptr<const MaskRules> rules);
  Result<std::shared_ptr<const MaskPlan>> make_plan(const TenantId& tenant, const MaskRules& rules);

  PrivacyKeys& keys_;
  const MaskRulesOf rules_of_;
  mutable Mutex mutex_;
  std::map<TenantId, Known> plans_ DENDRO_GUARDED_BY(mutex_);
  Totals totals_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace dendro
