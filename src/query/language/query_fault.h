#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace dendro {

/// Why a query was refused, and where (query-language.md 10). The same failure as an Error, with what a caret needs.
struct QueryFault {
  /// invalid_argument (`query_syntax`), unimplemented (known to the language, not built yet), too_large.
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;     ///< without the place: `"=" needs ":" before it`
  std::size_t offset = 0;  ///< bytes from 0
  std::size_t size = 0;    ///< bytes; 0 at the end of the query
  std::size_t line = 1;    ///< from 1
  std::size_t column = 1;  ///< characters from 1, in its line
  std::vector<std::string> expected;
  std::string suggestion;  ///< a whole corrected query, or empty

  /// "line 1, column 7: ..."
  std::string detail() const;
  Error to_error() const { return Error(code, detail()); }
  /// `{"offset":6,"size":1,"column":7,"line":1,"expected":[],"suggestion":"status:=500"}`: the `query` member of a
  /// problem.
  std::string to_json() const;
};

/// A fault of the part of `query` from `offset` on: line and column counted.
QueryFault fault_at(std::string_view query, std::size_t offset, std::size_t size, std::string message);
/// Line of the fault, a caret below it, and the suggestion: for a terminal. Ends with a line feed.
std::string fault_text(const QueryFault& fault, std::string_view query);

}  // namespace dendro
