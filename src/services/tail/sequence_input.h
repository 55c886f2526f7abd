#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "query/plan/query_input.h"
#include "storage/snapshot.h"

namespace dendro {

/// A tail's cursor: everything up to and with this sequence number has been looked at. Opaque to clients.
std::string to_tail_cursor(SequenceNumber sequence);
/// Nothing unless `text` is such a cursor.
std::optional<SequenceNumber> parse_tail_cursor(std::string_view text);

/// What lies behind `from` up to and with `to`: the records that a gap stands for.
SequenceRange range_of_gap(SequenceNumber from, SequenceNumber to);

/// The records of a snapshot whose sequence numbers lie in the range.
std::shared_ptr<QueryInput> make_sequence_input(std::shared_ptr<const Snapshot> snapshot, SequenceRange range);

}  // namespace dendro
