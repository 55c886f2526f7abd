#include "storage/scan/token_test.h"

#include <algorithm>
#include <cstring>

#include "filter/text_pattern.h"
#include "record/fold.h"
#include "storage/segment/token_filter.h"

namespace dendro {
namespace {

// Letters of one kind in both cases, so that a folded needle meets either.
constexpr ByteClasses kUpToZ = 0x01 | 0x04;
constexpr ByteClasses kUpToF = 0x02 | 0x08;
constexpr ByteClasses kOtherBytes = 0x80;

/// Classes a slot may have instead of the needle's: both cases of a letter, and any other byte for `k` and `s`.
bool may_hold_folded(ByteClasses needle, ByteClasses slot, bool has_wide_forms) {
  if (has_wide_forms && (slot & kOtherBytes) != 0) return true;
  if ((needle & kUpToZ) != 0 && (slot & kUpToZ) == 0) return false;
  if ((needle & kUpToF) != 0 && (slot & kUpToF) == 0) return false;
  const auto rest = static_cast<ByteClasses>(needle & ~(kUpToZ | kUpToF));
  return (rest & ~slot) == 0;
}

}  // namespace

TokenTest::TokenTest(std::string_view text, Needs needs)
    : text_(needs.folds ? folded(text) : std::string(text)), needs_(needs), classes_(byte_classes(text_)) {
  if (needs.folds) folded_ = FoldedNeedle(text_);
  derive_keys();
}

TokenTest::TokenTest(std::shared_ptr<const Regex> regex) : regex_(std::move(regex)) {
  Needs needs;
  needs.folds = true;
  for (const std::string& atom : regex_->atoms()) atoms_.emplace_back(atom, needs);
}

bool operator==(const TokenTest& a, const TokenTest& b) {
  return a.text_ == b.text_ && a.needs_.place == b.needs_.place && a.needs_.start_boundary == b.needs_.start_boundary &&
         a.needs_.end_boundary == b.needs_.end_boundary && a.needs_.folds == b.needs_.folds && a.regex_ == b.regex_;
}

/// A word of the text is a word of the variable if nothing can stand beside it that would make it longer.
void TokenTest::derive_keys() {
  const std::string folded_text = folded(text_);
  const bool starts =
      needs_.place == TokenPlace::at_start || needs_.place == TokenPlace::whole || needs_.start_boundary;
  const bool ends = needs_.place == TokenPlace::at_end || needs_.place == TokenPlace::whole || needs_.end_boundary;
  for_each_word(folded_text, [&](std::size_t first, std::size_t last) {
    if ((first > 0 || starts) && (last < folded_text.size() || ends)) {
      keys_.push_back(token_key(std::string_view(folded_text).substr(first, last - first)));
    }
  });
  if (needs_.place == TokenPlace::whole && !text_.empty()) keys_.push_back(token_key(folded_text));
}

bool TokenTest::may_match(const SlotSummary& slot) const {
  if (regex_ != nullptr) return may_match_regex(slot);
  if (!needs_.folds) return text_.size() <= slot.max_bytes && (classes_ & ~slot.classes) == 0;
  // Folding changes lengths only of characters beyond ASCII.
  if ((slot.classes & kOtherBytes) == 0 && text_.size() > slot.max_bytes) return false;
  return !folded_.is_ascii() || may_hold_folded(classes_, slot.classes, folded_.has_wide_forms());
}

bool TokenTest::may_match_regex(const SlotSummary& slot) const {
  if (atoms_.empty()) return true;
  std::vector<int> present;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (atoms_[i].may_match(slot)) present.push_back(static_cast<int>(i));
  }
  return regex_->may_match(present);
}

bool TokenTest::matches_at(std::string_view token, std::size_t at, std::size_t bytes) const {
  const std::size_t end = at + bytes;
  const bool at_start = needs_.place == TokenPlace::at_start || needs_.place == TokenPlace::whole;
  const bool at_end = needs_.place == TokenPlace::at_end || needs_.place == TokenPlace::whole;
  if ((at_start && at != 0) || (at_end && end != token.size())) return false;
  if (needs_.start_boundary && at > 0 && is_word_char(token[at - 1])) return false;
  return !needs_.end_boundary || end == token.size() || !is_word_char(token[end]);
}

bool TokenTest::matches(std::string_view token) const {
  if (regex_ != nullptr) return regex_->matches(token);
  if (!needs_.folds) {
    if (needs_.place == TokenPlace::whole) return token == text_;
    for (std::size_t at = find_literal(token, text_); at != std::string_view::npos;
         at = find_literal(token, text_, at + 1)) {
      if (matches_at(token, at, text_.size())) return true;
    }
    return false;
  }
  std::size_t bytes = 0;
  for (std::size_t at = find_folded(token, folded_, 0, &bytes); at != std::string_view::npos;
       at = find_folded(token, folded_, at + 1, &bytes)) {
    if (matches_at(token, at, bytes)) return true;
  }
  return false;
}

void TokenTest::find(std::string_view text, const std::uint32_t* firsts, std::uint32_t gap_bytes, std::size_t first,
                     std::size_t last, std::vector<std::uint32_t>& entries) const {
  const auto entry_at = [&](std::size_t entry) {
    return text.substr(firsts[entry], firsts[entry + 1] - firsts[entry] - gap_bytes);
  };
  if (first == last) return;
  if (regex_ != nullptr) return find_by_regex(text, firsts, gap_bytes, first, last, entries);
  if (text_.empty()) {
    for (std::size_t entry = first; entry < last; ++entry) {
      if (matches(entry_at(entry))) entries.push_back(static_cast<std::uint32_t>(entry));
    }
    return;
  }
  // One search over all of them; a hit names its entry, which is then asked properly.
  const std::string_view region = text.substr(0, firsts[last]);
  for (std::size_t at = firsts[first];;) {
    at = needs_.folds ? find_folded(region, folded_, at) : find_literal(region, text_, at);
    if (at == std::string_view::npos) return;
    const std::uint32_t* behind = std::upper_bound(firsts + first, firsts + last, static_cast<std::uint32_t>(at));
    const auto entry = static_cast<std::size_t>(behind - firsts) - 1;
    if (matches(entry_at(entry))) entries.push_back(static_cast<std::uint32_t>(entry));
    at = firsts[entry + 1];
    if (entry + 1 >= last) return;
  }
}

/// The expression avoids delimiters, so that the byte between two entries cannot be part of a match.
void TokenTest::find_by_regex(std::string_view text, const std::uint32_t* firsts, std::uint32_t gap_bytes,
                              std::size_t first, std::size_t last, std::vector<std::uint32_t>& entries) const {
  constexpr std::size_t kFewEntries = 16;
  if (gap_bytes == 0 || last - first < kFewEntries) {
    for (std::size_t entry = first; entry < last; ++entry) {
      const std::string_view value = text.substr(firsts[entry], firsts[entry + 1] - firsts[entry] - gap_bytes);
      if (regex_->matches(value)) entries.push_back(static_cast<std::uint32_t>(entry));
    }
    return;
  }
  std::vector<std::uint32_t> ends(last - first);
  for (std::size_t entry = first; entry < last; ++entry) ends[entry - first] = firsts[entry + 1] - firsts[first];
  std::vector<std::uint8_t> verdicts;
  regex_->match_many(text.substr(firsts[first], firsts[last] - firsts[first]), ends, verdicts);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i] != 0) entries.push_back(static_cast<std::uint32_t>(first + i));
  }
}

}  // namespace dendro
