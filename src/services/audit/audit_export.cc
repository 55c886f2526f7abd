#include "services/audit/audit_export.h"

#include <array>

namespace dendro {
namespace {

constexpr std::array<std::string_view, 3> kExportNames = {"json", "ndjson", "csv"};
constexpr std::array<std::string_view, 3> kExportTypes = {"application/json", "application/x-ndjson",
                                                          "text/csv; charset=utf-8"};

void append_audit_cell(std::string& out, std::string_view text) {
  const bool is_formula = !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
  const bool is_quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (is_quoted) out.push_back('"');
  if (is_formula) out.push_back('\'');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  if (is_quoted) out.push_back('"');
}

/// In the order of kAuditLogFields.
void append_audit_row(std::string& out, const AuditLog& log) {
  const auto add = [&out](std::string_view text) {
    out.push_back(',');
    append_audit_cell(out, text);
  };
  append_audit_cell(out, log.id);
  add(audit_time_text(log.timestamp));
  add(log.tenant.text());
  add(audit_action_name(log.action));
  add(log.resource_type);
  add(log.resource_id);
  add(audit_severity_name(log.severity));
  add(log.message);
  for (const auto* text : {&log.session_id, &log.user_id, &log.ip_address, &log.user_agent, &log.request_id,
                           &log.before_state, &log.after_state, &log.metadata}) {
    add(*text ? std::string_view(**text) : std::string_view());
  }
  out += "\r\n";
}

}  // namespace

std::optional<AuditExportFormat> parse_audit_export_format(std::string_view name) {
  for (std::size_t i = 0; i < kExportNames.size(); ++i) {
    if (kExportNames[i] == name) return static_cast<AuditExportFormat>(i);
  }
  return std::nullopt;
}
std::string_view audit_export_name(AuditExportFormat format) {
  return kExportNames[static_cast<std::size_t>(format)];
}
std::string_view audit_export_content_type(AuditExportFormat format) {
  return kExportTypes[static_cast<std::size_t>(format)];
}

void AuditExportWriter::begin(std::string& out) {
  if (format_ == AuditExportFormat::json) out.push_back('[');
  if (format_ != AuditExportFormat::csv) return;
  for (const std::string_view name : kAuditLogFields) {
    if (name != kAuditLogFields.front()) out.push_back(',');
    out += name;
  }
  out += "\r\n";
}

void AuditExportWriter::append(std::string& out, const AuditLog& log) {
  if (format_ == AuditExportFormat::csv) return append_audit_row(out, log);
  if (format_ == AuditExportFormat::json && has_rows_) out.push_back(',');
  append_audit_log_json(out, log);
  if (format_ == AuditExportFormat::ndjson) out.push_back('\n');
  has_rows_ = true;
}

void AuditExportWriter::end(std::string& out) {
  if (format_ == AuditExportFormat::json) out.push_back(']');
}

}  // namespace dendro
