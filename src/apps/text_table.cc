#include "apps/text_table.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace dendro {

std::string TextTable::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      if (i > 0) line += "  ";
      line += i == 0 || align_ == Align::words ? row[i] + blanks : blanks + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string grouped_digits(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string percent_text(double part, double whole) {
  if (whole <= 0) return "-";
  std::array<char, 32> text;
  const int size = std::snprintf(text.data(), text.size(), "%.1f %%", 100 * part / whole);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string hex_digits(const std::uint8_t* bytes, std::size_t count) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += {kHexDigits[bytes[i] >> 4], kHexDigits[bytes[i] & 15]};
  return text;
}

}  // namespace dendro
