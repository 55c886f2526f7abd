#include "identity/role_document.h"

#include "base/json_writer.h"

namespace dendro {
namespace {

class RoleReader {
 public:
  explicit RoleReader(const JsonValue& document) : document_(document) {}

  Result<Role> run() {
    if (!document_.is_object()) return Error(ErrorCode::invalid_argument, "role: must be an object");
    if (const JsonValue* const name = document_.find("name")) role_.name = name->as_string().value_or("");
    for (const auto& [name, value] : document_.members()) DENDRO_TRY(take(name, value));
    return std::move(role_);
  }

 private:
  Error fault(std::string_view member, std::string_view what) const {
    return Error(ErrorCode::invalid_argument,
                 "role \"" + role_.name + "\": " + std::string(member) + ": " + std::string(what));
  }

  Status take(const std::string& name, const JsonValue& value) {
    if (name == "name" || name == "row_filter") {
      if (!value.is_string()) return fault(name, "must be a text");
      if (name == "row_filter") role_.row_filter = *value.as_string();
      return {};
    }
    if (name == "hidden_fields") return read_list(name, value, role_.hidden_fields);
    if (name == "masked_fields") return read_list(name, value, role_.masked_fields);
    return name == "permissions" ? read_permissions(value) : fault(name, "there is no such member");
  }

  Status read_list(std::string_view name, const JsonValue& value, std::vector<std::string>& out) const {
    if (!value.is_array()) return fault(name, "must be a list of texts");
    for (const JsonValue& element : value.elements()) {
      if (!element.is_string()) return fault(name, "must be a list of texts");
      out.emplace_back(*element.as_string());
    }
    return {};
  }

  Status read_permissions(const JsonValue& value) {
    std::vector<std::string> names;
    DENDRO_TRY(read_list("permissions", value, names));
    for (const std::string& name : names) {
      const auto permission = parse_permission(name);
      if (!permission) return fault("permissions", "there is no permission \"" + name + "\"");
      role_.permissions.add(*permission);
    }
    return {};
  }

  const JsonValue& document_;
  Role role_;
};

}  // namespace

Result<Role> parse_role(const JsonValue& document) {
  return RoleReader(document).run();
}

void append_role(std::string& out, const Role& role) {
  JsonWriter json(out);
  std::vector<std::string> permissions;
  for (const Permission one : role.permissions.list()) {
    if (one != Permission::open) permissions.emplace_back(permission_name(one));
  }
  json.begin_object();
  json.member("name", role.name);
  json.member("permissions", permissions);
  json.member("row_filter", role.row_filter);
  json.member("hidden_fields", role.hidden_fields);
  json.member("masked_fields", role.masked_fields);
  json.member("read_only", role.is_read_only);
  json.end_object();
}

}  // namespace dendro
