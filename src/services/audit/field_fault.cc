#include "services/audit/field_fault.h"

#include <utility>

namespace dendro {

FieldFault missing_fault(std::string field) {
  return {"body", {}, std::move(field), "Field required", "missing"};
}

FieldFault enum_fault(std::string_view place, std::string field, std::string_view names) {
  return {place, {}, std::move(field), "Input should be " + std::string(names), "enum"};
}

void append_fault_place(JsonWriter& json, const FieldFault& fault) {
  json.begin_array();
  json.value(fault.place);
  if (fault.item) {
    json.value("logs");
    json.value(*fault.item);
  }
  if (!fault.field.empty()) json.value(fault.field);
  json.end_array();
}

void append_faults(JsonWriter& json, const FieldFaults& faults) {
  json.begin_array();
  for (const FieldFault& fault : faults) {
    json.begin_object();
    json.key("loc");
    append_fault_place(json, fault);
    json.member("msg", fault.message);
    json.member("type", fault.type);
    json.end_object();
  }
  json.end_array();
}

}  // namespace dendro
