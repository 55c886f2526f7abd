#include "server/field_faults_json.h"

namespace dendro {

std::string field_faults_json(ErrorShape shape, const FieldFaults& faults) {
  std::string text;
  JsonWriter json(text);
  if (shape == ErrorShape::problem) {
    append_problem_faults(json, faults);
  } else {
    append_faults(json, faults);
  }
  return text;
}

}  // namespace dendro
