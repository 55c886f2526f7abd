#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"

namespace dendro {

/// What is wrong with one field of a request (five-systems.md 1.5).
struct FieldFault {
  std::string_view place = "body";    ///< body, query, header, path, filters
  std::optional<std::uint64_t> item;  ///< of a bulk: index among `logs`
  std::string field;                  ///< "action", "settings.retention_days"; empty: the whole of the place
  std::string message;
  std::string_view type;  ///< "missing", "enum", ...; a literal
};
using FieldFaults = std::vector<FieldFault>;

// The faults that several places find, in the words that the other profiles use.
FieldFault missing_fault(std::string field);
/// `names`: "'A', 'B' or 'C'".
FieldFault enum_fault(std::string_view place, std::string field, std::string_view names);

/// "logs.3.action"; "" of the whole place.
std::string fault_path(const FieldFault& fault);
/// `[{"loc":["body","settings","retention_days"],"msg":"..","type":".."}]` as a value.
void append_faults(JsonWriter& json, const FieldFaults& faults);
/// `[{"field":"settings.retention_days","message":"..","loc":[..],"type":".."}]` as a value: for problem details.
void append_problem_faults(JsonWriter& json, const FieldFaults& faults);

}  // namespace dendro
