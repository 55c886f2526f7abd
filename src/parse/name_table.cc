#include "parse/name_table.h"

#include <algorithm>
#include <utility>

namespace dendro {
namespace {

SeverityForm severity_form_of(std::string_view name) {
  if (name == "severity_number") return SeverityForm::number;
  if (name == "status") return SeverityForm::word_only;
  if (name == "PRIORITY") return SeverityForm::syslog;
  return SeverityForm::word;
}

bool begins_with_part(std::string_view path, std::string_view name) {
  return path.starts_with(name) && (path.size() == name.size() || path[name.size()] == '.');
}

}  // namespace

NameTable::NameTable(const MappingOptions& options) {
  add(RecordPart::timestamp, options.time_fields,
      {"_time", "@timestamp", "timestamp", "time", "ts", "eventTime", "date"});
  add(RecordPart::body, options.body_fields,
      {"body", "message", "msg", "_msg", "log", "short_message", "event.original", "text", "line"});
  add(RecordPart::severity, options.severity_fields,
      {"severity_number", "severity", "severity_text", "level", "log.level", "lvl", "loglevel", "levelname", "status",
       "PRIORITY"});
  add(RecordPart::trace_id, {}, {"trace_id", "traceId", "trace.id", "dd.trace_id"});
  add(RecordPart::span_id, {}, {"span_id", "spanId", "span.id"});
  resource_names_ = options.stream_fields.value_or(std::vector<std::string>{
      "service", "host", "cloud", "container", "k8s", "kubernetes", "deployment", "agent", "os", "faas"});
}

void NameTable::add(RecordPart part, const std::vector<std::string>& own_names, std::vector<std::string_view> table) {
  std::uint16_t rank = 0;
  const auto add_claim = [&](std::string_view name, NameClaim claim) {
    claim.part = part;
    claim.rank = rank++;
    claims_[std::string(name)].push_back(claim);
    longest_name_ = std::max(longest_name_, name.size());
  };
  for (const std::string& name : own_names) add_claim(name, {});
  for (const std::string_view name : table) {
    if (std::find(own_names.begin(), own_names.end(), name) != own_names.end()) continue;
    NameClaim claim;
    if (part == RecordPart::severity) claim.form = severity_form_of(name);
    // ECS keeps log.level and log.file.path under an object `log`: it is no body.
    claim.leaf_only = name == "log";
    add_claim(name, claim);
  }
}

const std::vector<NameClaim>* NameTable::find(std::string_view path) const {
  if (path.size() > longest_name_) return nullptr;
  const auto row = claims_.find(path);
  return row == claims_.end() ? nullptr : &row->second;
}

bool NameTable::is_resource(std::string_view path) const {
  if (begins_with_part(path, "dendro")) return false;
  return std::any_of(resource_names_.begin(), resource_names_.end(),
                     [path](const std::string& name) { return begins_with_part(path, name); });
}

}  // namespace dendro
