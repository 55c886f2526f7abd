#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/record_block.h"
#include "record/record_id.h"

namespace dendro {

/// Where the next page begins: right behind `position`, in the range and at the `now` of the first page.
struct QueryCursor {
  std::uint64_t query_hash = 0;  ///< of what the page was asked by; another query refuses it
  Timestamp now;
  TimeRange range;
  RecordPosition position;
  std::vector<std::uint64_t> counts;  ///< rows that went into each `limit` and `offset` pipe so far
  friend bool operator==(const QueryCursor&, const QueryCursor&) = default;
};

/// Opaque text of A-Z a-z 0-9 - _.
std::string to_cursor_text(const QueryCursor& cursor);
/// Nothing unless it is such a text, undamaged.
std::optional<QueryCursor> parse_cursor_text(std::string_view text);

}  // namespace dendro
