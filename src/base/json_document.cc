#include "base/json_document.h"

#include "base/json_writer.h"

#include <simdjson.h>

#include <cmath>

namespace dendro {

/// Copies simdjson's tree into ours; recursion is bounded by the parser's depth limit.
class JsonTreeBuilder {
 public:
  static JsonValue build(simdjson::dom::element element) {
    JsonValue value;
    switch (element.type()) {
      case simdjson::dom::element_type::NULL_VALUE:
        break;
      case simdjson::dom::element_type::BOOL:
        value.kind_ = JsonValue::Kind::boolean;
        value.boolean_ = element.get_bool().value_unsafe();
        break;
      case simdjson::dom::element_type::INT64:
        value.kind_ = JsonValue::Kind::number;
        value.is_integer_ = true;
        value.integer_ = element.get_int64().value_unsafe();
        value.number_ = static_cast<double>(value.integer_);
        break;
      case simdjson::dom::element_type::UINT64:
        value.kind_ = JsonValue::Kind::number;
        value.number_ = static_cast<double>(element.get_uint64().value_unsafe());
        break;
      case simdjson::dom::element_type::DOUBLE:
        value.kind_ = JsonValue::Kind::number;
        value.number_ = element.get_double().value_unsafe();
        set_integer_if_whole(value);
        break;
      case simdjson::dom::element_type::STRING:
        value.kind_ = JsonValue::Kind::string;
        value.string_ = std::string(element.get_string().value_unsafe());
        break;
      case simdjson::dom::element_type::ARRAY:
        value.kind_ = JsonValue::Kind::array;
        for (const simdjson::dom::element child : element.get_array().value_unsafe()) {
          value.elements_.push_back(build(child));
        }
        break;
      case simdjson::dom::element_type::OBJECT:
        value.kind_ = JsonValue::Kind::object;
        for (const simdjson::dom::key_value_pair member : element.get_object().value_unsafe()) {
          value.members_.emplace_back(std::string(member.key), build(member.value));
        }
        break;
    }
    return value;
  }

 private:
  static void set_integer_if_whole(JsonValue& value) {
    constexpr double kExactLimit = 9007199254740992.0;  // 2^53
    if (std::abs(value.number_) > kExactLimit || std::trunc(value.number_) != value.number_) return;
    value.is_integer_ = true;
    value.integer_ = static_cast<std::int64_t>(value.number_);
  }
};

std::optional<bool> JsonValue::as_bool() const {
  return kind_ == Kind::boolean ? std::optional<bool>(boolean_) : std::nullopt;
}
std::optional<std::int64_t> JsonValue::as_int() const {
  return kind_ == Kind::number && is_integer_ ? std::optional<std::int64_t>(integer_) : std::nullopt;
}
std::optional<double> JsonValue::as_double() const {
  return kind_ == Kind::number ? std::optional<double>(number_) : std::nullopt;
}
std::optional<std::string_view> JsonValue::as_string() const {
  return kind_ == Kind::string ? std::optional<std::string_view>(string_) : std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view key) const {
  for (std::size_t i = members_.size(); i-- > 0;) {
    if (members_[i].first == key) return &members_[i].second;
  }
  return nullptr;
}

std::string_view JsonValue::kind_text() const {
  switch (kind_) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "a boolean";
    case Kind::number:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::array:
      return "an array";
    case Kind::object:
      return "an object";
  }
  return "";
}

Result<JsonValue> parse_json_document(std::string_view text) {
  if (text.size() > kMaxJsonDocumentBytes) {
    return Error(ErrorCode::too_large, "JSON document: " + std::to_string(text.size()) + " bytes; at most " +
                                           std::to_string(kMaxJsonDocumentBytes) + " are taken");
  }
  simdjson::dom::parser parser;
  if (const auto fault = parser.allocate(text.size() + 1, static_cast<std::size_t>(kMaxJsonDocumentDepth)); fault) {
    return Error(ErrorCode::internal, "JSON document: out of memory");
  }
  simdjson::dom::element root;
  if (const auto fault = parser.parse(text.data(), text.size()).get(root); fault) {
    return Error(ErrorCode::invalid_argument, std::string("not valid JSON: ") + simdjson::error_message(fault));
  }
  return JsonTreeBuilder::build(root);
}

void append_json(std::string& out, const JsonValue& value) {
  const auto append_all = [&out](const auto& parts, char open, char close, const auto& append_one) {
    out.push_back(open);
    bool is_first = true;
    for (const auto& part : parts) {
      if (!is_first) out.push_back(',');
      is_first = false;
      append_one(part);
    }
    out.push_back(close);
  };
  switch (value.kind()) {
    case JsonValue::Kind::null:
      out.append("null");
      return;
    case JsonValue::Kind::boolean:
      out.append(*value.as_bool() ? "true" : "false");
      return;
    case JsonValue::Kind::number:
      if (const auto integer = value.as_int()) {
        append_json_int(out, *integer);
      } else {
        append_json_double(out, *value.as_double());
      }
      return;
    case JsonValue::Kind::string:
      append_json_string(out, *value.as_string());
      return;
    case JsonValue::Kind::array:
      return append_all(value.elements(), '[', ']', [&out](const JsonValue& element) { append_json(out, element); });
    case JsonValue::Kind::object:
      return append_all(value.members(), '{', '}', [&out](const auto& member) {
        append_json_string(out, member.first);
        out.push_back(':');
        append_json(out, member.second);
      });
  }
}

}  // namespace dendro
