#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dendro {

/// A text to be found whatever its case, folded (record/fold.h). Immutable; thread-safe; borrows nothing.
class FoldedNeedle {
 public:
  FoldedNeedle() : FoldedNeedle(std::string_view()) {}
  /// `text` need not be folded.
  explicit FoldedNeedle(std::string_view text);

  /// Folded.
  const std::string& text() const { return text_; }
  bool is_ascii() const { return is_ascii_; }
  bool is_utf8() const { return is_utf8_; }
  /// True if characters of more than one byte fold to some of its ASCII letters: it holds `k` or `s`.
  bool has_wide_forms() const { return has_wide_forms_; }
  /// False: no match begins with this byte. For needles that are UTF-8 and not empty.
  bool may_start(char byte) const { return may_start_[static_cast<std::uint8_t>(byte)]; }

 private:
  std::string text_;
  std::array<bool, 256> may_start_{};
  bool is_ascii_ = true;
  bool is_utf8_ = true;
  bool has_wide_forms_ = false;
};

/// First place at or after `first` where the haystack, folded, shows the needle; npos if there is none. The haystack is
/// not folded: only characters that could take part in a match are. `match_bytes` (may be null) gets how many bytes of
/// the haystack match: U+212A is three of them and one of the needle. AVX2 where the CPU has it (decided once a
/// process); a needle that is not ASCII, or holds ill-formed bytes, takes slower ways.
std::size_t find_folded(std::string_view haystack, const FoldedNeedle& needle, std::size_t first = 0,
                        std::size_t* match_bytes = nullptr);

/// The same, character by character: what the fast way is tested against, and what runs where there is no AVX2.
std::size_t find_folded_scalar(std::string_view haystack, const FoldedNeedle& needle, std::size_t first = 0,
                               std::size_t* match_bytes = nullptr);

}  // namespace dendro
