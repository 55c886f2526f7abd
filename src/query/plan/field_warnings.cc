#include "query/plan/field_warnings.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "filter/field_name.h"
#include "query/language/language_words.h"
#include "query/plan/query_plan.h"

namespace dendro {
namespace {

constexpr std::uint64_t kCensusBatchesMax = 64;
constexpr std::size_t kCensusNamesMax = 2'000;

QueryWarning unknown_field(const std::string& field, const std::vector<std::string_view>& names, std::size_t offset,
                           std::size_t size) {
  const std::string_view near = nearest_name(field, names);
  std::string message = "no record looked at has a field \"" + field + "\"";
  if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
  return {"unknown_field", std::move(message), offset, size};
}

/// True if the name is one of those, whichever way it is written.
bool is_known_name(std::string_view field, const std::vector<std::string_view>& names) {
  const auto stands = [&names](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (is_builtin_name(field) || stands(field)) return true;
  for (const std::string_view prefix : {"body.", "attributes.", "resource."}) {
    if (field.starts_with(prefix) && stands(field.substr(prefix.size()))) return true;
  }
  return false;
}

const FieldUse* use_of(const QueryPlan& plan, std::string_view field) {
  for (const FieldUse& use : plan.parsed.uses) {
    if (use.name == field) return &use;
  }
  return nullptr;
}

}  // namespace

void FieldCensus::look_at(const std::vector<Shape>& shapes, const std::vector<Stream>& streams) {
  if (batches_.fetch_add(1, std::memory_order_relaxed) >= kCensusBatchesMax) return;
  const MutexLock lock(mutex_);
  // Shapes name the same texts over and over, at the same place.
  std::unordered_set<const char*> known;
  const auto add = [this, &known](std::string_view name) DENDRO_REQUIRES(mutex_) {
    if (name.empty() || !known.insert(name.data()).second || names_.size() >= kCensusNamesMax || names_.contains(name))
      return;
    names_.emplace(name);
  };
  for (const Shape& shape : shapes) {
    for (const Leaf& leaf : shape.leaves) {
      if (leaf.role == LeafRole::attribute || leaf.role == LeafRole::body_part) add(leaf.path);
    }
  }
  for (const Stream& stream : streams) {
    for (const StreamLabel& label : stream.labels) add(label.path);
  }
}

bool FieldCensus::is_whole() const {
  const MutexLock lock(mutex_);
  return batches_.load(std::memory_order_relaxed) <= kCensusBatchesMax && names_.size() < kCensusNamesMax;
}

std::vector<std::string> FieldCensus::names() const {
  const MutexLock lock(mutex_);
  return {names_.begin(), names_.end()};
}

void add_field_warnings(const QueryPlan& plan, const FieldCensus& census, std::vector<QueryWarning>& warnings) {
  std::vector<FieldFinding> findings = matching_filter(plan).findings();
  const std::vector<std::string> names = census.names();
  std::vector<std::string_view> views(names.begin(), names.end());
  for (const FieldFinding& finding : findings) {
    const FieldUse* use = use_of(plan, finding.field);
    const std::size_t offset = use == nullptr ? 0 : use->offset;
    const std::size_t size = use == nullptr ? 0 : use->size;
    if (finding.unit_mismatch) {
      warnings.push_back(
          {"unit_mismatch",
           "\"" + finding.field + "\" holds plain numbers, which no duration or size equals; compare with a number",
           offset, size});
    }
    const bool is_known = finding.was_seen || is_builtin_name(finding.field) ||
                          std::find(views.begin(), views.end(), finding.field) != views.end();
    if (is_known || census.is_empty()) continue;
    warnings.push_back(unknown_field(finding.field, views, offset, size));
  }
  if (census.is_empty() || !census.is_whole()) return;
  for (const FieldUse& use : plan.record_uses) {
    const auto is_same = [&use](const FieldFinding& finding) { return finding.field == use.name; };
    if (std::any_of(findings.begin(), findings.end(), is_same) || is_known_name(use.name, views)) continue;
    warnings.push_back(unknown_field(use.name, views, use.offset, use.size));
  }
}

}  // namespace dendro
