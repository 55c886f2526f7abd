#include "services/audit/audit_draft.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "services/audit/compact_json.h"
#include "services/audit/limits.h"

namespace dendro {
namespace {

/// A JSON text that is one object, its members as nodes; otherwise a fault.
bool read_one_object(JsonReader& reader, std::string_view json, FieldFaults& faults) {
  const auto refuse = [&faults](std::string message, std::string_view type) {
    faults.push_back({"body", {}, {}, std::move(message), type});
    return false;
  };
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) return refuse("Field required", "missing");
  if (!is_valid_utf8(json)) return refuse("JSON must be UTF-8", "json_invalid");
  const JsonRead read = reader.read(json, 0);
  const bool is_json = read.kind == JsonRead::Kind::object || read.kind == JsonRead::Kind::other;
  if (!is_json || json.find_first_not_of(" \t\r\n", read.end) != std::string_view::npos) {
    const std::string what = is_json ? "text behind the value" : read.what;
    return refuse("JSON decode error at byte " + std::to_string(read.end) + ": " + what, "json_invalid");
  }
  return read.kind == JsonRead::Kind::object || refuse("Input should be an object", "dict_type");
}

std::size_t json_depth(std::string_view json) {
  std::size_t deepest = 0;
  JsonTokens tokens(json);
  while (tokens.next().kind != JsonToken::Kind::end) deepest = std::max(deepest, tokens.depth());
  return deepest;
}

/// The fields that a client may send, in the order in which their faults are told.
enum class DraftField : std::uint8_t {
  action,
  resource_type,
  resource_id,
  message,
  severity,
  session_id,
  user_id,
  ip_address,
  user_agent,
  request_id,
  before_state,
  after_state,
  metadata
};
constexpr std::array<std::string_view, 13> kDraftFields = {
    "action",     "resource_type", "resource_id", "message",      "severity",    "session_id", "user_id",
    "ip_address", "user_agent",    "request_id",  "before_state", "after_state", "metadata"};

/// One log out of the members of its object; of a name that stands twice the last one counts.
class DraftFields {
 public:
  DraftFields(const std::vector<JsonNode>& nodes, std::optional<std::uint64_t> item, FieldFaults& faults)
      : item_(item), faults_(faults) {
    for (const JsonNode& node : nodes) {
      const auto field = std::find(kDraftFields.begin(), kDraftFields.end(), node.key);
      if (field != kDraftFields.end()) values_[static_cast<std::size_t>(field - kDraftFields.begin())] = node.value;
    }
  }

  /// Nothing if there were faults.
  std::optional<AuditLog> read(const AuditTenantSettings& settings) {
    AuditLog log;
    read_action(log.action);
    read_required(DraftField::resource_type, log.resource_type);
    read_required(DraftField::resource_id, log.resource_id);
    read_required(DraftField::message, log.message);
    read_severity(settings, log.severity);
    read_text(DraftField::session_id, log.session_id);
    read_text(DraftField::user_id, log.user_id);
    read_text(DraftField::ip_address, log.ip_address);
    read_text(DraftField::user_agent, log.user_agent);
    read_text(DraftField::request_id, log.request_id);
    read_object(DraftField::before_state, log.before_state);
    read_object(DraftField::after_state, log.after_state);
    read_object(DraftField::metadata, log.metadata);
    if (has_faults_) return std::nullopt;
    return log;
  }

 private:
  /// Null where the member is not there.
  const Value* value_of(DraftField field) const {
    const std::optional<Value>& value = values_[static_cast<std::size_t>(field)];
    return value ? &*value : nullptr;
  }
  static std::string name_of(DraftField field) { return std::string(kDraftFields[static_cast<std::size_t>(field)]); }
  void add_fault(FieldFault fault) {
    fault.item = item_;
    faults_.push_back(std::move(fault));
    has_faults_ = true;
  }
  void add_fault(DraftField field, std::string message, std::string_view type) {
    add_fault({"body", {}, name_of(field), std::move(message), type});
  }

  void read_action(AuditAction& member) {
    const Value* const value = value_of(DraftField::action);
    if (value == nullptr) return add_fault(missing_fault(name_of(DraftField::action)));
    const auto action = value->type == ValueType::text ? parse_audit_action(value->text) : std::nullopt;
    if (!action) return add_fault(enum_fault("body", name_of(DraftField::action), kAuditActionNamesText));
    member = *action;
  }

  void read_severity(const AuditTenantSettings& settings, AuditSeverity& member) {
    const Value* const value = value_of(DraftField::severity);
    if (value != nullptr && !value->is_missing()) {
      const auto severity = value->type == ValueType::text ? parse_audit_severity(value->text) : std::nullopt;
      if (!severity) return add_fault(enum_fault("body", name_of(DraftField::severity), kAuditSeverityNamesText));
      member = *severity;
    }
    if (settings.takes_severity[static_cast<std::size_t>(member)]) return;
    add_fault(DraftField::severity,
              std::string(audit_severity_name(member)) + " is not among the log_levels of this tenant", "value_error");
  }

  void read_required(DraftField field, std::string& member) {
    std::optional<std::string> text;
    const Value* const value = value_of(field);
    if (value == nullptr) return add_fault(missing_fault(name_of(field)));
    if (value->is_missing()) return add_fault(field, "Input should be a valid string", "string_type");
    read_text(field, text);
    if (text) member = std::move(*text);
  }

  void read_text(DraftField field, std::optional<std::string>& member) {
    const Value* const value = value_of(field);
    if (value == nullptr || value->is_missing()) return;
    if (value->type == ValueType::text) {
      member = std::string(value->text);
    } else if (value->type == ValueType::bytes) {
      add_fault(field, "Input should be a valid string: it has half a surrogate pair", "string_unicode");
    } else {
      add_fault(field, "Input should be a valid string", "string_type");
    }
  }

  void read_object(DraftField field, std::optional<std::string>& member) {
    const Value* const value = value_of(field);
    if (value == nullptr || value->is_missing()) return;
    if (value->type == ValueType::empty_object) {
      member = "{}";
    } else if (value->type != ValueType::list || !value->text.starts_with('{')) {
      add_fault(field, "Input should be a valid dictionary", "dict_type");
    } else if (json_depth(value->text) > kAuditDepthMax) {
      add_fault(field, "Input should have at most " + std::to_string(kAuditDepthMax) + " levels", "too_deep");
    } else {
      member = masked_json(value->text);
    }
  }

  const std::optional<std::uint64_t> item_;
  FieldFaults& faults_;
  std::array<std::optional<Value>, kDraftFields.size()> values_;  // borrow the reader
  bool has_faults_ = false;
};

}  // namespace

std::optional<AuditLog> AuditDraftReader::read(std::string_view json, std::optional<std::uint64_t> item,
                                               FieldFaults& faults) {
  const std::size_t faults_before = faults.size();
  if (json.size() > kAuditLogBytesMax) {
    faults.push_back(
        {"body", item, {}, "Input should have at most " + std::to_string(kAuditLogBytesMax) + " bytes", "too_long"});
    return std::nullopt;
  }
  if (!read_one_object(json_, json, faults)) {
    for (std::size_t i = faults_before; i < faults.size(); ++i) faults[i].item = item;
    return std::nullopt;
  }
  return DraftFields(json_.nodes(), item, faults).read(settings_);
}

Result<std::optional<std::vector<std::string>>> read_audit_bulk(std::string_view body, FieldFaults& faults) {
  using Elements = std::optional<std::vector<std::string>>;
  JsonReader reader(1);
  if (!read_one_object(reader, body, faults)) return Elements();
  const Value* logs = nullptr;
  for (const JsonNode& node : reader.nodes()) {
    if (node.key == "logs") logs = &node.value;
  }
  if (logs == nullptr) {
    faults.push_back(missing_fault("logs"));
    return Elements();
  }
  if (logs->type != ValueType::list || !logs->text.starts_with('[')) {
    faults.push_back({"body", {}, "logs", "Input should be a valid list", "list_type"});
    return Elements();
  }
  std::vector<std::string> elements;
  JsonTokens tokens(logs->text);
  tokens.next();  // the bracket
  for (std::string_view element = tokens.take_value(); !element.empty(); element = tokens.take_value()) {
    if (elements.size() == kAuditBulkLogsMax) {
      return Error(ErrorCode::too_large, "at most " + std::to_string(kAuditBulkLogsMax) + " logs a request");
    }
    elements.emplace_back(element);
  }
  if (!elements.empty()) return Elements(std::move(elements));
  faults.push_back({"body", {}, "logs", "List should have at least 1 item", "too_short"});
  return Elements();
}

}  // namespace dendro
