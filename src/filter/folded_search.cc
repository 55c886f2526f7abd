// Finding folded text in raw text. For an ASCII needle a match is, but for two characters, as long as the needle, so
// that its first and its last byte can be looked for at a fixed distance, 32 places at a time, in both cases at once.
// The two are U+212A, which folds to `k`, and U+017F, which folds to `s` ("wide forms"): wherever one stands, the
// places a match with it could begin at are tried one by one. A needle's valid UTF-8 begins at a character of the
// haystack wherever it matches, because no continuation byte can begin it.
#include "filter/folded_search.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "base/utf8.h"
#include "record/fold.h"

namespace dendro {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;
constexpr std::string_view kKelvinSign = "\xE2\x84\xAA";
constexpr std::string_view kLongS = "\xC5\xBF";

/// Bytes of the haystack at `at` that match the whole needle; nothing if they do not.
std::optional<std::size_t> match_here(std::string_view haystack, std::size_t at, std::string_view needle) {
  const std::size_t begin = at;
  std::string character;
  while (!needle.empty()) {
    if (at >= haystack.size()) return std::nullopt;
    if (static_cast<std::uint8_t>(haystack[at]) < 0x80) {
      if (fold_ascii(haystack[at]) != needle.front()) return std::nullopt;
      ++at;
      needle.remove_prefix(1);
      continue;
    }
    const DecodedUtf8 front = decode_utf8(haystack.substr(at));
    if (!front.valid) return std::nullopt;
    character.clear();
    append_utf8(character, fold_code_point(front.code_point));
    if (!needle.starts_with(character)) return std::nullopt;
    at += front.bytes;
    needle.remove_prefix(character.size());
  }
  return at - begin;
}

/// A place that matches.
struct FoldedHit {
  std::size_t at = kNotFound;
  std::size_t bytes = 0;
};

/// Tries the places of [first, last).
FoldedHit try_places(std::string_view haystack, const FoldedNeedle& needle, std::size_t first, std::size_t last) {
  for (std::size_t at = first; at < std::min(last, haystack.size()); ++at) {
    if (!needle.may_start(haystack[at])) continue;
    if (const auto bytes = match_here(haystack, at, needle.text())) return {at, *bytes};
  }
  return {};
}

/// A needle with ill-formed bytes: they may stand anywhere, also inside a character of the haystack, where no match of
/// ours begins; so the haystack is folded and each folded byte remembers its character. The hit covers whole ones.
FoldedHit find_by_folding(std::string_view haystack, const FoldedNeedle& needle, std::size_t first) {
  std::string text;
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < haystack.size();) {
    const std::size_t bytes = decode_utf8(haystack.substr(at)).bytes;
    append_folded(text, haystack.substr(at, bytes));
    starts.resize(text.size(), at);
    at += bytes;
  }
  starts.push_back(haystack.size());
  const std::size_t from =
      static_cast<std::size_t>(std::lower_bound(starts.begin(), starts.end(), first) - starts.begin());
  const std::size_t found = text.find(needle.text(), from);
  if (found == kNotFound) return {};
  std::size_t end = found + needle.text().size();
  while (end < text.size() && starts[end] == starts[end - 1]) ++end;
  return {starts[found], starts[end] - starts[found]};
}

/// Place of the first wide form that begins in [first, last); npos if there is none.
std::size_t find_wide_form(std::string_view haystack, std::size_t first, std::size_t last) {
  const std::string_view part = haystack.substr(0, std::min(haystack.size(), last + 2));
  const std::size_t at = std::min(part.find(kKelvinSign, first), part.find(kLongS, first));
  return at < last ? at : kNotFound;
}

/// First place from which a character at `reached` can still be part of a match whose other characters are ASCII.
std::size_t first_start_of(std::size_t reached, std::size_t needle_bytes, std::size_t first) {
  return reached >= first + needle_bytes - 1 ? reached - (needle_bytes - 1) : first;
}

bool equals_ascii_folded(const char* text, std::string_view folded_text) {
  for (std::size_t i = 0; i < folded_text.size(); ++i) {
    if (fold_ascii(text[i]) != folded_text[i]) return false;
  }
  return true;
}

/// The search for one ASCII needle in one haystack. Invariant at each step: no match begins in [first_, at_) unless a
/// wide form at or behind at_ is part of it.
class Avx2Search {
 public:
  Avx2Search(std::string_view haystack, const FoldedNeedle& needle, std::size_t first)
      : haystack_(haystack), needle_(needle), first_(first), at_(first) {}

  __attribute__((target("avx2"))) FoldedHit run() {
    const std::string_view text = needle_.text();
    const std::size_t distance = text.size() - 1;
    const __m256i head_case = _mm256_set1_epi8(case_bit(text.front()));
    const __m256i tail_case = _mm256_set1_epi8(case_bit(text.back()));
    const __m256i head = _mm256_set1_epi8(text.front());
    const __m256i tail = _mm256_set1_epi8(text.back());
    while (at_ + distance + kBlockBytes <= haystack_.size()) {
      const char* place = haystack_.data() + at_;
      const __m256i raw_head = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place));
      const __m256i raw_tail = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(place + distance));
      if (needle_.has_wide_forms() && _mm256_movemask_epi8(raw_head) != 0) {
        if (const std::size_t wide = find_wide_form(haystack_, at_, at_ + kBlockBytes); wide != kNotFound) {
          const FoldedHit hit = try_around(wide);
          if (hit.at != kNotFound) return hit;
          continue;
        }
      }
      const __m256i both = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(raw_head, head_case), head),
                                            _mm256_cmpeq_epi8(_mm256_or_si256(raw_tail, tail_case), tail));
      for (auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(both)); mask != 0; mask &= mask - 1) {
        const std::size_t found = at_ + static_cast<std::size_t>(std::countr_zero(mask));
        // No match begins earlier: it would need a wide form, of which there is none before this block's end, and the
        // bytes behind it up to the end of what was found here are ASCII.
        if (equals_ascii_folded(haystack_.data() + found, text)) return {found, text.size()};
      }
      at_ += kBlockBytes;
    }
    return try_rest();
  }

 private:
  static constexpr std::size_t kBlockBytes = 32;

  /// Set in a byte, it makes both cases of a letter the small one.
  static char case_bit(char c) { return c >= 'a' && c <= 'z' ? 0x20 : 0; }

  /// Tries every place from which the wide form at `wide` can be reached, and those of the block before it.
  FoldedHit try_around(std::size_t wide) {
    const std::size_t from = std::min(at_, first_start_of(wide, needle_.text().size(), first_));
    const FoldedHit hit = try_places(haystack_, needle_, from, wide + 1);
    at_ = wide + 1;
    return hit;
  }
  FoldedHit try_rest() const {
    std::size_t from = at_;
    if (needle_.has_wide_forms() && find_wide_form(haystack_, at_, haystack_.size()) != kNotFound) {
      from = std::min(at_, first_start_of(at_, needle_.text().size(), first_));
    }
    return try_places(haystack_, needle_, from, haystack_.size());
  }

  std::string_view haystack_;
  const FoldedNeedle& needle_;
  std::size_t first_;
  std::size_t at_;
};

FoldedHit find_scalar(std::string_view haystack, const FoldedNeedle& needle, std::size_t first) {
  if (first > haystack.size()) return {};
  if (needle.text().empty()) return {first, 0};
  if (!needle.is_utf8()) return find_by_folding(haystack, needle, first);
  return try_places(haystack, needle, first, haystack.size());
}

std::size_t given(const FoldedHit& hit, std::size_t* match_bytes) {
  if (match_bytes != nullptr) *match_bytes = hit.bytes;
  return hit.at;
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

/// Bytes that begin the characters that fold to `folded_first`.
void mark_starts(char32_t folded_first, std::array<bool, 256>& may_start) {
  const auto mark = [&may_start](char32_t code_point) {
    std::string bytes;
    append_utf8(bytes, code_point);
    may_start[static_cast<std::uint8_t>(bytes.front())] = true;
  };
  mark(folded_first);
  for (const char32_t other : code_points_folding_to(folded_first)) mark(other);
}

}  // namespace

FoldedNeedle::FoldedNeedle(std::string_view text) : text_(folded(text)), is_utf8_(is_valid_utf8(text_)) {
  for (const char c : text_) {
    is_ascii_ = is_ascii_ && static_cast<std::uint8_t>(c) < 0x80;
    has_wide_forms_ = has_wide_forms_ || c == 'k' || c == 's';
  }
  if (is_utf8_ && !text_.empty()) mark_starts(decode_utf8(text_).code_point, may_start_);
}

std::size_t find_folded(std::string_view haystack, const FoldedNeedle& needle, std::size_t first,
                        std::size_t* match_bytes) {
  const bool is_fast = needle.is_ascii() && !needle.text().empty() && first <= haystack.size() && has_avx2();
  if (!is_fast) return find_folded_scalar(haystack, needle, first, match_bytes);
  return given(Avx2Search(haystack, needle, first).run(), match_bytes);
}

std::size_t find_folded_scalar(std::string_view haystack, const FoldedNeedle& needle, std::size_t first,
                               std::size_t* match_bytes) {
  return given(find_scalar(haystack, needle, first), match_bytes);
}

}  // namespace dendro
