#include "apps/live_table.h"

#include <sys/ioctl.h>

#include <algorithm>

#include "apps/text_table.h"

namespace dendro {
namespace {

constexpr std::string_view kUpOneLine = "\033[A";
constexpr std::string_view kWipeBelow = "\r\033[J";

/// Its front of at most `columns` code points: a longer line would take two.
std::string_view clipped(std::string_view line, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t points = 0; end < line.size() && points < columns; ++points) {
    ++end;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;
  }
  return line.substr(0, end);
}

std::string bytes_text(double bytes) {
  char text[32];
  const bool is_large = bytes >= 1e9;
  std::snprintf(text, sizeof text, is_large ? "%.1f GB" : "%.0f MB", bytes / (is_large ? 1e9 : 1e6));
  return text;
}

}  // namespace

TerminalSize terminal_size(int fd) {
  winsize size{};
  TerminalSize found;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return found;
  if (size.ws_col > 0) found.columns = size.ws_col;
  if (size.ws_row > 0) found.lines = size.ws_row;
  return found;
}

void LiveTable::draw(std::string_view text, std::string_view footer) {
  const TerminalSize size = terminal_size(fileno(out_));
  std::string frame;
  for (std::size_t i = 0; i < drawn_lines_; ++i) frame += kUpOneLine;
  frame += kWipeBelow;
  drawn_lines_ = 0;
  // The footer, and the line behind it where the cursor rests.
  const std::size_t room = size.lines > 3 ? size.lines - 2 : 1;
  std::size_t first = 0;
  while (first < text.size() && drawn_lines_ < room) {
    const std::size_t last = std::min(text.find('\n', first), text.size());
    frame.append(clipped(text.substr(first, last - first), size.columns)).append("\n");
    ++drawn_lines_;
    first = last + 1;
  }
  frame.append(clipped(footer, size.columns)).append("\n");
  ++drawn_lines_;
  std::fwrite(frame.data(), 1, frame.size(), out_);
  std::fflush(out_);
}

void LiveTable::wipe() {
  if (drawn_lines_ == 0) return;
  std::string frame;
  for (std::size_t i = 0; i < drawn_lines_; ++i) frame += kUpOneLine;
  frame += kWipeBelow;
  drawn_lines_ = 0;
  std::fwrite(frame.data(), 1, frame.size(), out_);
  std::fflush(out_);
}

std::string progress_text(std::uint64_t bytes_read, std::uint64_t bytes_total, std::uint64_t records, double seconds) {
  const auto read = static_cast<double>(bytes_read);
  std::string text;
  if (bytes_total > 0) {
    const double share = std::min(read / static_cast<double>(bytes_total), 1.0);
    text =
        std::to_string(static_cast<int>(share * 100)) + " % of " + bytes_text(static_cast<double>(bytes_total)) + ", ";
  } else if (bytes_read > 0) {
    text = bytes_text(read) + ", ";
  }
  text += grouped_digits(records) + " records";
  if (seconds > 0 && bytes_read > 0) text += ", " + bytes_text(read / seconds) + "/s";
  return text;
}

}  // namespace dendro
