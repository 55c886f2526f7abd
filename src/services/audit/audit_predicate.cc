#include "services/audit/audit_predicate.h"

#include <string>
#include <utility>
#include <vector>

#include "filter/field_name.h"
#include "services/audit/audit_record.h"

namespace dendro {

Predicate source_predicate(std::string_view source) {
  return {LabelTest{std::string(kSourceLabel), std::string(source)}};
}

Predicate equals_predicate(std::string_view field, std::string_view text) {
  return {FieldTest{std::string(field), Equals{Literal::of_string(text)}}};
}

Predicate audit_predicate(const AuditFilter& filter) {
  std::vector<Predicate> parts = {source_predicate(kAuditSource)};
  const auto add_equals = [&parts](std::string_view field, const std::optional<std::string>& text) {
    if (text) parts.push_back(equals_predicate(field, *text));
  };
  if (filter.action) parts.push_back(equals_predicate("action", audit_action_name(*filter.action)));
  if (filter.severity) {
    parts.push_back({SeverityTest{"severity", std::uint32_t{1} << audit_severity_number(*filter.severity)}});
  }
  add_equals("resource_type", filter.resource_type);
  add_equals("resource_id", filter.resource_id);
  add_equals("session_id", filter.session_id);
  add_equals("ip_address", filter.ip_address);
  add_equals("request_id", filter.request_id);
  if (filter.user_id) {
    parts.push_back(
        any_of({equals_predicate("metadata.user_id", *filter.user_id), equals_predicate("user_id", *filter.user_id)}));
  }
  for (Predicate& term : filter.search.prefilter()) parts.push_back(std::move(term));
  return all_of(std::move(parts));
}

TimeRange inclusive_range(std::optional<Timestamp> start, std::optional<Timestamp> end) {
  TimeRange range;
  if (start) range.first = *start;
  if (end && *end != kTimestampMax) range.last = end->next();
  return range;
}

}  // namespace dendro
