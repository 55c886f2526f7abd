#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace dendro {

/// Patterns RE2 mostly accepts, and texts in which they have a chance.
class RandomRegex {
 public:
  explicit RandomRegex(std::uint64_t seed) : random_(seed) {}
  std::size_t pick(std::size_t count) { return random_() % count; }

  std::string pattern(int depth = 3) {
    std::string text = sequence(depth);
    while (pick(5) == 0) text += "|" + sequence(depth);
    return text;
  }

  /// @param kind  0: ASCII; 1: with characters beyond; 2: with bytes that are no UTF-8
  std::string text(std::size_t kind) {
    static const std::vector<std::string> kParts = {"a",
                                                    "b",
                                                    "c",
                                                    "ab",
                                                    "abc",
                                                    "K",
                                                    "k",
                                                    "s",
                                                    "S",
                                                    "0",
                                                    "7",
                                                    "_",
                                                    "-",
                                                    " ",
                                                    "\n",
                                                    "\t",
                                                    "\v",
                                                    "foo",
                                                    "Foo",
                                                    "FOO",
                                                    "x",
                                                    "\x01",
                                                    "a\nb",
                                                    "{",
                                                    "\xC3\xBC",
                                                    "\xC3\x9C",
                                                    "\xE2\x84\xAA",
                                                    "\xC5\xBF",
                                                    "\xE2\x82\xAC",
                                                    "\xF0\x9F\x98\x80",
                                                    "\xCE\xA3",
                                                    "\xCF\x82",
                                                    "\xFF",
                                                    "\xC3",
                                                    "\xBC",
                                                    "\xED\xA0\x80",
                                                    "\xC0\x80"};
    static constexpr std::size_t kKinds[] = {24, 32, 37};
    std::string text;
    const std::size_t parts = pick(12);
    for (std::size_t i = 0; i < parts; ++i) text += kParts[pick(kKinds[kind])];
    if (pick(20) == 0) text.push_back('\0');
    return text;
  }

 private:
  std::string sequence(int depth) {
    std::string text;
    const std::size_t parts = pick(4) + (pick(12) == 0 ? 0 : 1);
    for (std::size_t i = 0; i < parts; ++i) {
      text += atom(depth);
      if (pick(3) == 0) text += quantifier();
    }
    return text;
  }
  std::string quantifier() {
    static const std::vector<std::string> kQuantifiers = {"*",  "+",  "?",  "{2}", "{1,3}", "{0,2}",  "{2,}",
                                                          "*?", "+?", "??", "{0}", "{,2}",  "{60,70}"};
    return kQuantifiers[pick(kQuantifiers.size())];
  }
  std::string atom(int depth) {
    static const std::vector<std::string> kAtoms = {"a",
                                                    "b",
                                                    "c",
                                                    "foo",
                                                    "abc",
                                                    "k",
                                                    "s",
                                                    "K",
                                                    ".",
                                                    "\\d",
                                                    "\\w",
                                                    "\\s",
                                                    "\\D",
                                                    "\\W",
                                                    "\\S",
                                                    "\\.",
                                                    "\\n",
                                                    "\\x41",
                                                    "\\xff",
                                                    "\\x{212A}",
                                                    "\\x{fc}",
                                                    "[abc]",
                                                    "[a-z]",
                                                    "[^a]",
                                                    "[^\\s]",
                                                    "[\\d_]",
                                                    "[]a]",
                                                    "[^]a]",
                                                    "[a-]",
                                                    "[K-s]",
                                                    "[^k]",
                                                    "[\xC3\xBC]",
                                                    "[^\xC3\xBC]",
                                                    "[a-\xC3\xBC]",
                                                    "\xC3\xBC",
                                                    "\xE2\x82\xAC",
                                                    "\xC5\xBF",
                                                    "^",
                                                    "$",
                                                    "\\b",
                                                    "\\B",
                                                    "\\A",
                                                    "\\z",
                                                    "\\pL",
                                                    "[[:alpha:]]",
                                                    "\\Qa.b\\E",
                                                    "\\C",
                                                    "(?i)",
                                                    "(?s)",
                                                    "(?-i)",
                                                    "{",
                                                    "}",
                                                    "]",
                                                    "\\x00",
                                                    "\\101",
                                                    "[^\\D]",
                                                    "[\\W]",
                                                    "\xCF\x83",
                                                    "_"};
    if (depth > 0 && pick(4) == 0) {
      static const std::vector<std::string> kOpeners = {"(", "(?:", "(?P<n", "(?i:", "(?s:", "(?m:", "(?i-s:", "(?U:"};
      const std::size_t opener = pick(kOpeners.size());
      std::string text = kOpeners[opener];
      if (opener == 2) text += std::to_string(++groups_) + ">";
      return text + pattern(depth - 1) + ")";
    }
    return kAtoms[pick(pick(2) == 0 ? 9 : kAtoms.size())];
  }

  std::mt19937_64 random_;
  int groups_ = 0;
};

}  // namespace dendro
