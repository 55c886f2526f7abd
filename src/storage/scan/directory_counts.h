#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/timestamp.h"
#include "record/record_block.h"
#include "record/severity.h"
#include "storage/segment/segment_dictionary.h"

namespace dendro {

/// Counts that the directory of one segment knows of its records, by step of time and by stream or severity. Rising
/// times cost least; whatever their order, every count is kept. Not thread-safe.
class DirectoryCounts {
 public:
  /// @param time_step_ns  what Reduction::time_step_ns says.
  /// @param dictionary    of the segment; outlives this.
  DirectoryCounts(std::int64_t time_step_ns, const SegmentDictionary& dictionary);

  /// @param stream  of these records, numbered as in the dictionary; nothing: it does not matter.
  void add_stream(Timestamp time, std::optional<std::uint32_t> stream, std::uint32_t count);
  void add_severity(Timestamp time, SeverityNumber severity, std::uint32_t count);
  /// Records that stand for all that was counted (RecordBlock::weights), as many blocks as it takes.
  std::vector<RecordBlock> finish();

 private:
  struct Row {
    Timestamp time;
    SeverityNumber severity;
    std::optional<std::uint32_t> stream;
    std::uint32_t weight;
  };
  void come_to(Timestamp time);
  void end_step();
  RecordBlock block_of(std::span<const Row> rows) const;

  const std::int64_t time_step_ns_;
  const SegmentDictionary& dictionary_;
  std::vector<Row> rows_;  ///< of the steps before
  // The step at hand.
  std::optional<Timestamp> time_;  ///< of its first record; nothing: there is none yet
  std::int64_t step_ = 0;
  std::array<std::uint32_t, kSeverityMax + 1> of_severity_{};
  std::vector<std::uint32_t> of_stream_;  ///< by number; empty: none was counted
};

}  // namespace dendro
