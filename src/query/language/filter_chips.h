#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "query/language/query_ast.h"

namespace dendro {

/// One condition of a query's first filter, as a page shows it in a box of its own (ui.md 11.2). Conditions are what
/// `and` joins on top, but for ranges of time; a filter that is an `or` has none.
struct FilterChip {
  std::string field;  ///< "" of free text, label filters and groups
  std::string op;     ///< = != > >= < <= ~ !~ : (text in it), !: (text not in it); "" of what has no short form
  std::string value;  ///< the canonical text where there is no short form
  std::size_t first = 0, last = 0;  ///< bytes of the query's text, half-open
};

/// `query`: parsed from a text; the places in it are those of the chips.
std::vector<FilterChip> filter_chips(const ParsedQuery& query);

/// The chips as a JSON array.
void write_chips(JsonWriter& json, const std::vector<FilterChip>& chips);

struct FilterEdit {
  enum class Action : std::uint8_t { add, remove };
  Action action = Action::add;
  std::string field;  ///< "": free text
  std::string op;     ///< "=", "!=", or, to add, "only": instead of whatever the filter asks of the field
  std::string value;
};

/// The text with one condition more or less; all else of it stays as it was written, and quoting is done here. To add
/// what is there already, or remove what is not, changes nothing. Errors: invalid_argument (an op that there is not, a
/// field that a condition cannot name).
/// @param query  what `text` parsed to
Result<std::string> edit_filter(std::string_view text, const ParsedQuery& query, const FilterEdit& edit);

}  // namespace dendro
