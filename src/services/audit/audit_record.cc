#include "services/audit/audit_record.h"

#include <optional>
#include <set>
#include <string>

#include "filter/field_name.h"
#include "parse/json_reader.h"
#include "record/limits.h"
#include "record/record_batch_builder.h"
#include "services/audit/compact_json.h"

namespace dendro {
namespace {

constexpr std::string_view kMetadataPath = "metadata";
constexpr std::string_view kMetadataUserPath = "metadata.user_id";
/// Values of the metadata that no leaf of the record shows by itself.
constexpr std::string_view kMetadataTextPath = "metadata_text";
/// Leaves of the three objects together, so that the log's own fields always have room.
constexpr std::size_t kObjectLeavesMax = (kMaxRecordFields - 64) / 3;

void add_attribute(RecordBatchBuilder& builder, std::string_view name, const Value& value) {
  builder.add_leaf(LeafRole::attribute, name, name, value);
}
void add_text(RecordBatchBuilder& builder, std::string_view name, const std::optional<std::string>& text) {
  if (text) add_attribute(builder, name, Value::of_text(*text));
}

/// One of the three objects on its way into a record.
class ObjectLeaves {
 public:
  ObjectLeaves(std::string_view name, const std::string& json)
      : name_(name), json_(json), reader_(kMaxRecordDepth - 1) {
    reader_.read(json, 0);
    is_flat_ = look();
  }

  void add_to(RecordBatchBuilder& builder) const {
    if (reader_.nodes().empty()) return add_attribute(builder, name_, Value::of_empty_object());
    if (!is_flat_) {
      add_attribute(builder, name_, Value::of_list(json_));
    } else {
      builder.open_object(name_);
      std::size_t leaf = 0;
      for (const JsonNode& node : reader_.nodes()) {
        if (node.kind == JsonNode::Kind::open) builder.open_object(node.key);
        if (node.kind == JsonNode::Kind::close) builder.close_object();
        if (node.kind == JsonNode::Kind::leaf) {
          builder.add_leaf(LeafRole::attribute, paths_[leaf++], node.key, node.value);
        }
      }
      builder.close_object();
    }
    if (name_ == kMetadataPath) add_search_text(builder);
  }

 private:
  /// False: the object cannot be flat.
  bool look() {
    std::set<std::string_view> known;
    std::string path(name_);
    std::vector<std::size_t> outer;
    for (const JsonNode& node : reader_.nodes()) {
      if (node.kind == JsonNode::Kind::close) {
        path.resize(outer.back());
        outer.pop_back();
        continue;
      }
      const std::size_t before = path.size();
      path.append(".").append(node.key);
      if (path.size() > kMaxFieldNameBytes) return false;
      if (node.kind == JsonNode::Kind::open) {
        outer.push_back(before);
        continue;
      }
      paths_.push_back(path);
      path.resize(before);
      if (paths_.size() > kObjectLeavesMax) return false;
    }
    for (const std::string& leaf : paths_) {
      if (!known.insert(leaf).second) return false;
    }
    return true;
  }

  /// Elements of lists that are containers themselves are no values to the engine's filters.
  void add_search_text(RecordBatchBuilder& builder) const {
    std::string hidden;
    const auto add_scalars = [&hidden](std::string_view json) {
      for_each_json_scalar(json, [&hidden](std::string_view text) {
        hidden.append(text).push_back('\n');
        return true;
      });
    };
    if (!is_flat_) {
      add_scalars(json_);
      for_each_member_scalar(json_, "user_id", [&builder](std::string_view user) {
        add_attribute(builder, kMetadataUserPath, Value::of_text(user));
        return false;
      });
    } else {
      for (const JsonNode& node : reader_.nodes()) {
        if (node.kind != JsonNode::Kind::leaf || node.value.type != ValueType::list) continue;
        const std::string_view json = node.value.text;
        if (json.starts_with('{') || json.find_first_of("[{", 1) != std::string_view::npos) add_scalars(json);
      }
    }
    if (!hidden.empty()) add_attribute(builder, kMetadataTextPath, Value::of_text(hidden));
  }

  const std::string_view name_;
  const std::string& json_;
  JsonReader reader_;
  std::vector<std::string> paths_;  // of the leaves, in their order
  bool is_flat_ = false;
};

void add_object(RecordBatchBuilder& builder, std::string_view name, const std::optional<std::string>& json) {
  if (json) ObjectLeaves(name, *json).add_to(builder);
}

/// Enough for what the builder makes of the log.
std::size_t encoded_bytes_max(const AuditLog& log) {
  constexpr std::size_t kNamesBytes = 2 * 3 * kObjectLeavesMax * kMaxFieldNameBytes;
  std::size_t bytes = kNamesBytes + log.message.size() + log.resource_type.size() + log.resource_id.size();
  for (const auto* text : {&log.session_id, &log.user_id, &log.ip_address, &log.user_agent, &log.request_id}) {
    bytes += text->has_value() ? (*text)->size() : 0;
  }
  // Values and names, `metadata_text`, and a few bytes a leaf.
  for (const auto* object : {&log.before_state, &log.after_state, &log.metadata}) {
    bytes += object->has_value() ? 3 * (*object)->size() : 0;
  }
  return bytes;
}

/// Puts a record's leaves back into a log.
class AuditRecordReader {
 public:
  explicit AuditRecordReader(const RecordView& record) : record_(record) {}

  AuditLog read() {
    log_.timestamp = record_.timestamp();
    log_.severity = audit_severity_of(record_.severity()).value_or(AuditSeverity::info);
    const Shape& shape = record_.shape();
    const char* at = record_.value_bytes().data();
    for (const ShapeOp& op : shape.ops) {
      if (op.kind == ShapeOp::Kind::open) {
        open(op.key);
      } else if (op.kind == ShapeOp::Kind::close) {
        json_->end_object();
        if (--depth_ == 0 && object_ != nullptr) *object_ = object_json_;
      } else {
        const Leaf& leaf = shape.leaves[op.leaf_index];
        if (!leaf.is_stored()) continue;
        take(leaf, batch_encoding::read_value(leaf.type, at, record_.timestamp()));
      }
    }
    return std::move(log_);
  }

 private:
  void open(std::string_view key) {
    if (depth_++ == 0) {
      object_ = object_of(key);
      object_json_.clear();
      json_.emplace(object_json_);
    } else {
      json_->key(key);
    }
    json_->begin_object();
  }

  void take(const Leaf& leaf, const Value& value) {
    if (depth_ > 0) {
      json_->key(leaf.key);
      scratch_.clear();
      append_value_json(scratch_, value);
      json_->raw(scratch_);
    } else if (leaf.role == LeafRole::body) {
      log_.message = value.text;
    } else if (leaf.role == LeafRole::attribute) {
      take_attribute(leaf.path, value);
    }
  }

  void take_attribute(std::string_view path, const Value& value) {
    if (path == "action") {
      log_.action = parse_audit_action(value.text).value_or(AuditAction::create);
    } else if (std::string* text = required_of(path)) {
      *text = value.text;
    } else if (std::optional<std::string>* optional_text = text_of(path)) {
      *optional_text = std::string(value.text);
    } else if (std::optional<std::string>* object = object_of(path)) {
      object->emplace();
      append_value_json(**object, value);
    }
  }

  std::string* required_of(std::string_view path) {
    if (path == "id") return &log_.id;
    if (path == "resource_type") return &log_.resource_type;
    return path == "resource_id" ? &log_.resource_id : nullptr;
  }
  std::optional<std::string>* text_of(std::string_view path) {
    if (path == "session_id") return &log_.session_id;
    if (path == "user_id") return &log_.user_id;
    if (path == "ip_address") return &log_.ip_address;
    if (path == "user_agent") return &log_.user_agent;
    return path == "request_id" ? &log_.request_id : nullptr;
  }
  std::optional<std::string>* object_of(std::string_view path) {
    if (path == "before_state") return &log_.before_state;
    if (path == "after_state") return &log_.after_state;
    return path == kMetadataPath ? &log_.metadata : nullptr;
  }

  const RecordView& record_;
  AuditLog log_;
  std::string object_json_, scratch_;
  std::optional<JsonWriter> json_;  // of the object that is open
  int depth_ = 0;
  std::optional<std::string>* object_ = nullptr;  // that is open
};

}  // namespace

void add_audit_record(BatchFiller& filler, const AuditLog& log) {
  RecordBatchBuilder& builder = filler.builder_for(encoded_bytes_max(log));
  builder.begin_record();
  builder.set_timestamp(log.timestamp);
  builder.set_severity(audit_severity_number(log.severity));
  add_attribute(builder, "id", Value::of_text(log.id));
  add_attribute(builder, "action", Value::of_text(audit_action_name(log.action)));
  add_attribute(builder, "resource_type", Value::of_text(log.resource_type));
  add_attribute(builder, "resource_id", Value::of_text(log.resource_id));
  builder.add_leaf(LeafRole::severity, "severity", "severity", Value::of_text(audit_severity_name(log.severity)));
  builder.add_leaf(LeafRole::body, "body", "message", Value::of_text(log.message));
  add_text(builder, "session_id", log.session_id);
  add_text(builder, "user_id", log.user_id);
  add_text(builder, "ip_address", log.ip_address);
  add_text(builder, "user_agent", log.user_agent);
  add_text(builder, "request_id", log.request_id);
  add_object(builder, "before_state", log.before_state);
  add_object(builder, "after_state", log.after_state);
  add_object(builder, kMetadataPath, log.metadata);
  builder.add_label(kSourceLabel, Value::of_text(kAuditSource));
  builder.end_record();
}

AuditLog read_audit_record(const RecordView& record) {
  return AuditRecordReader(record).read();
}

}  // namespace dendro
