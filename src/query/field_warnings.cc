#include "query/field_warnings.h"

#include <algorithm>
#include <string_view>

#include "filter/field_name.h"
#include "query/language_words.h"
#include "query/query_plan.h"

namespace dendro {
namespace {

constexpr std::uint64_t kCensusBatchesMax = 64;
constexpr std::size_t kCensusNamesMax = 2'000;

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
  const auto add = [this](std::string_view name) DENDRO_REQUIRES(mutex_) {
    if (names_.size() < kCensusNamesMax && !names_.contains(name)) names_.emplace(name);
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

std::vector<std::string> FieldCensus::names() const {
  const MutexLock lock(mutex_);
  return {names_.begin(), names_.end()};
}

void add_field_warnings(const QueryPlan& plan, const FieldCensus& census, std::vector<QueryWarning>& warnings) {
  std::vector<FieldFinding> findings = plan.scan_filter->findings();
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
    const std::string_view near = nearest_name(finding.field, views);
    std::string message = "no record looked at has a field \"" + finding.field + "\"";
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
    warnings.push_back({"unknown_field", std::move(message), offset, size});
  }
}

}  // namespace dendro
