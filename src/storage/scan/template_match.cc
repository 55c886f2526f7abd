#include "storage/scan/template_match.h"

#include <algorithm>
#include <bitset>

#include "codec/splitter.h"
#include "record/fold.h"

namespace dendro {
namespace {

/// More ways than this to place a needle in one template: the values are asked instead.
constexpr std::size_t kAlternativesMax = 64;

bool has_non_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

class PatternQuestion final : public TextQuestion {
 public:
  explicit PatternQuestion(const TextPattern& pattern)
      : folds_(pattern.folds),
        needle_(pattern.folds ? folded(pattern.text) : pattern.text),
        start_boundary_(pattern.needs_start_boundary()),
        end_boundary_(pattern.needs_end_boundary()) {
    // What must stand together where the needle begins in static text: its first token, which ends there or is not a
    // variable, and the delimiters behind it.
    const std::size_t token_bytes = token_size(0);
    std::size_t prefix_bytes = token_bytes;
    while (prefix_bytes < needle_.size() && is_delimiter(needle_[prefix_bytes])) ++prefix_bytes;
    prefix_ = std::string_view(needle_).substr(0, prefix_bytes);
    may_start_static_ = !is_variable(prefix_);
  }

  TemplateVerdict ask(std::string_view text, std::span<const SlotSummary> slots) override {
    TemplateVerdict verdict;
    if (needle_.empty()) {
      verdict.kind = TemplateVerdict::Kind::always;
      return verdict;
    }
    if (folds_) {
      // Boundaries are those of real bytes; beyond ASCII folding may move them.
      if (has_non_ascii(text)) {
        verdict.kind = TemplateVerdict::Kind::maybe;
        return verdict;
      }
      folded_.clear();
      append_folded(folded_, text);
      text = folded_;
    }
    if (ask_static(text, slots, verdict)) return verdict;
    ask_slots(text, slots, verdict);
    if (verdict.alternatives.size() > kAlternativesMax) {
      verdict.kind = TemplateVerdict::Kind::maybe;
      verdict.alternatives.clear();
    } else if (!verdict.alternatives.empty()) {
      verdict.kind = TemplateVerdict::Kind::tests;
    }
    return verdict;
  }

 private:
  /// Occurrences that begin in static text. True if one is certain.
  bool ask_static(std::string_view text, std::span<const SlotSummary> slots, TemplateVerdict& verdict) {
    if (!may_start_static_) return false;
    std::size_t slot = 0;
    std::size_t counted = 0;
    for (std::size_t at = find_literal(text, prefix_); at != std::string_view::npos;
         at = find_literal(text, prefix_, at + 1)) {
      if (start_boundary_ && at > 0 && is_word_char(text[at - 1])) continue;
      slot += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                  text.begin() + static_cast<std::ptrdiff_t>(at), kSlotMark));
      counted = at;
      if (walk(text, at, slot, 0, {}, slots, verdict)) return true;
    }
    return false;
  }

  /// Occurrences that begin in a variable.
  void ask_slots(std::string_view text, std::span<const SlotSummary> slots, TemplateVerdict& verdict) {
    const std::size_t token_bytes = token_size(0);
    if (token_bytes == 0 || slots.empty()) return;
    const bool goes_on = token_bytes < needle_.size();
    if (first_test_ == kNoTest) {
      TokenTest::Needs needs;
      needs.place = goes_on ? TokenPlace::at_end : TokenPlace::anywhere;
      needs.start_boundary = start_boundary_;
      needs.end_boundary = !goes_on && end_boundary_;
      needs.folds = folds_;
      first_test_ = test_number(TokenTest(std::string_view(needle_).substr(0, token_bytes), needs));
    }
    std::size_t at = 0;  // behind the mark of the slot before `next`
    std::size_t next = 0;
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
      if (!tests()[first_test_].may_match(slots[slot])) continue;
      std::vector<TemplateVerdict::SlotTest> open = {{static_cast<std::uint32_t>(slot), first_test_}};
      if (!goes_on) {
        verdict.alternatives.push_back(std::move(open));
        if (verdict.alternatives.size() > kAlternativesMax) return;
        continue;
      }
      for (; next <= slot; ++next) at = text.find(kSlotMark, at) + 1;
      if (at == text.size() || text[at] != needle_[token_bytes]) continue;
      walk(text, at, slot + 1, token_bytes, std::move(open), slots, verdict);
      if (verdict.alternatives.size() > kAlternativesMax) return;
    }
  }

  /// Goes on matching needle_[done..) at text[at..), `slot` being the first variable from there on. True if the needle
  /// stands there without any open test.
  bool walk(std::string_view text, std::size_t at, std::size_t slot, std::size_t done,
            std::vector<TemplateVerdict::SlotTest> open, std::span<const SlotSummary> slots, TemplateVerdict& verdict) {
    while (done < needle_.size()) {
      if (at == text.size()) return false;
      if (text[at] == kSlotMark) {
        const std::size_t bytes = token_size(done);
        if (bytes == 0) return false;  // a variable is never empty
        const bool is_inner = done + bytes < needle_.size();
        const std::string_view token = std::string_view(needle_).substr(done, bytes);
        if (is_inner && !is_variable(token)) return false;  // a token without digit is no variable
        TokenTest::Needs needs;
        needs.place = is_inner ? TokenPlace::whole : TokenPlace::at_start;
        needs.end_boundary = !is_inner && end_boundary_;
        needs.folds = folds_;
        const std::uint32_t test = test_number(TokenTest(token, needs));
        if (!tests()[test].may_match(slots[slot])) return false;
        open.push_back({static_cast<std::uint32_t>(slot), test});
        ++slot;
        ++at;
        done += bytes;
        if (!is_inner) break;  // the boundary behind it is the test's
        continue;
      }
      if (text[at] != needle_[done]) return false;
      ++at;
      ++done;
      if (done == needle_.size() && end_boundary_ && at < text.size() && text[at] != kSlotMark &&
          is_word_char(text[at])) {
        return false;
      }
    }
    if (open.empty()) {
      verdict.kind = TemplateVerdict::Kind::always;
      verdict.alternatives.clear();
      return true;
    }
    verdict.alternatives.push_back(std::move(open));
    return false;
  }

  /// Bytes of the needle from `first` up to the next delimiter.
  std::size_t token_size(std::size_t first) const {
    std::size_t last = first;
    while (last < needle_.size() && !is_delimiter(needle_[last])) ++last;
    return last - first;
  }

  static constexpr std::uint32_t kNoTest = 0xFFFFFFFF;
  const bool folds_;
  const std::string needle_;
  const bool start_boundary_;
  const bool end_boundary_;
  std::string prefix_;
  bool may_start_static_ = false;
  std::uint32_t first_test_ = kNoTest;
  std::string folded_;
};

class EqualsQuestion final : public TextQuestion {
 public:
  explicit EqualsQuestion(std::string_view text) {
    std::vector<SlotSpan> spans;
    find_slots(text, spans);
    make_skeleton(text, spans, skeleton_);
    for (const SlotSpan& span : spans) {
      TokenTest::Needs needs;
      needs.place = TokenPlace::whole;
      open_.push_back({static_cast<std::uint32_t>(open_.size()),
                       test_number(TokenTest(text.substr(span.first, span.size), needs))});
    }
  }

  TemplateVerdict ask(std::string_view text, std::span<const SlotSummary> slots) override {
    TemplateVerdict verdict;
    if (text != skeleton_) return verdict;
    for (const TemplateVerdict::SlotTest& test : open_) {
      if (!tests()[test.test].may_match(slots[test.slot])) return verdict;
    }
    verdict.kind = open_.empty() ? TemplateVerdict::Kind::always : TemplateVerdict::Kind::tests;
    if (!open_.empty()) verdict.alternatives.push_back(open_);
    return verdict;
  }

 private:
  std::string skeleton_;
  std::vector<TemplateVerdict::SlotTest> open_;
};

std::bitset<256> delimiter_set() {
  std::bitset<256> set;
  for (const char c : kDelimiters) set.set(static_cast<std::uint8_t>(c));
  return set;
}

/// An expression that avoids delimiters lies within one token, so static text and each variable are asked by
/// themselves. Any other is asked of whole values, but only where the texts that it requires can stand.
class RegexQuestion final : public TextQuestion {
 public:
  explicit RegexQuestion(std::shared_ptr<const Regex> regex)
      : regex_(std::move(regex)), is_local_(regex_->avoids(delimiter_set())) {
    if (is_local_) {
      test_number(TokenTest(regex_));
      return;
    }
    for (const std::string& atom : regex_->atoms()) {
      TextPattern pattern;
      pattern.text = atom;
      pattern.open_start = pattern.open_end = true;
      pattern.folds = true;
      atoms_.push_back(make_pattern_question(pattern));
    }
  }

  TemplateVerdict ask(std::string_view text, std::span<const SlotSummary> slots) override {
    TemplateVerdict verdict;
    if (slots.empty()) {
      verdict.kind = regex_->matches(text) ? TemplateVerdict::Kind::always : TemplateVerdict::Kind::never;
      return verdict;
    }
    return is_local_ ? ask_local(text, slots) : ask_atoms(text, slots);
  }

 private:
  TemplateVerdict ask_local(std::string_view text, std::span<const SlotSummary> slots) const {
    TemplateVerdict verdict;
    static_.assign(text);
    std::replace(static_.begin(), static_.end(), kSlotMark, ' ');  // a delimiter: no match crosses it
    if (regex_->matches(static_)) {
      verdict.kind = TemplateVerdict::Kind::always;
      return verdict;
    }
    for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
      if (tests().front().may_match(slots[slot])) verdict.alternatives.push_back({{slot, 0}});
    }
    if (!verdict.alternatives.empty()) verdict.kind = TemplateVerdict::Kind::tests;
    return verdict;
  }

  TemplateVerdict ask_atoms(std::string_view text, std::span<const SlotSummary> slots) const {
    TemplateVerdict verdict;
    std::vector<int> present;
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      if (atoms_[i]->ask(text, slots).kind != TemplateVerdict::Kind::never) present.push_back(static_cast<int>(i));
    }
    if (regex_->may_match(present)) verdict.kind = TemplateVerdict::Kind::maybe;
    return verdict;
  }

  const std::shared_ptr<const Regex> regex_;
  const bool is_local_;
  std::vector<std::unique_ptr<TextQuestion>> atoms_;
  mutable std::string static_;
};

}  // namespace

std::uint32_t TextQuestion::test_number(TokenTest test) {
  const auto known = std::find(tests_.begin(), tests_.end(), test);
  if (known != tests_.end()) return static_cast<std::uint32_t>(known - tests_.begin());
  tests_.push_back(std::move(test));
  return static_cast<std::uint32_t>(tests_.size() - 1);
}

std::unique_ptr<TextQuestion> make_pattern_question(const TextPattern& pattern) {
  return std::make_unique<PatternQuestion>(pattern);
}
std::unique_ptr<TextQuestion> make_equals_question(std::string_view text) {
  return std::make_unique<EqualsQuestion>(text);
}
std::unique_ptr<TextQuestion> make_regex_question(std::shared_ptr<const Regex> regex) {
  return std::make_unique<RegexQuestion>(std::move(regex));
}

}  // namespace dendro
