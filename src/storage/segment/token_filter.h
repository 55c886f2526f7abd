#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filter/text_pattern.h"
#include "storage/segment/template_table.h"

namespace dendro {

// The keys of a row group's filter (docs/formats/segment.md): of every variable and every token of the string columns
// that the filter covers, folded first (record/fold.h): the token as a whole, and each of its words [a-zA-Z0-9_]+.

/// Hash of a folded token or word.
std::uint64_t token_key(std::string_view folded);

/// Is in the filter if a token holds U+212A or U+017F, which fold to word characters without being one: then words of
/// the folded token are not those that a search on real bytes sees, and the filter must not be asked.
inline constexpr std::uint64_t kWideFormKey = 2;

/// Calls `visit(first, last)` for each maximal run of word characters of `text`.
template <typename Visit>
void for_each_word(std::string_view text, Visit&& visit) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_char(text[at])) {
      ++at;
      continue;
    }
    const std::size_t first = at;
    while (at < text.size() && is_word_char(text[at])) ++at;
    visit(first, at);
  }
}

/// Collects keys, each once. Its memory is reused. Not thread-safe.
class TokenKeys {
 public:
  TokenKeys();
  /// Variables: no delimiter in them. `classes`: of all of them together.
  void add_tokens(std::span<const std::string_view> tokens, ByteClasses classes);
  /// One, of any classes.
  void add_token(std::string_view token);
  /// Any text: its tokens.
  void add_text(std::string_view text);
  /// All of them, in no particular order.
  const std::vector<std::uint64_t>& keys();
  void clear();

 private:
  void add_folded(std::string_view token);
  void note_wide_forms(std::string_view text);
  void add_key(std::uint64_t key);
  void insert_waiting();
  void insert(std::uint64_t key);
  void grow();

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint64_t> table_;  ///< open addressing, a power of two; 0 = free
  /// Keys met lately, by their low bits: most come again soon, and this stays in the first-level cache.
  std::vector<std::uint64_t> recent_;
  /// Keys on their way into the table, whose rows are being fetched: it is larger than the caches.
  std::array<std::uint64_t, 16> waiting_{};
  std::size_t waiting_count_ = 0;
  std::string folded_;
};

}  // namespace dendro
