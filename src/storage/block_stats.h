#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace dendro {

/// What one column of one row group takes on disk.
struct BlockStats {
  SegmentId segment;
  std::uint32_t row_group = 0;
  Timestamp first, last;      ///< of the row group's records, both inclusive
  std::uint64_t records = 0;  ///< of the row group
  std::string field;          ///< path; `(times)`, `(words)` and the like for what every row group has
  std::string_view type;      ///< of the values; empty where there are none
  std::string_view layout;    ///< how they are stored
  std::uint64_t values = 0;
  std::uint64_t plain_bytes = 0;   ///< encoded
  std::uint64_t stored_bytes = 0;  ///< compressed: its share of the blocks it stands in
};

/// Row group after row group. Not thread-safe.
class BlockStatsSource {
 public:
  virtual ~BlockStatsSource() = default;
  /// The columns of the next row group; nothing at the end. corruption: that part is left out, further calls go on with
  /// the rest. cancelled: final.
  virtual Result<std::optional<std::vector<BlockStats>>> next() = 0;
};

}  // namespace dendro
