#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace dendro {

/// Columns and lines of a terminal; 80 and 24 where it does not say.
struct TerminalSize {
  std::size_t columns = 80;
  std::size_t lines = 24;
};
TerminalSize terminal_size(int fd);

/// A text that is drawn on a terminal over and over at the same place. Leaves nothing behind once it is wiped.
class LiveTable {
 public:
  /// `out` is a terminal.
  explicit LiveTable(std::FILE* out) : out_(out) {}
  ~LiveTable() { wipe(); }
  LiveTable(const LiveTable&) = delete;
  LiveTable& operator=(const LiveTable&) = delete;

  /// Instead of what was drawn last: as many lines of `text` as there is room for, and `footer` below them. Both hold
  /// printable characters only.
  void draw(std::string_view text, std::string_view footer);
  void wipe();
  /// What is drawn stays; the next one comes below it.
  void keep() { drawn_lines_ = 0; }

 private:
  std::FILE* const out_;
  std::size_t drawn_lines_ = 0;
};

/// "42 % of 1.2 GB, 31,000 records, 830 MB/s". `bytes_total` 0: not known.
std::string progress_text(std::uint64_t bytes_read, std::uint64_t bytes_total, std::uint64_t records, double seconds);

}  // namespace dendro
