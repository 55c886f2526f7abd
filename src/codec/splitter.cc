#include "codec/splitter.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "codec/short_bytes.h"

namespace dendro {
namespace {

constexpr std::uint8_t kDelimiterClass = 1;
constexpr std::uint8_t kDigitClass = 2;

constexpr std::array<std::uint8_t, 256> make_split_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (const char c : kDelimiters) classes[static_cast<std::uint8_t>(c)] = kDelimiterClass;
  for (char c = '0'; c <= '9'; ++c) classes[static_cast<std::uint8_t>(c)] = kDigitClass;
  return classes;
}
constexpr std::array<std::uint8_t, 256> kSplitClasses = make_split_classes();

std::uint8_t class_of(char c) {
  return kSplitClasses[static_cast<std::uint8_t>(c)];
}

/// Delimiters and digits of 64 bytes, a bit each, lowest first.
struct ClassMasks {
  std::uint64_t delimiters = 0;
  std::uint64_t digits = 0;
};

/// A delimiter is known by its two half bytes: each row of high halves has a bit, each low half says in which rows it
/// is one. High halves from 8 on have the top bit set, for which the shuffle gives 0.
constexpr std::array<std::uint8_t, 32> make_high_half_bits() {
  std::array<std::uint8_t, 32> bits{};
  std::uint8_t next = 1;
  for (std::size_t high = 0; high < 8; ++high) {
    bool is_used = false;
    for (const char c : kDelimiters) is_used = is_used || (static_cast<std::uint8_t>(c) >> 4) == high;
    if (!is_used) continue;
    bits[high] = bits[high + 16] = next;
    next = static_cast<std::uint8_t>(next << 1);
  }
  return bits;
}
constexpr std::array<std::uint8_t, 32> kHighHalfBits = make_high_half_bits();

constexpr std::array<std::uint8_t, 32> make_low_half_rows() {
  std::array<std::uint8_t, 32> rows{};
  for (const char c : kDelimiters) {
    const auto byte = static_cast<std::uint8_t>(c);
    rows[byte & 15] |= kHighHalfBits[byte >> 4];
    rows[(byte & 15) + 16] |= kHighHalfBits[byte >> 4];
  }
  return rows;
}
constexpr std::array<std::uint8_t, 32> kLowHalfRows = make_low_half_rows();

__attribute__((target("avx2"), always_inline)) inline ClassMasks classify_32(const char* at) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i high_bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kHighHalfBits.data()));
  const __m256i low_rows = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLowHalfRows.data()));
  const __m256i low_half = _mm256_and_si256(bytes, _mm256_set1_epi8(0x0F));
  const __m256i high_half = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
  const __m256i meets =
      _mm256_and_si256(_mm256_shuffle_epi8(low_rows, low_half), _mm256_shuffle_epi8(high_bits, high_half));
  const auto others =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(meets, _mm256_setzero_si256())));
  const __m256i above_zero = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
  const __m256i is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(above_zero, _mm256_set1_epi8(9)), above_zero);
  return {static_cast<std::uint32_t>(~others), static_cast<std::uint32_t>(_mm256_movemask_epi8(is_digit))};
}

__attribute__((target("avx2"), always_inline)) inline ClassMasks classify_64(const char* at) {
  const ClassMasks low = classify_32(at);
  const ClassMasks high = classify_32(at + 32);
  return {low.delimiters | high.delimiters << 32, low.digits | high.digits << 32};
}

/// Walks the masks of a text block by block. Between blocks it holds where the token at hand began and whether a digit
/// was seen in it.
class SlotWalk {
 public:
  explicit SlotWalk(std::vector<SlotSpan>& slots) : slots_(slots) {}

  void block(std::size_t base, ClassMasks masks) {
    for (;;) {
      if (!in_variable_) {
        if (masks.digits == 0) {
          if (masks.delimiters != 0)
            token_first_ = base + 64 - static_cast<std::size_t>(std::countl_zero(masks.delimiters));
          return;
        }
        const auto digit = static_cast<unsigned>(std::countr_zero(masks.digits));
        const std::uint64_t before = masks.delimiters & ((std::uint64_t{1} << digit) - 1);
        if (before != 0) token_first_ = base + 64 - static_cast<std::size_t>(std::countl_zero(before));
        masks.delimiters ^= before;
        in_variable_ = true;
      }
      if (masks.delimiters == 0) return;
      const auto end = static_cast<unsigned>(std::countr_zero(masks.delimiters));
      finish(base + end);
      token_first_ = base + end + 1;
      const std::uint64_t rest = end == 63 ? 0 : ~std::uint64_t{0} << (end + 1);
      masks.delimiters &= rest;
      masks.digits &= rest;
    }
  }
  void end(std::size_t size) {
    if (in_variable_) finish(size);
  }

 private:
  void finish(std::size_t end) {
    slots_.push_back({static_cast<std::uint32_t>(token_first_), static_cast<std::uint32_t>(end - token_first_)});
    in_variable_ = false;
  }

  std::vector<SlotSpan>& slots_;
  std::size_t token_first_ = 0;
  bool in_variable_ = false;
};

__attribute__((target("avx2"))) void append_slots_avx2(std::string_view text, std::vector<SlotSpan>& slots) {
  SlotWalk walk(slots);
  std::size_t base = 0;
  for (; base + 64 <= text.size(); base += 64) walk.block(base, classify_64(text.data() + base));
  if (base < text.size()) {
    std::array<char, 64> padded;
    padded.fill('a');  // neither delimiter nor digit
    std::memcpy(padded.data(), text.data() + base, text.size() - base);
    walk.block(base, classify_64(padded.data()));
  }
  walk.end(text.size());
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;

}  // namespace

bool is_delimiter(char c) {
  return class_of(c) == kDelimiterClass;
}

bool is_variable(std::string_view token) {
  return std::any_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; });
}

namespace {

void append_slots_plain(std::string_view text, std::vector<SlotSpan>& slots) {
  std::size_t first = 0;
  bool has_digit = false;
  const auto end_token = [&](std::size_t end) {
    if (has_digit) slots.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)});
    has_digit = false;
    first = end + 1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint8_t own = class_of(text[at]);
    if (own == kDelimiterClass) end_token(at);
    has_digit = has_digit || own == kDigitClass;
  }
  end_token(text.size());
}

}  // namespace

void find_slots_plain(std::string_view text, std::vector<SlotSpan>& slots) {
  slots.clear();
  append_slots_plain(text, slots);
}

void find_slots(std::string_view text, std::vector<SlotSpan>& slots) {
  slots.clear();
  append_slots(text, slots);
}

void append_slots(std::string_view text, std::vector<SlotSpan>& slots) {
  if (kHasAvx2) {
    append_slots_avx2(text, slots);
  } else {
    append_slots_plain(text, slots);
  }
}

void make_skeleton(std::string_view text, std::span<const SlotSpan> slots, std::string& skeleton) {
  skeleton.clear();
  std::size_t at = 0;
  for (const SlotSpan& slot : slots) {
    skeleton.append(text.substr(at, slot.first - at));
    skeleton.push_back(kSlotMark);
    at = slot.first + slot.size;
  }
  skeleton.append(text.substr(at));
}

bool has_skeleton(std::string_view text, std::span<const SlotSpan> slots, std::string_view skeleton) {
  std::size_t at = 0;
  std::size_t rest = skeleton.size();  // of the skeleton, not looked at yet
  const char* expected = skeleton.data();
  for (const SlotSpan& slot : slots) {
    const std::size_t bytes = slot.first - at;
    if (rest <= bytes || expected[bytes] != kSlotMark || !equal_bytes(text.data() + at, expected, bytes)) return false;
    expected += bytes + 1;
    rest -= bytes + 1;
    at = slot.first + slot.size;
  }
  return rest == text.size() - at && equal_bytes(text.data() + at, expected, rest);
}

}  // namespace dendro
