#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/block_codec.h"

namespace dendro {

/// Most values of one column chunk: codes are two bytes.
inline constexpr std::size_t kMaxColumnValues = 65'536;

/// On disk, the first byte of a string column.
enum class StringForm : std::uint8_t {
  constant = 0,       ///< one value for all
  dictionary = 1,     ///< distinct values, then codes
  integer = 2,        ///< decimal text that an int64 gives back
  fixed_integer = 3,  ///< digits of one width, leading zeros
  hex_lower = 4,      ///< of one even width
  hex_upper = 5,
  uuid = 6,
  ipv4 = 7,
  lines = 8,    ///< text, each value ended by \n
  lengths = 9,  ///< text that may hold \n: lengths, then bytes
};

enum class StringChoice : std::uint8_t { best, text_only };

/// Appends 1 to kMaxColumnValues values in the form that a sample promises to be smallest and that all of them keep to.
/// Any bytes come back. text_only: lines or lengths, whatever the values are.
/// @param entries  if given, gets the distinct values where there are few of them, else nothing.
void encode_strings(std::span<const std::string_view> values, StringChoice choice, BlockCompressor& trial,
                    std::string& out, std::vector<std::string_view>* entries = nullptr);

/// The values of a string column, unpacked. Immutable once decoded; thread-safe.
class StringValues {
 public:
  /// Reads `count` values from the front of `bytes` and drops them. Errors: corruption; memory stays within
  /// `plain_bytes_max`.
  static Result<StringValues> decode(std::string_view& bytes, std::size_t count, std::size_t plain_bytes_max);

  /// Exactly `count` values (any number of them), each ended by \n. Errors: corruption.
  static Result<StringValues> of_lines(std::string text, std::size_t count);

  std::size_t size() const { return count_; }
  std::string_view operator[](std::size_t index) const { return entry(entry_of(index)); }

  /// Distinct values where the column has a dictionary or is constant, else one a value.
  std::size_t entry_count() const { return firsts_.size() - 1; }
  std::string_view entry(std::size_t index) const {
    return std::string_view(text_).substr(firsts_[index], firsts_[index + 1] - firsts_[index] - gap_bytes_);
  }
  std::size_t entry_of(std::size_t index) const { return is_constant_ ? 0 : codes_.empty() ? index : codes_[index]; }
  bool is_constant() const { return is_constant_; }
  bool has_codes() const { return !codes_.empty(); }
  std::span<const std::uint16_t> codes() const { return codes_; }

  /// All entries one behind the other, each followed by one byte that is in none of them if separated().
  std::string_view text() const { return text_; }
  bool is_separated() const { return gap_bytes_ == 1; }
  /// Where entry i begins in text(); one more at the end.
  std::span<const std::uint32_t> firsts() const { return firsts_; }
  /// Heap bytes it holds.
  std::size_t memory_bytes() const { return text_.capacity() + 4 * firsts_.capacity() + 2 * codes_.capacity(); }

 private:
  Status read(std::string_view& bytes, std::size_t count, std::size_t plain_bytes_max, bool may_nest);
  Status read_plain(StringForm form, std::string_view& bytes, std::size_t count, std::size_t plain_bytes_max);
  Status read_integers(std::string_view& bytes, std::size_t count, std::size_t width);
  Status read_packed(StringForm form, std::string_view& bytes, std::size_t count, std::size_t plain_bytes_max);
  bool find_lines(std::string_view text, std::size_t count);
  Status read_lines(std::string_view& bytes, std::size_t count);
  Status read_lengths(std::string_view& bytes, std::size_t count);
  void end_entry();

  std::size_t count_ = 0;
  bool is_constant_ = false;
  std::uint32_t gap_bytes_ = 1;
  std::string text_;
  std::vector<std::uint32_t> firsts_;
  std::vector<std::uint16_t> codes_;
};

}  // namespace dendro
