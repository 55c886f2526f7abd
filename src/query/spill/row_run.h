#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/spill/sorted_row.h"
#include "query/spill/spill_file.h"
#include "record/record_batch_builder.h"

namespace dendro {

/// Rows in their order, in blocks of a file: of records as batches, of tables as cells.
struct RowRun {
  std::vector<SpillBlock> blocks;
  std::uint64_t bytes() const {
    std::uint64_t bytes = 0;
    for (const SpillBlock& block : blocks) bytes += block.stored_bytes;
    return bytes;
  }
};

/// Writes a run. The file outlives it. Not thread-safe.
class RowRunWriter {
 public:
  RowRunWriter(SpillFile& file, bool is_table) : file_(file), is_table_(is_table) {}
  /// Errors: SpillFile::append's.
  Status add(const SortedRow& row);
  Result<RowRun> finish();

 private:
  Status flush();

  SpillFile& file_;
  const bool is_table_;
  RowRun run_;
  std::uint64_t count_ = 0;
  std::string rows_;  ///< of the block being filled, but for the records themselves
  RecordBatchBuilder builder_{Timestamp()};
};

/// Reads a run. The file outlives it. Not thread-safe.
class RowRunReader {
 public:
  RowRunReader(SpillFile& file, RowRun run, std::size_t key_count, bool is_table)
      : file_(file), run_(std::move(run)), key_count_(key_count), is_table_(is_table) {}
  /// Loads a block where the last one is used up; false at the end. Errors: SpillFile::read's.
  Result<bool> prepare();
  /// The row at hand, after prepare() said there is one.
  SortedRow& row() { return rows_[next_]; }
  /// Of the row at hand; null of a table.
  const std::shared_ptr<const RecordBatch>& batch() const { return batch_; }
  void drop_row() { ++next_; }

 private:
  Status load(const SpillBlock& block);

  SpillFile& file_;
  const RowRun run_;
  const std::size_t key_count_;
  const bool is_table_;
  std::size_t next_block_ = 0;
  std::string plain_;
  std::vector<SortedRow> rows_;
  std::size_t next_ = 0;
  std::shared_ptr<const RecordBatch> batch_;
};

}  // namespace dendro
