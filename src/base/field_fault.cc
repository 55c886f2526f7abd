#include "base/field_fault.h"

#include <algorithm>
#include <utility>

namespace dendro {
namespace {

void append_place(JsonWriter& json, const FieldFault& fault) {
  json.begin_array();
  json.value(fault.place);
  if (fault.item) {
    json.value("logs");
    json.value(*fault.item);
  }
  for (std::string_view rest = fault.field; !rest.empty();) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    json.value(rest.substr(0, dot));
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  json.end_array();
}

}  // namespace

FieldFault missing_fault(std::string field) {
  return {"body", {}, std::move(field), "Field required", "missing"};
}

FieldFault enum_fault(std::string_view place, std::string field, std::string_view names) {
  return {place, {}, std::move(field), "Input should be " + std::string(names), "enum"};
}

std::string fault_path(const FieldFault& fault) {
  std::string path = fault.item ? "logs." + std::to_string(*fault.item) : std::string();
  if (!path.empty() && !fault.field.empty()) path += ".";
  return path + fault.field;
}

void append_faults(JsonWriter& json, const FieldFaults& faults) {
  json.begin_array();
  for (const FieldFault& fault : faults) {
    json.begin_object();
    json.key("loc");
    append_place(json, fault);
    json.member("msg", fault.message);
    json.member("type", fault.type);
    json.end_object();
  }
  json.end_array();
}

void append_problem_faults(JsonWriter& json, const FieldFaults& faults) {
  json.begin_array();
  for (const FieldFault& fault : faults) {
    json.begin_object();
    json.member("field", fault_path(fault));
    json.member("message", fault.message);
    json.key("loc");
    append_place(json, fault);
    json.member("type", fault.type);
    json.end_object();
  }
  json.end_array();
}

}  // namespace dendro
