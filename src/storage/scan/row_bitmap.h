#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dendro {

/// A bit a record of a row group.
class RowBitmap {
 public:
  RowBitmap() = default;
  explicit RowBitmap(std::size_t rows, bool value = false)
      : rows_(rows), words_((rows + 63) / 64, value ? ~std::uint64_t{0} : 0) {
    clear_tail();
  }

  std::size_t rows() const { return rows_; }
  void set(std::size_t row) { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  void clear(std::size_t row) { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
  bool test(std::size_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  /// [first, last).
  void set_range(std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last;) {
      if (row % 64 == 0 && last - row >= 64) {
        words_[row / 64] = ~std::uint64_t{0};
        row += 64;
      } else {
        set(row++);
      }
    }
  }

  void operator&=(const RowBitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  void operator|=(const RowBitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  /// Keeps what `other` has not.
  void operator-=(const RowBitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  }
  void invert() {
    for (std::uint64_t& word : words_) word = ~word;
    clear_tail();
  }

  std::size_t count() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  /// The first set bit, of at least one.
  std::uint32_t first() const {
    const auto word = std::find_if(words_.begin(), words_.end(), [](std::uint64_t bits) { return bits != 0; });
    return static_cast<std::uint32_t>((word - words_.begin()) * 64 + std::countr_zero(*word));
  }
  bool none() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
  }
  friend bool operator==(const RowBitmap&, const RowBitmap&) = default;

  /// Calls `visit(row)` for each set bit, ascending.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }

 private:
  void clear_tail() {
    if (rows_ % 64 != 0) words_.back() &= (std::uint64_t{1} << (rows_ % 64)) - 1;
  }

  std::size_t rows_ = 0;
  std::vector<std::uint64_t> words_;
};

/// What is known of each record: `certain` ones match, those outside `possible` do not; certain is part of possible.
struct RowVerdict {
  RowBitmap certain;
  RowBitmap possible;

  static RowVerdict all_of(std::size_t rows, bool matches) {
    return {RowBitmap(rows, matches), RowBitmap(rows, matches)};
  }
  static RowVerdict unknown(std::size_t rows) { return {RowBitmap(rows, false), RowBitmap(rows, true)}; }
  bool is_exact() const { return certain == possible; }
  void operator&=(const RowVerdict& other) {
    certain &= other.certain;
    possible &= other.possible;
  }
  void operator|=(const RowVerdict& other) {
    certain |= other.certain;
    possible |= other.possible;
  }
  void invert() {
    std::swap(certain, possible);
    certain.invert();
    possible.invert();
  }
};

}  // namespace dendro
