#include "parse/analyze/chunk_scanner.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dendro {
namespace {

/// Text indexed before its lines are walked: text and tokens together stay in the first-level cache.
constexpr std::size_t kIndexWindowBytes = std::size_t{16} << 10;
/// Chunks beyond this hold one long line: not worth four bytes of index a byte.
constexpr std::size_t kIndexedChunkBytesMax = std::size_t{4} << 20;
constexpr std::size_t kSpareEntries = kIndexPadBytes + 16;

}  // namespace

ChunkRest ChunkScanner::scan(const char* text, std::size_t size, std::uint64_t offset) {
  text_ = text;
  offset_ = offset;
  line_first_ = 0;
  rest_ = {};
  alone_matters_ = true;
  if (size <= kIndexedChunkBytesMax) {
    scan_indexed(size);
  } else {
    while (line_first_ < size) {
      const auto* end = static_cast<const char*>(std::memchr(text + line_first_, '\n', size - line_first_));
      take_exactly(line_first_, static_cast<std::size_t>(end - text));
    }
  }
  rest_.tail = joiner_.hand_over();
  return std::move(rest_);
}

/// The arrays are not cleared: of a large one only the pages in use are ever touched.
void ChunkScanner::make_room(std::size_t size) {
  const std::size_t entries = size + kSpareEntries;
  if (entries <= index_entries_) return;
  index_entries_ = entries;
  tokens_ = std::make_unique_for_overwrite<std::uint32_t[]>(entries);
  escapes_ = std::make_unique_for_overwrite<std::uint32_t[]>(entries);
  found_.tokens = tokens_.get();
  found_.escapes = escapes_.get();
}

/// Windows of the text through the indexer, their lines through the walk. After a fault the line it lies in goes the
/// exact way and indexing starts anew behind it.
void ChunkScanner::scan_indexed(std::size_t size) {
  make_room(size);
  std::size_t indexed = 0;
  IndexState state;
  forget_index();
  while (line_first_ < size) {
    const std::size_t window_last = std::min(indexed + kIndexWindowBytes, size);
    indexed = indexer_(text_, indexed, window_last, state, found_);
    const bool fault = indexed < window_last;
    take_indexed_lines();
    if (!fault) {
      keep_unfinished();
      continue;
    }
    const std::size_t search_first = std::max(indexed, line_first_);
    const auto* end = static_cast<const char*>(std::memchr(text_ + search_first, '\n', size - search_first));
    take_exactly(line_first_, static_cast<std::size_t>(end - text_));
    indexed = line_first_;
    state = {};
    forget_index();
  }
}

void ChunkScanner::forget_index() {
  found_.token_count = 0;
  found_.escape_count = 0;
  carried_tokens_ = 0;
}

/// Takes all lines whose line feed is among the tokens.
void ChunkScanner::take_indexed_lines() {
  std::uint32_t* const first = found_.tokens;
  std::uint32_t* last = first + found_.token_count;
  while (last != first + carried_tokens_ && text_[last[-1]] != '\n') --last;
  if (last == first + carried_tokens_) last = first;  // no line feed is new, and none was among the older ones
  std::fill_n(first + found_.token_count, 8, static_cast<std::uint32_t>(line_first_));  // what a look-ahead may see
  found_.escapes[found_.escape_count] = UINT32_MAX;
  walk_.start(text_, found_.escapes);
  const std::uint32_t* token = first;
  std::uint64_t plain_lines = 0;
  while (token != last) {
    if (text_[*token] == '\n') {
      line_first_ = *token++ + std::size_t{1};
      continue;
    }
    if (const std::uint32_t* next = walk_.walk(token)) [[likely]] {
      ++plain_lines;
      if (alone_matters_) see_alone();
      if (walk_.counts()) take_counted_line(line_first_);
      token = next;
      line_first_ = token[-1] + std::size_t{1};
      continue;
    }
    while (text_[*token] != '\n') ++token;
    take_exactly(line_first_, *token);
    walk_.pass_escapes(*token++);
  }
  tally_.add_lines(plain_lines);
  // What is left belongs to a line that is not indexed to its end.
  const auto left = static_cast<std::size_t>(first + found_.token_count - token);
  if (token != first) std::memmove(first, token, left * sizeof *first);
  found_.token_count = left;
  carried_tokens_ = left;
}

void ChunkScanner::keep_unfinished() {
  const std::uint32_t* const last = found_.escapes + found_.escape_count;
  const std::uint32_t* const kept =
      std::lower_bound(static_cast<const std::uint32_t*>(found_.escapes), last, line_first_);
  found_.escape_count = static_cast<std::size_t>(last - kept);
  std::memmove(found_.escapes, kept, found_.escape_count * sizeof *kept);
}

void ChunkScanner::take_counted_line(std::size_t first) {
  const std::string_view raw = walk_.group_value();
  const bool plain_string = raw.size() > 2 && raw.front() == '"';  // no escapes: the walk refused them
  if (plain_string) {
    tally_.add_match(raw.substr(1, raw.size() - 2), offset_ + first);
  } else {
    tally_.add_match(group_name(raw), offset_ + first);
  }
}

void ChunkScanner::see_alone() {
  rest_.has_alone = true;
  joiner_.break_join();
  alone_matters_ = false;
}

void ChunkScanner::take_exactly(std::size_t first, std::size_t last) {
  line_first_ = last + 1;
  const std::string_view raw(text_ + first, last - first);
  const LineVerdict line = reader_.read(raw);
  if (line.kind == LineKind::blank) return;
  if (line.kind == LineKind::alone) see_alone();
  if (!rest_.has_alone) {
    rest_.head.push_back({std::string(line.text), offset_ + first});
    return;
  }
  joiner_.add(line, offset_ + first, reader_.matches());
  alone_matters_ = joiner_.pending();
}

}  // namespace dendro
