#include "services/audit/audit_log.h"

#include <algorithm>

namespace dendro {
namespace {

constexpr std::array<std::string_view, kAuditActionCount> kActionNames = {"CREATE", "UPDATE", "DELETE", "VIEW", "LOGIN",
                                                                          "LOGOUT", "IMPORT", "EXPORT", "READ"};
constexpr std::array<std::string_view, kAuditSeverityCount> kAuditSeverityNames = {"INFO", "WARNING", "ERROR",
                                                                                   "CRITICAL"};
constexpr std::array<SeverityNumber, kAuditSeverityCount> kAuditSeverityNumbers = {kSeverityInfo, kSeverityWarn,
                                                                                   kSeverityError, kSeverityFatal};

/// The member of an enum whose row of `rows` is `wanted`.
template <typename Enum, typename Rows, typename Wanted>
std::optional<Enum> member_of(const Rows& rows, const Wanted& wanted) {
  const auto found = std::find(rows.begin(), rows.end(), wanted);
  if (found == rows.end()) return std::nullopt;
  return static_cast<Enum>(found - rows.begin());
}

void append_text_member(JsonWriter& json, std::string_view name, const std::optional<std::string>& text) {
  json.key(name);
  if (text) {
    json.value(*text);
  } else {
    json.null();
  }
}

void append_object_member(JsonWriter& json, std::string_view name, const std::optional<std::string>& object) {
  json.key(name);
  json.raw(object ? std::string_view(*object) : std::string_view("null"));
}

}  // namespace

std::string_view audit_action_name(AuditAction action) {
  return kActionNames[static_cast<std::size_t>(action)];
}
std::optional<AuditAction> parse_audit_action(std::string_view name) {
  return member_of<AuditAction>(kActionNames, name);
}
std::string_view audit_severity_name(AuditSeverity severity) {
  return kAuditSeverityNames[static_cast<std::size_t>(severity)];
}
std::optional<AuditSeverity> parse_audit_severity(std::string_view name) {
  return member_of<AuditSeverity>(kAuditSeverityNames, name);
}
SeverityNumber audit_severity_number(AuditSeverity severity) {
  return kAuditSeverityNumbers[static_cast<std::size_t>(severity)];
}
std::optional<AuditSeverity> audit_severity_of(SeverityNumber number) {
  return member_of<AuditSeverity>(kAuditSeverityNumbers, number);
}

std::size_t audit_log_bytes(const AuditLog& log) {
  constexpr std::size_t kNamesBytes = 400;
  std::size_t bytes = kNamesBytes + log.resource_type.size() + log.resource_id.size() + log.message.size();
  for (const auto* text : {&log.session_id, &log.user_id, &log.ip_address, &log.user_agent, &log.request_id,
                           &log.before_state, &log.after_state, &log.metadata}) {
    if (*text) bytes += (*text)->size();
  }
  return bytes;
}

Timestamp floor_to_micros(Timestamp t) {
  const std::int64_t remainder = t.number() % kNanosPerMicro;
  return Timestamp(t.number() - (remainder < 0 ? remainder + kNanosPerMicro : remainder));
}

std::string audit_time_text(Timestamp t) {
  constexpr int kMicroDigits = 6;
  return to_rfc3339(t, kMicroDigits);
}

void append_audit_log_members(JsonWriter& json, const AuditLog& log) {
  json.member("id", log.id);
  json.member("timestamp", audit_time_text(log.timestamp));
  json.member("tenant_id", log.tenant.text());
  json.member("action", audit_action_name(log.action));
  json.member("resource_type", log.resource_type);
  json.member("resource_id", log.resource_id);
  json.member("severity", audit_severity_name(log.severity));
  json.member("message", log.message);
  append_text_member(json, "session_id", log.session_id);
  append_text_member(json, "user_id", log.user_id);
  append_text_member(json, "ip_address", log.ip_address);
  append_text_member(json, "user_agent", log.user_agent);
  append_text_member(json, "request_id", log.request_id);
  append_object_member(json, "before_state", log.before_state);
  append_object_member(json, "after_state", log.after_state);
  append_object_member(json, "metadata", log.metadata);
}

void append_audit_log_json(std::string& out, const AuditLog& log) {
  JsonWriter json(out);
  json.begin_object();
  append_audit_log_members(json, log);
  json.end_object();
}

}  // namespace dendro
