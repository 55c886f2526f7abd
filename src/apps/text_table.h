#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dendro {

/// Rows of words in columns as wide as their widest word; the first column to the left, the others to the right (of
/// numbers) or to the left (of words), too.
class TextTable {
 public:
  enum class Align : std::uint8_t { numbers, words };
  explicit TextTable(std::vector<std::string> titles, Align align = Align::numbers) : align_(align) {
    add(std::move(titles));
  }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// Each line indented by `indent` blanks.
  std::string text(std::size_t indent = 2) const;

 private:
  const Align align_;
  std::vector<std::vector<std::string>> rows_;
};

/// "1,234,567".
std::string grouped_digits(std::uint64_t number);
/// "12.3 %" of a whole; "-" where that is 0.
std::string percent_text(double part, double whole);
/// Hexadecimal digits of 16 bytes and the like.
std::string hex_digits(const std::uint8_t* bytes, std::size_t count);

}  // namespace dendro
