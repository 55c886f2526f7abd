#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "parse/analyze/line_joiner.h"
#include "parse/analyze/line_tally.h"
#include "parse/analyze/line_walk.h"
#include "parse/analyze/structural_index.h"

namespace dendro {

/// What of a chunk can only be decided beside its neighbours, because lines there may join over its ends.
struct ChunkRest {
  std::vector<LineJoiner::Line> head;  ///< lines before the first one that parses alone
  bool has_alone = false;              ///< one parses alone; else all of the chunk's lines are in `head`
  LineJoiner::OpenJoin tail;           ///< at the end of the chunk, if any
};

/// Counts chunks of whole lines: the vectorised way for plain lines, the exact way for the others. One a worker; not
/// thread-safe.
class ChunkScanner {
 public:
  /// `rule` outlives the scanner. `indexer` is best_indexer() but in tests.
  ChunkScanner(const RecordRule& rule, Indexer indexer)
      : indexer_(indexer), walk_(rule), reader_(rule), joiner_(rule, tally_) {}
  ChunkScanner(const ChunkScanner&) = delete;
  ChunkScanner& operator=(const ChunkScanner&) = delete;

  /// Counts text[0, size), which ends with a line feed and has kIndexPadBytes blanks behind it; `offset` is its place
  /// in the whole text. At most 2^31 bytes.
  ChunkRest scan(const char* text, std::size_t size, std::uint64_t offset);
  const LineTally& tally() const { return tally_; }

 private:
  void scan_indexed(std::size_t size);
  void take_indexed_lines();
  void take_counted_line(std::size_t first);
  void take_exactly(std::size_t first, std::size_t last);
  void see_alone();
  void keep_unfinished();
  void forget_index();
  void make_room(std::size_t size);

  const Indexer indexer_;
  LineWalk walk_;
  LineReader reader_;
  LineTally tally_;
  LineJoiner joiner_;
  // Of the chunk being scanned.
  const char* text_ = nullptr;
  std::uint64_t offset_ = 0;
  std::size_t line_first_ = 0;  // of the first line not yet taken
  ChunkRest rest_;
  bool alone_matters_ = true;  // something waits for the next line that parses alone
  std::unique_ptr<std::uint32_t[]> tokens_;
  std::unique_ptr<std::uint32_t[]> escapes_;
  std::size_t index_entries_ = 0;  // of each of the two
  IndexOutput found_;
  std::size_t carried_tokens_ = 0;  // at the front of found_: of an unfinished line, without a line feed
};

}  // namespace dendro
