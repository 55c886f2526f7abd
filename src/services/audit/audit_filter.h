#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/field_fault.h"
#include "base/json_document.h"
#include "base/timestamp.h"
#include "services/audit/audit_log.h"
#include "services/audit/search_terms.h"

namespace dendro {

/// Which logs are asked for (five-systems.md 4.4): those that agree in everything that is given.
struct AuditFilter {
  std::optional<AuditAction> action;
  std::optional<AuditSeverity> severity;
  std::optional<std::string> resource_type, resource_id, session_id, ip_address, request_id;
  std::optional<std::string> user_id;   ///< `metadata.user_id` or `user_id`
  std::optional<Timestamp> start, end;  ///< both inclusive
  SearchTerms search;

  bool matches(const AuditLog& log) const;
};

/// The value of a parameter, or nothing.
using AuditParam = std::function<std::optional<std::string>(std::string_view name)>;
/// Reads the parameters of 4.4; an empty one is none. What is wrong goes to `faults`, as of `place`.
AuditFilter read_audit_filter(const AuditParam& param, std::string_view place, FieldFaults& faults);
/// The same of a JSON object of texts, as the stream takes it; null is none. Other members are ignored.
AuditFilter read_audit_filter(const JsonValue& object, FieldFaults& faults);

/// An ISO 8601 date-time, without a zone UTC, or a date alone, its first instant.
std::optional<Timestamp> parse_audit_time(std::string_view text);

}  // namespace dendro
