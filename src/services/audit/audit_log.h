#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/json_writer.h"
#include "base/timestamp.h"
#include "record/severity.h"

namespace dendro {

/// What was done (five-systems.md 4.2), in the order the texts name them.
enum class AuditAction : std::uint8_t { create, update, remove, view, login, logout, import_data, export_data, read };
inline constexpr std::size_t kAuditActionCount = 9;
/// For messages about a name that is none.
inline constexpr std::string_view kAuditActionNamesText =
    "'CREATE', 'UPDATE', 'DELETE', 'VIEW', 'LOGIN', 'LOGOUT', 'IMPORT', 'EXPORT' or 'READ'";
inline constexpr std::string_view kAuditSeverityNamesText = "'INFO', 'WARNING', 'ERROR' or 'CRITICAL'";
/// "CREATE", "UPDATE", "DELETE", "VIEW", "LOGIN", "LOGOUT", "IMPORT", "EXPORT", "READ".
std::string_view audit_action_name(AuditAction action);
/// Exactly such a name.
std::optional<AuditAction> parse_audit_action(std::string_view name);

enum class AuditSeverity : std::uint8_t { info, warning, error, critical };
inline constexpr std::size_t kAuditSeverityCount = 4;
/// "INFO", "WARNING", "ERROR", "CRITICAL".
std::string_view audit_severity_name(AuditSeverity severity);
std::optional<AuditSeverity> parse_audit_severity(std::string_view name);
/// 9, 13, 17, 21.
SeverityNumber audit_severity_number(AuditSeverity severity);
/// Of one of these four numbers.
std::optional<AuditSeverity> audit_severity_of(SeverityNumber number);

/// One log of S2. Texts are valid UTF-8; objects are compact JSON, their secrets masked.
struct AuditLog {
  std::string id;       ///< 24 lower-case hex digits
  Timestamp timestamp;  ///< whole microseconds
  TenantId tenant = TenantId::default_tenant();
  AuditAction action = AuditAction::create;
  std::string resource_type, resource_id;
  AuditSeverity severity = AuditSeverity::info;
  std::string message;
  std::optional<std::string> session_id, user_id, ip_address, user_agent, request_id;
  std::optional<std::string> before_state, after_state, metadata;
  friend bool operator==(const AuditLog&, const AuditLog&) = default;
};

/// About what the log takes as JSON, and in memory.
std::size_t audit_log_bytes(const AuditLog& log);

/// Down to whole microseconds: what is shown is what is compared.
Timestamp floor_to_micros(Timestamp t);
/// "2026-01-31T10:00:00.123456Z".
std::string audit_time_text(Timestamp t);
/// Names of the members, in the order in which they are written.
inline constexpr std::array<std::string_view, 16> kAuditLogFields = {
    "id",         "timestamp", "tenant_id",  "action",     "resource_type", "resource_id",  "severity",    "message",
    "session_id", "user_id",   "ip_address", "user_agent", "request_id",    "before_state", "after_state", "metadata"};
/// Every member into an object that is open, absent ones as null.
void append_audit_log_members(JsonWriter& json, const AuditLog& log);
/// The log as a JSON object.
void append_audit_log_json(std::string& out, const AuditLog& log);

}  // namespace dendro
