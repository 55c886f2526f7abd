// Source of the method: G. Langdale, D. Lemire, Parsing Gigabytes of JSON per Second, VLDB Journal 28(6), 2019
// (classification by shuffle, escapes by carry, strings by carry-less multiplication); J. Keiser, D. Lemire, Validating
// UTF-8 in Less Than One Instruction per Byte, SPE 51(5), 2021 (three table look-ups). Written anew for lines: the line
// feed is a token, and a fault stops the run at its block.
#include "parse/analyze/structural_index.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstring>

#include "base/check.h"

namespace dendro {

#if defined(__x86_64__)

#define DENDRO_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")))
#define DENDRO_AVX2_INLINE DENDRO_AVX2 __attribute__((always_inline)) inline

namespace {

/// 64 bytes.
struct Block64 {
  __m256i low;
  __m256i high;
};

DENDRO_AVX2_INLINE std::uint64_t mask_of(__m256i low, __m256i high) {
  const auto low_bits = static_cast<std::uint32_t>(_mm256_movemask_epi8(low));
  const auto high_bits = static_cast<std::uint32_t>(_mm256_movemask_epi8(high));
  return low_bits | (static_cast<std::uint64_t>(high_bits) << 32);
}

DENDRO_AVX2_INLINE std::uint64_t equal_mask(const Block64& block, char c) {
  const __m256i wanted = _mm256_set1_epi8(c);
  return mask_of(_mm256_cmpeq_epi8(block.low, wanted), _mm256_cmpeq_epi8(block.high, wanted));
}

DENDRO_AVX2_INLINE __m256i twice(__m128i table) {
  return _mm256_broadcastsi128_si256(table);
}

/// Bytes that are `{ } [ ] : ,`; 0x1A and 0x0C too, which the grammar refuses at sight.
DENDRO_AVX2_INLINE std::uint64_t bracket_mask(const Block64& block) {
  const __m256i table = twice(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0));
  const __m256i fold = _mm256_set1_epi8(0x20);
  return mask_of(_mm256_cmpeq_epi8(_mm256_or_si256(block.low, fold), _mm256_shuffle_epi8(table, block.low)),
                 _mm256_cmpeq_epi8(_mm256_or_si256(block.high, fold), _mm256_shuffle_epi8(table, block.high)));
}

/// Bytes that are blank, tab, carriage return or line feed.
DENDRO_AVX2_INLINE std::uint64_t space_mask(const Block64& block) {
  const __m256i table =
      twice(_mm_setr_epi8(' ', 100, 100, 100, 17, 100, 113, 2, 100, '\t', '\n', 112, 100, '\r', 100, 100));
  return mask_of(_mm256_cmpeq_epi8(block.low, _mm256_shuffle_epi8(table, block.low)),
                 _mm256_cmpeq_epi8(block.high, _mm256_shuffle_epi8(table, block.high)));
}

DENDRO_AVX2_INLINE std::uint64_t control_mask(const Block64& block) {
  const __m256i last = _mm256_set1_epi8(0x1F);
  return mask_of(_mm256_cmpeq_epi8(_mm256_min_epu8(block.low, last), block.low),
                 _mm256_cmpeq_epi8(_mm256_min_epu8(block.high, last), block.high));
}

/// Bit i of the result: parity of bits 0 to i.
DENDRO_AVX2_INLINE std::uint64_t prefix_xor(std::uint64_t bits) {
  const __m128i product =
      _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8(static_cast<char>(0xFF)), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
}

/// Bytes behind an odd number of backslashes; `carry` is 1 if the first byte is.
DENDRO_AVX2_INLINE std::uint64_t escaped_mask(std::uint64_t backslash, std::uint64_t& carry) {
  constexpr std::uint64_t kEvenBits = 0x5555'5555'5555'5555;
  backslash &= ~carry;
  const std::uint64_t follows = (backslash << 1) | carry;
  const std::uint64_t odd_starts = backslash & ~kEvenBits & ~follows;
  unsigned long long even_runs = 0;
  carry = __builtin_uaddll_overflow(odd_starts, backslash, &even_runs) ? 1 : 0;
  return (kEvenBits ^ (even_runs << 1)) & follows;
}

// Faults a pair of bytes can show; a bit that all three tables agree on is one.
constexpr char kTooShort = 1 << 0;
constexpr char kTooLong = 1 << 1;
constexpr char kOverlong3 = 1 << 2;
constexpr char kTooLarge = 1 << 3;
constexpr char kSurrogate = 1 << 4;
constexpr char kOverlong2 = 1 << 5;
constexpr char kTooLarge1000 = 1 << 6;
constexpr char kOverlong4 = 1 << 6;
constexpr char kTwoContinuations = static_cast<char>(1 << 7);
constexpr char kCarry = static_cast<char>(kTooShort | kTooLong | kTwoContinuations);

constexpr char faults(int bits) {
  return static_cast<char>(bits);
}

template <int kBack>
DENDRO_AVX2_INLINE __m256i bytes_before(__m256i bytes, __m256i before) {
  return _mm256_alignr_epi8(bytes, _mm256_permute2x128_si256(before, bytes, 0x21), 16 - kBack);
}

DENDRO_AVX2_INLINE __m256i high_nibbles(__m256i bytes) {
  return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}

/// Non-zero bytes where `bytes`, which follow `before`, show a fault.
DENDRO_AVX2_INLINE __m256i utf8_faults(__m256i bytes, __m256i before) {
  const __m256i first_high = twice(_mm_setr_epi8(
      kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTwoContinuations,
      kTwoContinuations, kTwoContinuations, kTwoContinuations, faults(kTooShort | kOverlong2), kTooShort,
      faults(kTooShort | kOverlong3 | kSurrogate), faults(kTooShort | kTooLarge | kTooLarge1000 | kOverlong4)));
  constexpr char kLarge = faults(kCarry | kTooLarge | kTooLarge1000);
  const __m256i first_low =
      twice(_mm_setr_epi8(faults(kCarry | kOverlong3 | kOverlong2 | kOverlong4), faults(kCarry | kOverlong2), kCarry,
                          kCarry, faults(kCarry | kTooLarge), kLarge, kLarge, kLarge, kLarge, kLarge, kLarge, kLarge,
                          kLarge, faults(kLarge | kSurrogate), kLarge, kLarge));
  constexpr char kContinuation = faults(kTooLong | kOverlong2 | kTwoContinuations);
  const __m256i second_high = twice(
      _mm_setr_epi8(kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
                    faults(kContinuation | kOverlong3 | kTooLarge1000 | kOverlong4),
                    faults(kContinuation | kOverlong3 | kTooLarge), faults(kContinuation | kSurrogate | kTooLarge),
                    faults(kContinuation | kSurrogate | kTooLarge), kTooShort, kTooShort, kTooShort, kTooShort));
  const __m256i before1 = bytes_before<1>(bytes, before);
  const __m256i pairs = _mm256_and_si256(
      _mm256_and_si256(_mm256_shuffle_epi8(first_high, high_nibbles(before1)),
                       _mm256_shuffle_epi8(first_low, _mm256_and_si256(before1, _mm256_set1_epi8(0x0F)))),
      _mm256_shuffle_epi8(second_high, high_nibbles(bytes)));
  const __m256i third = _mm256_subs_epu8(bytes_before<2>(bytes, before), _mm256_set1_epi8(faults(0xE0 - 0x80)));
  const __m256i fourth = _mm256_subs_epu8(bytes_before<3>(bytes, before), _mm256_set1_epi8(faults(0xF0 - 0x80)));
  const __m256i must_continue = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(faults(0x80)));
  return _mm256_xor_si256(must_continue, pairs);
}

/// True if the last three bytes begin a sequence that they do not end.
DENDRO_AVX2_INLINE bool ends_open(const std::array<std::uint8_t, 3>& bytes) {
  return bytes[2] >= 0xC0 || bytes[1] >= 0xE0 || bytes[0] >= 0xF0;
}

DENDRO_AVX2_INLINE bool check_utf8(const Block64& block, const char* text, IndexState& state) {
  alignas(32) std::uint8_t before_bytes[32] = {};
  std::memcpy(before_bytes + 29, state.last_bytes.data(), 3);
  const __m256i before = _mm256_load_si256(reinterpret_cast<const __m256i*>(before_bytes));
  const __m256i fault = _mm256_or_si256(utf8_faults(block.low, before), utf8_faults(block.high, block.low));
  if (_mm256_testz_si256(fault, fault) == 0) return false;
  std::memcpy(state.last_bytes.data(), text + 61, 3);
  state.utf8_open = ends_open(state.last_bytes);
  return true;
}

bool is_hex_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Checks the escapes of one block and notes where they are; false on a fault.
DENDRO_AVX2 bool take_escapes(const char* text, std::size_t first, std::uint64_t escaped, IndexOutput& out) {
  const std::size_t count_before = out.escape_count;
  for (; escaped != 0; escaped &= escaped - 1) {
    const std::size_t at = first + static_cast<std::size_t>(__builtin_ctzll(escaped));
    const char c = text[at];
    bool good = c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
    if (c == 'u')
      good = is_hex_byte(text[at + 1]) && is_hex_byte(text[at + 2]) && is_hex_byte(text[at + 3]) &&
             is_hex_byte(text[at + 4]);
    if (!good) {
      out.escape_count = count_before;
      return false;
    }
    out.escapes[out.escape_count++] = static_cast<std::uint32_t>(at);
  }
  return true;
}

/// Writes the positions of the set bits; may write up to eight more entries than it counts.
DENDRO_AVX2_INLINE void write_tokens(std::uint64_t bits, std::size_t first, IndexOutput& out) {
  const auto count = static_cast<std::size_t>(_mm_popcnt_u64(bits));
  std::uint32_t* place = out.tokens + out.token_count;
  const auto base = static_cast<std::uint32_t>(first);
  const auto write_eight = [&](std::size_t at) DENDRO_AVX2 {
    for (std::size_t i = at; i < at + 8; ++i) {
      place[i] = base + static_cast<std::uint32_t>(_tzcnt_u64(bits));
      bits = _blsr_u64(bits);
    }
  };
  write_eight(0);
  if (count > 8) [[likely]]
    write_eight(8);
  if (count > 16) [[unlikely]] {
    for (std::size_t at = 16; at < count; at += 8) write_eight(at);
  }
  out.token_count += count;
}

DENDRO_AVX2_INLINE bool index_block64(const char* text, std::size_t first, IndexState& state, IndexOutput& out) {
  const auto* bytes = reinterpret_cast<const __m256i*>(text + first);
  const Block64 block = {_mm256_loadu_si256(bytes), _mm256_loadu_si256(bytes + 1)};
  if (_mm256_movemask_epi8(_mm256_or_si256(block.low, block.high)) != 0) [[unlikely]] {
    if (!check_utf8(block, text + first, state)) return false;
  } else if (state.utf8_open) [[unlikely]] {
    return false;
  } else {
    state.last_bytes = {};
  }
  const std::uint64_t backslash = equal_mask(block, '\\');
  std::uint64_t escaped = 0;
  if ((backslash | state.escaped) != 0) [[unlikely]]
    escaped = escaped_mask(backslash, state.escaped);
  const std::uint64_t quote = equal_mask(block, '"') & ~escaped;
  const std::uint64_t in_string = prefix_xor(quote) ^ state.in_string;
  if ((control_mask(block) & in_string) != 0) [[unlikely]]
    return false;
  if ((escaped & in_string) != 0 && !take_escapes(text, first, escaped & in_string, out)) [[unlikely]]
    return false;
  state.in_string = static_cast<std::uint64_t>(static_cast<std::int64_t>(in_string) >> 63);

  const std::uint64_t operators = bracket_mask(block) | equal_mask(block, '\n');
  const std::uint64_t scalar = ~(operators | space_mask(block));
  const std::uint64_t inner_scalar = scalar & ~quote;
  const std::uint64_t scalar_starts = scalar & ~((inner_scalar << 1) | state.in_scalar);
  state.in_scalar = inner_scalar >> 63;
  write_tokens((operators | scalar_starts) & ~(in_string ^ quote), first, out);
  return true;
}

}  // namespace

DENDRO_AVX2 std::size_t index_avx2(const char* text, std::size_t first, std::size_t last, IndexState& state,
                                   IndexOutput& out) {
  IndexState local = state;
  IndexOutput found = out;
  for (; first < last; first += 64) {
    if (!index_block64(text, first, local, found)) break;
  }
  state = local;
  out = found;
  return first;
}

bool index_avx2_supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
}

#else

std::size_t index_avx2(const char* text, std::size_t first, std::size_t last, IndexState& state, IndexOutput& out) {
  DENDRO_CHECK(false && "not built for this machine");
  return index_scalar(text, first, last, state, out);
}

bool index_avx2_supported() {
  return false;
}

#endif

}  // namespace dendro
