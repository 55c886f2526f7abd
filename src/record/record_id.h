#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/timestamp.h"

namespace dendro {

/// Place of a record in the total order of answers: by time, then by order of acknowledgement. `_id` and query cursors
/// are this.
struct RecordPosition {
  Timestamp timestamp;
  SequenceNumber sequence;
  friend auto operator<=>(const RecordPosition&, const RecordPosition&) = default;
};

/// 26 characters of 0-9a-v that sort, byte by byte, as the positions do. Opaque to clients.
std::string to_record_id(RecordPosition position);
void append_record_id(std::string& out, RecordPosition position);
/// Nothing unless `text` is such an id.
std::optional<RecordPosition> parse_record_id(std::string_view text);

}  // namespace dendro
