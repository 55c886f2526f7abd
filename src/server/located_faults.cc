#include "server/located_faults.h"

#include <algorithm>

#include "base/json_writer.h"

namespace dendro {
namespace {

bool is_index(const std::string& part) {
  return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
}

/// "settings.log_levels" of ["body", "settings", "log_levels"].
std::string field_text(const LocatedFault& fault) {
  std::string text;
  for (std::size_t i = 1; i < fault.location.size(); ++i) text += (i == 1 ? "" : ".") + fault.location[i];
  return text.empty() && !fault.location.empty() ? fault.location[0] : text;
}

}  // namespace

std::string located_faults_json(ErrorShape shape, const std::vector<LocatedFault>& faults) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  for (const LocatedFault& fault : faults) {
    json.begin_object();
    if (shape == ErrorShape::problem) {
      json.member("field", field_text(fault));
      json.member("message", fault.message);
    }
    json.key("loc");
    json.begin_array();
    for (const std::string& part : fault.location) {
      if (is_index(part)) {
        json.raw(part);
      } else {
        json.value(part);
      }
    }
    json.end_array();
    if (shape != ErrorShape::problem) json.member("msg", fault.message);
    json.member("type", fault.type);
    json.end_object();
  }
  json.end_array();
  return text;
}

}  // namespace dendro
