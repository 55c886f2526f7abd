#include "parse/analyze/chunk_cutter.h"

#include <algorithm>
#include <cstring>

#include "parse/analyze/structural_index.h"

namespace dendro {
namespace {

/// Text a buffer may hold: the longest line, its line feed, and room to see that it is longer.
constexpr std::size_t kBufferTextMax = kCountLineBytesMax + (std::size_t{512} << 10);
/// A buffer that a long line made larger is given back when it is over.
constexpr std::size_t kKeptBufferBytes = std::size_t{4} << 20;

const char* last_line_feed(const char* text, std::size_t first, std::size_t last) {
  return static_cast<const char*>(memrchr(text + first, '\n', last - first));
}

}  // namespace

/// Reads until the buffer holds a line feed or the longest line.
Result<bool> ChunkCutter::next(Chunk& chunk) {
  if (chunk.buffer.size() > kKeptBufferBytes && carry_.size() < kKeptBufferBytes / 4) chunk.buffer = {};
  chunk.too_long = false;
  chunk.index = next_index_;
  chunk.offset = next_offset_;
  std::size_t room_last = std::min(std::max(chunk_bytes_, 2 * carry_.size()), kBufferTextMax);
  if (chunk.buffer.size() < room_last + 1 + kIndexPadBytes) chunk.buffer.resize(room_last + 1 + kIndexPadBytes);
  chunk.size = carry_.copy(chunk.buffer.data(), carry_.size());
  carry_.clear();
  while (true) {
    const std::size_t searched = chunk.size;
    DENDRO_TRY(fill(chunk, room_last));
    if (const char* feed = last_line_feed(chunk.text(), searched, chunk.size)) {
      cut(chunk, static_cast<std::size_t>(feed - chunk.text()) + 1);
      return true;
    }
    if (ended_) {
      if (chunk.size == 0) return false;
      chunk.buffer[chunk.size++] = '\n';
      cut(chunk, chunk.size);
      return true;
    }
    drop_blanks(chunk);
    if (chunk.size > kCountLineBytesMax) return skip_long_line(chunk);
    room_last = std::min(std::max(room_last, 2 * chunk.size), kBufferTextMax);
    chunk.buffer.resize(std::max(chunk.buffer.size(), room_last + 1 + kIndexPadBytes));
  }
}

/// Reads until text[0, room_last) is full or the source ends.
Status ChunkCutter::fill(Chunk& chunk, std::size_t room_last) {
  while (!ended_ && chunk.size < room_last) {
    DENDRO_TRY_ASSIGN(const std::size_t count,
                      source_->read(std::span<char>(chunk.buffer).subspan(chunk.size, room_last - chunk.size)));
    ended_ = count == 0;
    chunk.size += count;
    bytes_ += count;
  }
  return {};
}

/// Of a line that fills the buffer: blanks at its start go, a stretch of NULs at its end shrinks to one (it is blank
/// outside strings and a fault inside, whatever its length).
void ChunkCutter::drop_blanks(Chunk& chunk) {
  const char* text = chunk.text();
  std::size_t first = 0;
  while (first < chunk.size &&
         (text[first] == '\0' || text[first] == ' ' || text[first] == '\t' || text[first] == '\r'))
    ++first;
  if (first > 0) {
    std::memmove(chunk.buffer.data(), text + first, chunk.size - first);
    chunk.size -= first;
    chunk.offset += first;
  }
  while (chunk.size > 1 && text[chunk.size - 1] == '\0' && text[chunk.size - 2] == '\0') --chunk.size;
}

/// Reads on to the end of a line that is too long; what follows is the next chunk's.
Result<bool> ChunkCutter::skip_long_line(Chunk& chunk) {
  while (true) {
    chunk.size = 0;
    DENDRO_TRY(fill(chunk, chunk_bytes_));
    const auto* feed = static_cast<const char*>(std::memchr(chunk.text(), '\n', chunk.size));
    if (feed == nullptr && !ended_) continue;
    const std::size_t behind = feed == nullptr ? chunk.size : static_cast<std::size_t>(feed - chunk.text()) + 1;
    carry_.assign(chunk.text() + behind, chunk.size - behind);
    next_offset_ = bytes_ - carry_.size();
    ++next_index_;
    chunk.size = 0;
    chunk.too_long = true;
    return true;
  }
}

/// The chunk ends at `whole_last`; the rest is carried to the next one.
void ChunkCutter::cut(Chunk& chunk, std::size_t whole_last) {
  carry_.assign(chunk.text() + whole_last, chunk.size - whole_last);
  chunk.size = whole_last;
  std::memset(chunk.buffer.data() + whole_last, ' ', kIndexPadBytes);
  next_offset_ = bytes_ - carry_.size();
  ++next_index_;
}

}  // namespace dendro
