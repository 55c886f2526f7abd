#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/plan/query_context.h"

namespace dendro {

// Rows of groups that memory has no room for.
//
// P1 A pass is the input, or one partition. Rows put aside during a pass go to one of kPartitions by the hash of their
//    group; the seed is that of the pass's depth. Partitions of one pass share a file.
// P2 start_next() takes the partition that was made last, so that at most kDepthMax files are open; its rows come back
//    in the order in which they were put.
// P3 At the depth kDepthMax nothing is put aside any more.

/// See above. Not thread-safe.
class GroupSpill {
 public:
  explicit GroupSpill(QueryContext& context) : context_(context) {}

  /// False at the last depth.
  bool may_put() const { return depth_ < kDepthMax; }
  /// Errors: those of files; resource_exhausted where they have no room.
  Status put(std::string_view group, std::string_view row);
  /// Rows wait.
  bool has_more() const { return file_ != nullptr || !waiting_.empty(); }
  /// Ends the pass; the next partition becomes the one that next_row() reads. False if there is none.
  Result<bool> start_next();
  /// False at the end of the partition. `row` is good until the next call.
  Result<bool> next_row(std::string_view& row);

 private:
  static constexpr std::size_t kPartitions = 16;
  static constexpr std::size_t kDepthMax = 6;
  static constexpr std::size_t kAsideBlockBytes = std::size_t{64} << 10;
  struct Partition {
    std::shared_ptr<SpillFile> file;
    std::vector<SpillBlock> blocks;
    std::size_t depth = 0;
  };
  Status flush(std::size_t partition);

  QueryContext& context_;
  std::size_t depth_ = 0;  ///< of the pass
  // Being written.
  std::shared_ptr<SpillFile> file_;
  std::array<std::string, kPartitions> rows_;
  std::array<std::vector<SpillBlock>, kPartitions> blocks_;
  std::vector<Partition> waiting_;
  // Being read.
  Partition read_;
  std::size_t next_block_ = 0;
  std::string plain_;
  std::string_view rest_;
};

}  // namespace dendro
