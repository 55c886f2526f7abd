#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "storage/segment/row_group_reader.h"

namespace dendro {

/// How often each value of a column stands in a row group.
struct CodeCounts {
  std::vector<std::uint32_t> rows;     ///< the first record of each, ascending
  std::vector<std::uint32_t> weights;  ///< in that order: how many records have it
};

/// Records without a value count as one more value.
/// @param codes       of each value, below `code_count`; no record has two
/// @param rows        which records the values belong to
CodeCounts count_codes(std::span<const std::uint16_t> codes, std::uint32_t code_count, const RowMap& rows,
                       std::uint32_t record_count);

}  // namespace dendro
