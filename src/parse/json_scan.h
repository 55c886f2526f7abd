#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>

namespace dendro {

// The parts of JSON's grammar that every reader steps over (RFC 8259).

inline bool is_json_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
inline bool is_json_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Where a run of plain string bytes stops: at `"`, `\` or a control character, or at `end`. `has_high` learns of bytes
/// >= 0x80.
inline const char* find_string_stop(const char* at, const char* end, bool& has_high) {
  unsigned high = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control_max = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i is_control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, control_max), control_max);
    const __m128i is_stop =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)), is_control);
    const auto stops = static_cast<unsigned>(_mm_movemask_epi8(is_stop));
    const auto highs = static_cast<unsigned>(_mm_movemask_epi8(bytes));
    if (stops != 0) {
      const int offset = std::countr_zero(stops);
      has_high |= (high | (highs & ((1u << offset) - 1u))) != 0;
      return at + offset;
    }
    high |= highs;
  }
#endif
  for (; at < end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == '"' || byte == '\\' || byte < 0x20) break;
    high |= byte & 0x80u;
  }
  has_high |= high != 0;
  return at;
}

/// Past a numeral of the JSON grammar; null if there is none. `is_integer`: neither fraction nor exponent.
inline const char* skip_numeral(const char* at, const char* end, bool& is_integer) {
  const auto skip_digits = [end](const char* from) {
    while (from < end && is_json_digit(*from)) ++from;
    return from;
  };
  is_integer = true;
  if (at < end && *at == '-') ++at;
  const char* digits = at;
  at = skip_digits(at);
  if (at == digits || (*digits == '0' && at - digits > 1)) return nullptr;
  if (at < end && *at == '.') {
    is_integer = false;
    digits = ++at;
    at = skip_digits(at);
    if (at == digits) return nullptr;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    is_integer = false;
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    digits = at;
    at = skip_digits(at);
    if (at == digits) return nullptr;
  }
  return at;
}

}  // namespace dendro
