#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/audit/audit_log.h"

namespace dendro {

enum class AuditExportFormat : std::uint8_t { json, ndjson, csv };
std::optional<AuditExportFormat> parse_audit_export_format(std::string_view name);
std::string_view audit_export_name(AuditExportFormat format);
std::string_view audit_export_content_type(AuditExportFormat format);

/// Writes logs as a file (five-systems.md 4.3): one JSON array; a JSON object a line; CSV (RFC 4180) with fixed
/// columns, objects as JSON, and an apostrophe before what a spreadsheet would take for a formula. Not thread-safe.
class AuditExportWriter {
 public:
  explicit AuditExportWriter(AuditExportFormat format) : format_(format) {}
  void begin(std::string& out);
  void append(std::string& out, const AuditLog& log);
  void end(std::string& out);

 private:
  const AuditExportFormat format_;
  bool has_rows_ = false;
};

}  // namespace dendro
