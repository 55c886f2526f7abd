#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/field_fault.h"
#include "base/result.h"
#include "parse/json_reader.h"
#include "services/audit/audit_log.h"
#include "services/audit/audit_settings.h"

namespace dendro {

/// Turns what a client sent into logs (five-systems.md 4.2): checks every field, ignores unknown ones, masks secrets.
/// `id`, `timestamp` and `tenant` of a log are the caller's to set. Not thread-safe.
class AuditDraftReader {
 public:
  explicit AuditDraftReader(const AuditTenantSettings& settings) : settings_(settings), json_(1) {}

  /// The log of one JSON object; nothing, and at least one fault more, if something is wrong with it.
  /// @param item  its index in a bulk, for the faults.
  std::optional<AuditLog> read(std::string_view json, std::optional<std::uint64_t> item, FieldFaults& faults);

 private:
  const AuditTenantSettings settings_;
  JsonReader json_;
};

/// The elements of a bulk's `logs`, each as JSON; nothing, and a fault, if the body is not `{"logs":[..]}`.
/// Errors: too_large (over kAuditBulkLogsMax).
Result<std::optional<std::vector<std::string>>> read_audit_bulk(std::string_view body, FieldFaults& faults);

}  // namespace dendro
