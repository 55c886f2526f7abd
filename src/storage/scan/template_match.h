#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filter/regex.h"
#include "filter/text_pattern.h"
#include "storage/scan/token_test.h"
#include "storage/segment/segment_dictionary.h"

namespace dendro {

// A question about a text, asked of its template first (engine.md 4.3). By the splitter's invariants I1-I3 every
// occurrence of a needle aligns its tokens and delimiters with those of the template, so that what remains open are
// questions about single variables; an occurrence wholly inside the static text is decided here.

/// What a template says of all its values.
struct TemplateVerdict {
  enum class Kind : std::uint8_t {
    never,
    always,
    tests,  ///< a value matches if all tests of one alternative do
    maybe,  ///< the value itself must be asked
  };
  struct SlotTest {
    std::uint32_t slot = 0;  ///< of the template
    std::uint32_t test = 0;  ///< into TextQuestion::tests()
  };
  Kind kind = Kind::never;
  std::vector<std::vector<SlotTest>> alternatives;
};

/// A question about texts: a pattern, an expression, or the whole of it. Collects the tests that its verdicts name.
/// Not thread-safe.
class TextQuestion {
 public:
  virtual ~TextQuestion() = default;
  /// @param text  of the template, with slot marks.
  /// @param slots  what is known of its slots in this segment, one a mark.
  virtual TemplateVerdict ask(std::string_view text, std::span<const SlotSummary> slots) = 0;
  const std::vector<TokenTest>& tests() const { return tests_; }

 protected:
  std::uint32_t test_number(TokenTest test);

 private:
  std::vector<TokenTest> tests_;
};

/// A word, phrase, prefix, suffix or substring.
std::unique_ptr<TextQuestion> make_pattern_question(const TextPattern& pattern);
/// Equal to `text`.
std::unique_ptr<TextQuestion> make_equals_question(std::string_view text);
std::unique_ptr<TextQuestion> make_regex_question(std::shared_ptr<const Regex> regex);

}  // namespace dendro
