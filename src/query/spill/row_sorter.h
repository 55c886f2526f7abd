#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "query/plan/field_need.h"
#include "query/plan/query_context.h"
#include "query/spill/row_run.h"
#include "query/spill/sorted_row.h"

namespace dendro {

// Puts any number of rows into an order.
//
// S1 Rows wait in chunks, each sorted when it is full, so that no call sorts more than a chunk; the chunks are merged
//    while rows are handed out.
// S2 Where QueryContext::should_spill says so, all chunks become one run in a file. Runs are merged kMergedRuns at a
//    time; each round of merging has a file of its own, and the one before goes.
// S3 A batch is charged once, with all of its bytes, while a chunk holds rows of it. Where a chunk holds little of its
//    batches its records are copied into one of their own, as far as somebody will look at them.

/// See above. Not thread-safe.
class RowSorter {
 public:
  /// What add() does where neither memory nor files have room: end the query, or take the row all the same since it is
  /// only another form of what was there.
  enum class WhenFull : std::uint8_t { stop, go_on };
  /// `need`: what is looked at of records behind this. `shape`: of the rows.
  RowSorter(RowOrder order, const RowShape& shape, FieldNeed need, WhenFull when_full, QueryContext& context);
  ~RowSorter();
  RowSorter(const RowSorter&) = delete;
  RowSorter& operator=(const RowSorter&) = delete;

  /// Takes a row; `batch` is its record's, null of a table. False once no more may come in: memory and files are full,
  /// and the context is stopped; the rows so far are kept. Errors: those of files.
  Result<bool> add(SortedRow row, const std::shared_ptr<const RecordBatch>& batch);
  /// Rows that add() gave its place to.
  std::uint64_t size() const { return size_; }
  /// No more rows come: some work towards handing them out. True when next() may be called.
  Result<bool> prepare();
  /// Rows in order, `rows_max` at most; empty at the end, and when the caller has left. Errors: those of files.
  Result<RowBatch> next(std::size_t rows_max);

 private:
  struct Chunk {
    std::vector<SortedRow> rows;
    std::vector<const RecordBatch*> batches;  ///< each once, in held_
    std::uint64_t bytes = 0;                  ///< of rows
    std::uint64_t batch_bytes = 0;            ///< that this chunk was the first to hold
    std::size_t next = 0;
  };
  struct HeldBatch {
    std::shared_ptr<const RecordBatch> batch;
    std::size_t chunks = 0;
    std::uint64_t last_chunk = 0;
  };
  class Merge;

  void hold(const std::shared_ptr<const RecordBatch>& batch);
  void let_go(Chunk& chunk);
  void close_chunk();
  void copy_records(Chunk& chunk);
  std::shared_ptr<const RecordBatch> batch_of(const RecordRow& record) const;
  Status spill();
  Result<RowRun> write_run(Merge& merge, SpillFile& file);
  /// Of the oldest runs one, in the next round's file. False, and nothing done, where there is no room for it.
  Result<bool> merge_some_runs();
  Status add_run(Merge& merge, SpillFile& file, RowRun run) const;
  Result<bool> go_on_without_files(const Error& failure, bool has_room);

  const RowOrder order_;
  const RowShape shape_;
  const FieldNeed need_;
  const WhenFull when_full_;
  QueryContext& context_;
  std::uint64_t size_ = 0;
  Chunk open_;
  std::uint64_t open_number_ = 1;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::unordered_map<const RecordBatch*, HeldBatch> held_;
  std::uint64_t charged_bytes_ = 0;
  // Files: runs of this round, and those already merged for the next.
  std::unique_ptr<SpillFile> file_, next_file_;
  std::vector<RowRun> runs_, next_runs_;
  std::unique_ptr<Merge> merge_;
};

}  // namespace dendro
