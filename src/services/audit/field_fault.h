#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"

namespace dendro {

/// What is wrong with one field of a request, as a 422 of S2 names it (five-systems.md 1.5).
struct FieldFault {
  std::string_view place = "body";    ///< body, query, header, path, filters
  std::optional<std::uint64_t> item;  ///< of a bulk: index among `logs`
  std::string field;                  ///< empty: the whole of the place
  std::string message;
  std::string_view type;  ///< "missing", "enum", ...; a literal
};
using FieldFaults = std::vector<FieldFault>;

// The faults that several places find, in the words that the other profiles use.
FieldFault missing_fault(std::string field);
/// `names`: "'A', 'B' or 'C'".
FieldFault enum_fault(std::string_view place, std::string field, std::string_view names);

/// `["body","logs",3,"action"]` as a value.
void append_fault_place(JsonWriter& json, const FieldFault& fault);
/// `[{"loc":[..],"msg":"..","type":".."}]` as a value.
void append_faults(JsonWriter& json, const FieldFaults& faults);

}  // namespace dendro
