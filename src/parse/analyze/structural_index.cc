#include "parse/analyze/structural_index.h"

#include <cstring>

namespace dendro {
namespace {

constexpr std::size_t kScalarBlockBytes = 64;

bool is_operator(char c) {
  return c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',' || c == '\n';
}
bool is_inner_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// State of the UTF-8 check between two bytes: how many bytes continue the sequence, and the range of the next one.
struct Utf8Machine {
  int left = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;

  /// False: ill-formed. Table 3-7 of the Unicode standard.
  bool take(unsigned char byte) {
    if (left > 0) {
      const bool fits = byte >= low && byte <= high;
      low = 0x80;
      high = 0xBF;
      --left;
      return fits;
    }
    if (byte < 0x80) return true;
    if (byte < 0xC0) return false;
    if (byte < 0xC2 || byte > 0xF4) {  // no lead byte: said at the byte behind it, as the vectorised check does
      left = 1;
      low = 1;
      high = 0;
      return true;
    }
    left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
  }
};

/// The machine as it stands behind the last three bytes, which were well-formed but may end inside a sequence.
Utf8Machine resume_utf8(const IndexState& state) {
  Utf8Machine machine;
  if (!state.utf8_open) return machine;
  std::size_t first = 3;
  while (first > 0 && state.last_bytes[first - 1] >= 0x80) {
    --first;
    if (state.last_bytes[first] >= 0xC0) break;
  }
  for (std::size_t i = first; i < 3; ++i) machine.take(state.last_bytes[i]);
  return machine;
}

bool is_escape_letter(char c) {
  return c != '\0' && std::strchr("\"\\/bfnrtu", c) != nullptr;
}

bool four_hex_digits(const char* text) {
  for (int i = 0; i < 4; ++i) {
    const char c = text[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return false;
  }
  return true;
}

/// One block byte by byte; false on a fault. Writes at the ends given and moves them.
bool index_block(const char* text, std::size_t first, IndexState& state, IndexOutput& out) {
  Utf8Machine utf8 = resume_utf8(state);
  for (std::size_t i = first; i < first + kScalarBlockBytes; ++i) {
    const char c = text[i];
    if (!utf8.take(static_cast<unsigned char>(c))) return false;
    const bool escaped = state.escaped != 0;
    state.escaped = !escaped && c == '\\' ? 1 : 0;
    const bool quote = c == '"' && !escaped;
    if (state.in_string != 0) {
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (escaped) {
        if (!is_escape_letter(c) || (c == 'u' && !four_hex_digits(text + i + 1))) return false;
        out.escapes[out.escape_count++] = static_cast<std::uint32_t>(i);
      }
      if (quote) state.in_string = 0;
      state.in_scalar = quote ? 0 : 1;
      continue;
    }
    const bool operator_here = is_operator(c);
    const bool scalar = !operator_here && !is_inner_space(c);
    if (operator_here || (scalar && state.in_scalar == 0))
      out.tokens[out.token_count++] = static_cast<std::uint32_t>(i);
    if (quote) state.in_string = ~std::uint64_t{0};
    state.in_scalar = scalar && !quote ? 1 : 0;
  }
  state.utf8_open = utf8.left > 0;
  std::memcpy(state.last_bytes.data(), text + first + kScalarBlockBytes - 3, 3);
  return true;
}

}  // namespace

std::size_t index_scalar(const char* text, std::size_t first, std::size_t last, IndexState& state, IndexOutput& out) {
  for (; first < last; first += kScalarBlockBytes) {
    const std::size_t tokens_before = out.token_count;
    const std::size_t escapes_before = out.escape_count;
    if (!index_block(text, first, state, out)) {
      out.token_count = tokens_before;
      out.escape_count = escapes_before;
      return first;
    }
  }
  return first;
}

Indexer best_indexer() {
  static const Indexer best = index_avx2_supported() ? index_avx2 : index_scalar;
  return best;
}

const char* best_indexer_name() {
  return best_indexer() == index_scalar ? "scalar" : "avx2";
}

}  // namespace dendro
