#include "filter/regex.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/utf8.h"
#include "filter/folded_search.h"
#include "record/fold.h"
#include "tests/filter/random_regex.h"

namespace dendro {
namespace {

std::shared_ptr<const Regex> compiled(std::string_view pattern) {
  auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex.has_value()) << pattern;
  return regex.has_value() ? *regex : nullptr;
}

bool finds(std::string_view pattern, std::string_view value) {
  return compiled(pattern)->matches(value);
}

std::bitset<256> bytes_of(std::string_view text) {
  std::bitset<256> set;
  for (const char c : text) set.set(static_cast<unsigned char>(c));
  return set;
}
const std::bitset<256> kDelimiters = bytes_of(" \t\r\n,;:=()[]{}<>|\"'/\\&?@#*");

/// Atoms that stand in the folded value, as the storage engine looks for them.
std::vector<int> present_atoms(const Regex& regex, std::string_view value) {
  std::vector<int> present;
  for (std::size_t i = 0; i < regex.atoms().size(); ++i) {
    if (find_folded(value, FoldedNeedle(regex.atoms()[i])) != std::string_view::npos)
      present.push_back(static_cast<int>(i));
  }
  return present;
}

TEST(Regex, SearchesAnywhereAndAnchorsAreTheValues) {
  EXPECT_TRUE(finds("db-[0-9]:\\d+", "refused: db-1:5432"));
  EXPECT_TRUE(finds("^b$", "b"));
  EXPECT_FALSE(finds("^b", "a\nb")) << "a line feed starts no value";
  EXPECT_FALSE(finds("a$", "a\n")) << "the end is the end, not what stands before a last line feed";
  EXPECT_TRUE(finds("(?m)^b$", "a\nb\nc"));
  EXPECT_FALSE(finds("a.b", "a\nb"));
  EXPECT_TRUE(finds("(?s)a.b", "a\nb"));
  EXPECT_TRUE(finds("a[^x]b", "a\nb"));
  EXPECT_TRUE(finds("", ""));
  EXPECT_TRUE(finds(std::string_view("a\0b", 3), std::string_view("xa\0b", 4)));
  EXPECT_FALSE(finds("abc", "ABC"));
  EXPECT_TRUE(finds("(?i)abc", "ABC"));
  EXPECT_TRUE(finds("(?i)k", "\xE2\x84\xAA"));
}

TEST(Regex, WholeValuesAlsoWithAlternatives) {
  EXPECT_TRUE(compiled("a.*")->matches_whole("api"));
  EXPECT_FALSE(compiled("a")->matches_whole("api"));
  EXPECT_TRUE(compiled("a|ap|api")->matches_whole("api"));
  EXPECT_TRUE(compiled("")->matches_whole(""));
}

/// engine.md pitfall 8; see Regex.
TEST(Regex, BytesThatAreNoUtf8AreTakenByNothing) {
  EXPECT_FALSE(finds("a.b",
                     "a\xFF"
                     "b"));
  EXPECT_FALSE(finds("a[^x]b",
                     "a\xFF"
                     "b"));
  EXPECT_FALSE(finds("a\\Db",
                     "a\xFF"
                     "b"));
  EXPECT_FALSE(finds("\\xFF", "\xFF")) << "\\xFF is U+00FF";
  EXPECT_TRUE(finds("\\xFF", "\xC3\xBF"));
  EXPECT_TRUE(finds("err",
                    "\xFF"
                    "err\xC3"))
      << "what stands beside is found";
  EXPECT_TRUE(finds("a\\Cb",
                    "a\xFF"
                    "b"));
  EXPECT_TRUE(finds("a.b",
                    "a\xE2\x82\xAC"
                    "b"))
      << "one character of three bytes";
}

TEST(Regex, RefusesWithPlaceCauseAndRemedy) {
  const auto refuse = [](std::string_view pattern) {
    RegexFault fault;
    const auto regex = Regex::compile(pattern, &fault);
    EXPECT_FALSE(regex.has_value()) << pattern;
    if (!regex.has_value()) EXPECT_EQ(regex.error().code(), ErrorCode::invalid_argument);
    return std::to_string(fault.offset) + "+" + std::to_string(fault.size) + " " + fault.message;
  };
  EXPECT_EQ(refuse("(a)x\\1"), "4+2 back-references (\"\\1\") are not supported; RE2 matches in linear time");
  EXPECT_EQ(refuse("a(?=b)"),
            "1+3 look-around (\"(?=\") is not supported; use \"and\", \"not\" and a second expression");
  EXPECT_EQ(refuse("a\\y"), "1+2 unknown escape \"\\y\"; a backslash itself is written \"\\\\\"");
  EXPECT_EQ(refuse("a(b"), "0+3 a \"(\" is never closed; a bracket meant as text is written \"\\(\"");
  EXPECT_EQ(refuse("ab)"), "0+3 a \")\" was never opened; a bracket meant as text is written \"\\)\"");
  EXPECT_EQ(refuse("x[a"), "1+2 a \"[\" is never closed; a bracket meant as text is written \"\\[\"");
  EXPECT_EQ(refuse("*a"), "0+1 nothing stands before the quantifier \"*\"; as text it is written with a backslash");
  EXPECT_EQ(refuse("a{1001}"), "1+6 the repeat \"{1001}\" is out of bounds; at most 1000, nested ones multiplied");
  EXPECT_EQ(refuse("(\\pL{500}){2}"), "0+0 the expression is too large when compiled; lower its repeat counts");
  EXPECT_EQ(refuse("\xFF"), "0+0 the expression is not UTF-8");
  EXPECT_EQ(refuse(std::string(kRegexBytesMax + 1, 'a')),
            "0+0 has 4097 bytes, at most 4096 are taken; split it with \"or\"");
  EXPECT_TRUE(Regex::compile(std::string(kRegexBytesMax, 'a')).has_value());
}

TEST(Regex, LiteralsAreKnown) {
  for (const char* pattern : {"a", "not_there-12", "a b/c", "Zug \xC3\xBC"}) {
    const auto regex = Regex::compile(pattern);
    ASSERT_TRUE(regex.has_value());
    EXPECT_TRUE((*regex)->is_literal()) << pattern;
    EXPECT_TRUE((*regex)->matches("x" + std::string(pattern) + "x"));
    EXPECT_FALSE((*regex)->matches("nothing"));
  }
  for (const char* pattern : {"", "a.c", "a|b", "(?i)a", "^a", "a$", "a\\.b", "a{2}", "[a]", "a+"}) {
    EXPECT_FALSE((*Regex::compile(pattern))->is_literal()) << pattern;
  }
}

TEST(Regex, AtomsAreFoldedAndRequired) {
  const auto one = compiled("Get.{0,40}Failed");
  EXPECT_EQ(one->atoms(), (std::vector<std::string>{"failed", "get"}));
  EXPECT_EQ(one->required_atom(), "failed");
  EXPECT_FALSE(one->may_match(std::vector<int>{1}));
  EXPECT_TRUE(one->may_match(std::vector<int>{1, 0}));
  const auto either = compiled("shanghai|suzhou");
  EXPECT_EQ(either->atoms().size(), 2u);
  EXPECT_EQ(either->required_atom(), "");
  EXPECT_TRUE(either->may_match(std::vector<int>{1}));
  EXPECT_FALSE(either->may_match({}));
  const auto none = compiled("[0-9a-f]{8}-4");
  EXPECT_TRUE(none->atoms().empty());
  EXPECT_TRUE(none->may_match({}));
  const auto kelvin = compiled("10 \xE2\x84\xAA");
  EXPECT_EQ(kelvin->atoms(), (std::vector<std::string>{"10 k"}));
  EXPECT_EQ(compiled("abc\xC5\xBF")->atoms(), (std::vector<std::string>{"abcs"}));
}

/// Lower case as RE2 makes it and folding differ for some letters: none may fall between.
TEST(Regex, NoCasedLetterFallsBetweenAtomsAndFolding) {
  for (char32_t c = 0x80; c < 0x1F000; ++c) {
    const bool is_cased = fold_code_point(c) != c || !code_points_folding_to(c).empty() || c == 0x130 || c == 0x131;
    if (!is_cased) continue;
    std::string letters = "abc";
    append_utf8(letters, c);
    for (const std::string& pattern : {letters, "(?i)" + letters}) {
      const auto regex = compiled(pattern);
      ASSERT_TRUE(regex->matches(letters));
      ASSERT_TRUE(regex->may_match(present_atoms(*regex, letters))) << std::hex << static_cast<std::uint32_t>(c);
    }
  }
}

TEST(Regex, AvoidsBytesOnlyWhereThatIsSure) {
  for (const char* sure :
       {"[0-9a-f]{8}-[0-9a-f]{4}", "abc|d+e", "\\d+\\.\\d+", "(?i)exception", "\\w{3}", "(?P<x>a)b", "\xC3\xBC"}) {
    EXPECT_TRUE(compiled(sure)->avoids(kDelimiters)) << sure;
  }
  for (const char* unsure :
       {"a b", ".",     "a.*b",     "^a",          "a$",   "\\ba",   "\\s",  "\\D",  "[^a]",  "\\W",     "a*",     "",
        "a|",  "[ -~]", "\\Qab\\E", "[[:alpha:]]", "\\pL", "a(?i)*", "\\Aa", "a\\z", "\\x20", "\\x{2c}", "a(b|c:)"}) {
    EXPECT_FALSE(compiled(unsure)->avoids(kDelimiters)) << unsure;
  }
  EXPECT_TRUE(compiled("a b")->avoids(bytes_of("\n")));
}

struct ManyValues {
  std::string text;
  std::vector<std::uint32_t> ends;
  void add(std::string_view value) {
    text += value;
    ends.push_back(static_cast<std::uint32_t>(text.size()));
  }
};

void expect_equal_verdicts(const Regex& regex, const ManyValues& values, const std::string& about) {
  std::vector<std::uint8_t> expected;
  std::uint32_t first = 0;
  for (const std::uint32_t end : values.ends) {
    expected.push_back(regex.matches(std::string_view(values.text).substr(first, end - first)) ? 1 : 0);
    first = end;
  }
  std::vector<std::uint8_t> verdicts{9};
  regex.match_many(values.text, values.ends, verdicts, Regex::Accelerator::always);
  ASSERT_EQ(verdicts, expected) << about << " accelerated, " << testing::PrintToString(regex.pattern());
  regex.match_many(values.text, values.ends, verdicts, Regex::Accelerator::never);
  ASSERT_EQ(verdicts, expected) << about;
}

TEST(Regex, ManyValuesAreApart) {
  ManyValues values;
  for (const char* value : {"ab", "", "cab", "c", "\xC3", "\xBC", "abc", ""}) values.add(value);
  std::vector<std::uint8_t> verdicts;
  compiled("abc")->match_many(values.text, values.ends, verdicts, Regex::Accelerator::always);
  EXPECT_EQ(verdicts, (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 1, 0})) << "not over the border of two values";
  compiled("\xC3\xBC")->match_many(values.text, values.ends, verdicts, Regex::Accelerator::always);
  EXPECT_EQ(verdicts, std::vector<std::uint8_t>(8, 0));
  compiled("^$")->match_many(values.text, values.ends, verdicts, Regex::Accelerator::always);
  EXPECT_EQ(verdicts, (std::vector<std::uint8_t>{0, 1, 0, 0, 0, 0, 0, 1}));
  compiled("a")->match_many("", {}, verdicts, Regex::Accelerator::always);
  EXPECT_TRUE(verdicts.empty());
}

TEST(Regex, AcceleratedCharactersHaveAsManyBytesAsTheyNeed) {
  ManyValues values;
  for (const char* value : {"axc",
                            "a\xE2\x82\xAC"
                            "c",
                            "a\xF0\x9F\x98\x80"
                            "c",
                            "a\xC3\xBC"
                            "c",
                            "ac", "a\nc"})
    values.add(value);
  for (const char* pattern : {"a.c", "a[^x]c", "a\\Dc", "a.{1,2}c", "(?i)A.C", "a(?:.|q)c",
                              "a\xC3\xBC"
                              "c",
                              "a\\pLc"}) {
    const auto regex = compiled(pattern);
    EXPECT_TRUE(regex->has_accelerator()) << pattern;
    expect_equal_verdicts(*regex, values, "widths");
  }
}

TEST(Regex, CommonPatternsAreAccelerated) {
  for (const char* pattern : {"zzqqxx", "(?i)googl", "Get.{0,40}Failed", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}",
                              "(shanghai|suzhou|nanjing)", "^ERROR", "\\bkernel\\b", "a.*b"}) {
    EXPECT_TRUE(compiled(pattern)->has_accelerator()) << pattern;
  }
  EXPECT_FALSE(compiled("a*")->has_accelerator()) << "may match nothing";
  EXPECT_FALSE(compiled("\\C")->has_accelerator());
}

std::uint64_t seed_of_run(std::uint64_t fallback) {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : fallback;
}

/// match_many equals matches; atoms and avoids say nothing wrong. Patterns and texts are random.
TEST(RegexDifferential, EveryAnswerEqualsRe2) {
  const std::uint64_t seed = seed_of_run(20261121);
  std::size_t patterns = 0, accelerated = 0, matched = 0, avoiding = 0;
  for (std::uint64_t round = 0; round < 1'200; ++round) {
    RandomRegex data(seed + round);
    const std::string pattern = data.pattern();
    const auto regex = Regex::compile(pattern);
    if (!regex.has_value()) continue;
    ++patterns;
    accelerated += (*regex)->has_accelerator() ? 1u : 0u;
    ManyValues values;
    const std::size_t kind = data.pick(3);
    for (std::size_t i = data.pick(30); i > 0; --i) {
      const std::string value = data.text(kind);
      values.add(value);
      std::vector<std::string_view> groups;
      ASSERT_EQ((*regex)->matches(value), (*regex)->capture(value, 0, groups))  // which is RE2 alone
          << "seed " << seed + round << " " << testing::PrintToString(pattern) << " " << testing::PrintToString(value);
      if (!(*regex)->matches(value)) continue;
      ++matched;
      ASSERT_TRUE((*regex)->may_match(present_atoms(**regex, value)))
          << "seed " << seed + round << " " << testing::PrintToString(pattern) << " " << testing::PrintToString(value);
      if (const std::string_view atom = (*regex)->required_atom(); !atom.empty())
        ASSERT_NE(find_folded(value, FoldedNeedle(atom)), std::string_view::npos) << "seed " << seed + round;
    }
    expect_equal_verdicts(**regex, values, "seed " + std::to_string(seed + round));
    if (testing::Test::HasFatalFailure()) return;
    // What avoids some bytes is found in a text exactly if it is found in one of the pieces between them.
    const std::bitset<256> bytes = bytes_of(data.pick(2) == 0 ? " -_\n\t" : "\n");
    if (!(*regex)->avoids(bytes)) continue;
    ++avoiding;
    const std::string text = data.text(kind) + data.text(kind);
    bool is_in_piece = false;
    for (std::size_t first = 0, at = 0; at <= text.size(); ++at) {
      if (at < text.size() && !bytes[static_cast<unsigned char>(text[at])]) continue;
      is_in_piece = is_in_piece || (*regex)->matches(std::string_view(text).substr(first, at - first));
      first = at + 1;
    }
    ASSERT_EQ((*regex)->matches(text), is_in_piece)
        << "seed " << seed + round << " " << testing::PrintToString(pattern) << " " << testing::PrintToString(text);
  }
  EXPECT_GT(patterns, 600u);
  EXPECT_GT(accelerated, 200u);
  EXPECT_GT(matched, 2'000u);
  EXPECT_GT(avoiding, 60u);
}

TEST(Regex, ServesSeveralThreads) {
  const auto regex = compiled("a[0-9]+b");
  ManyValues values;
  for (int i = 0; i < 2000; ++i) values.add(i % 3 == 0 ? "xa12b" : "a12");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) expect_equal_verdicts(*regex, values, "thread");
    });
  }
}

}  // namespace
}  // namespace dendro
