#include "services/audit/audit_filter.h"

#include <utility>

#include "base/utf8.h"
#include "services/audit/compact_json.h"

namespace dendro {
namespace {

constexpr std::string_view kFiltersPlace = "filters";

class AuditFilterReader {
 public:
  AuditFilterReader(const AuditParam& param, std::string_view place, FieldFaults& faults)
      : param_(param), place_(place), faults_(faults) {}

  AuditFilter read() {
    AuditFilter filter;
    filter.action = word("action", parse_audit_action, kAuditActionNamesText);
    filter.resource_type = text("resource_type");
    filter.resource_id = text("resource_id");
    filter.severity = word("severity", parse_audit_severity, kAuditSeverityNamesText);
    filter.session_id = text("session_id");
    filter.user_id = text("user_id");
    filter.ip_address = text("ip_address");
    filter.request_id = text("request_id");
    filter.start = time("start_time");
    filter.end = time("end_time");
    if (filter.start && filter.end && *filter.end < *filter.start) {
      add("end_time", "end_time is before start_time", "value_error");
    }
    filter.search = search();
    return filter;
  }

 private:
  void add(std::string field, std::string message, std::string_view type) {
    faults_.push_back({place_, {}, std::move(field), std::move(message), type});
  }
  std::optional<std::string> text(const char* name) {
    std::optional<std::string> value = param_(name);
    if (!value || value->empty()) return std::nullopt;
    if (is_valid_utf8(*value)) return value;
    add(name, "Input should be a valid string: it is not UTF-8", "string_unicode");
    return std::nullopt;
  }
  template <typename Word>
  std::optional<Word> word(const char* name, std::optional<Word> (*parse)(std::string_view), std::string_view names) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    const std::optional<Word> known = parse(*given);
    if (!known) faults_.push_back(enum_fault(place_, name, names));
    return known;
  }
  std::optional<Timestamp> time(const char* name) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    const auto instant = parse_audit_time(*given);
    if (!instant) add(name, "Input should be a valid datetime", "datetime_parsing");
    return instant;
  }
  SearchTerms search() {
    std::string problem;
    auto terms = SearchTerms::parse(text("search").value_or(""), problem);
    if (!terms) add("search", problem, "value_error");
    return terms.value_or(SearchTerms());
  }

  const AuditParam& param_;
  const std::string_view place_;
  FieldFaults& faults_;
};

template <typename Field>
bool agrees(const std::optional<Field>& wanted, const std::optional<Field>& has) {
  return !wanted || wanted == has;
}

bool has_user(const AuditLog& log, const std::string& user) {
  if (log.user_id == user) return true;
  if (!log.metadata) return false;
  bool found = false;
  for_each_member_scalar(*log.metadata, "user_id", [&](std::string_view value) {
    found = value == user;
    return !found;
  });
  return found;
}

}  // namespace

bool AuditFilter::matches(const AuditLog& log) const {
  return (!action || action == log.action) && (!severity || severity == log.severity) &&
         (!resource_type || resource_type == log.resource_type) && (!resource_id || resource_id == log.resource_id) &&
         agrees(session_id, log.session_id) && agrees(ip_address, log.ip_address) &&
         agrees(request_id, log.request_id) && (!user_id || has_user(log, *user_id)) &&
         (!start || *start <= log.timestamp) && (!end || log.timestamp <= *end) && search.match(log);
}

AuditFilter read_audit_filter(const AuditParam& param, std::string_view place, FieldFaults& faults) {
  return AuditFilterReader(param, place, faults).read();
}

AuditFilter read_audit_filter(const JsonValue& object, FieldFaults& faults) {
  if (!object.is_object()) {
    faults.push_back({kFiltersPlace, {}, {}, "Input should be an object", "dict_type"});
    return {};
  }
  const AuditParam param = [&object, &faults](std::string_view name) -> std::optional<std::string> {
    const JsonValue* const value = object.find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (const auto text = value->as_string()) return std::string(*text);
    faults.push_back({kFiltersPlace, {}, std::string(name), "Input should be a valid string", "string_type"});
    return std::nullopt;
  };
  return read_audit_filter(param, kFiltersPlace, faults);
}

std::optional<Timestamp> parse_audit_time(std::string_view text) {
  if (const auto instant = parse_rfc3339(text)) return instant;
  constexpr std::size_t kDateBytes = 10;
  if (text.size() != kDateBytes) return std::nullopt;
  return parse_rfc3339(std::string(text) + "T00:00:00Z");
}

}  // namespace dendro
