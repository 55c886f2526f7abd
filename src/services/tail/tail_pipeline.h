#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "base/byte_budget.h"
#include "base/clock.h"
#include "query/output/record_writer.h"
#include "query/pipes/row_pipeline.h"
#include "services/tail/tail_query.h"

namespace dendro {

/// The pipes of one tail, kept open: records go in as they arrive, rows come out in the same order. Not thread-safe.
class TailPipeline {
 public:
  /// `clock` outlives it. `memory`: what pipes remember is taken of it.
  TailPipeline(std::shared_ptr<const TailQuery> query, const Clock& clock, std::shared_ptr<ByteBudget> memory);
  ~TailPipeline();

  /// The rows of `block` up to the `count`th, and behind `floor`, go through the pipes. Errors: those of the pipes.
  Status push(const RecordBlock& block, std::size_t count, SequenceNumber floor);
  /// Rows wait to be taken.
  bool has_rows() const { return !made_.empty(); }
  /// Sequence number of the record that the next row was made of. has_rows().
  SequenceNumber next_sequence() const { return made_.front().records[next_].sequence; }
  /// Appends the next row as JSON. has_rows().
  void take_row(std::string& json);
  /// A pipe such as `limit` has let pass all it wanted, or its memory is used up: nothing will come any more.
  bool is_over() const { return is_over_; }

 private:
  class PushedBlocks;
  class PushedInput;
  Status drain();

  const std::shared_ptr<const TailQuery> query_;
  const Clock& clock_;
  const std::shared_ptr<PushedInput> input_;
  QueryContext context_;
  const SubqueryTables tables_;
  RecordWriter writer_;
  std::unique_ptr<RowPipeline> pipeline_;
  std::deque<RowBatch> made_;  // none of them empty
  std::size_t next_ = 0;       // in the first of made_
  bool is_over_ = false;
};

}  // namespace dendro
