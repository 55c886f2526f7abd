#include "io/object_store.h"

#include <algorithm>

namespace dendro {

std::string_view store_error_word(const Error& error) {
  constexpr std::size_t kWordBytesMax = 80;
  const std::string_view text = error.message();
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos || colon == 0 || colon > kWordBytesMax) return {};
  const std::string_view word = text.substr(0, colon);
  const bool is_word = word.front() >= 'A' && word.front() <= 'Z' && std::all_of(word.begin(), word.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                       });
  return is_word ? word : std::string_view();
}

}  // namespace dendro
