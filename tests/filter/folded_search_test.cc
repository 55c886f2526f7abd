// find_folded against the plain way: fold everything, remember where each folded byte came from, look.
#include "filter/folded_search.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/utf8.h"
#include "record/fold.h"

namespace dendro {
namespace {

struct Found {
  std::size_t at = std::string_view::npos;
  std::size_t bytes = 0;
  friend bool operator==(const Found&, const Found&) = default;
};
std::ostream& operator<<(std::ostream& out, const Found& found) {
  return out << found.at << "+" << found.bytes;
}

Found plain_find(std::string_view haystack, std::string_view needle, std::size_t first) {
  const std::string wanted = folded(needle);
  if (wanted.empty()) return {first, 0};
  std::string text;
  std::vector<std::size_t> starts, ends;
  for (std::size_t at = 0; at < haystack.size();) {
    const std::size_t bytes = decode_utf8(haystack.substr(at)).bytes;
    append_folded(text, haystack.substr(at, bytes));
    starts.resize(text.size(), at);
    ends.resize(text.size(), at + bytes);
    at += bytes;
  }
  for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
    if (starts[at] >= first) return {starts[at], ends[at + wanted.size() - 1] - starts[at]};
  }
  return {};
}

Found fast_find(std::string_view haystack, std::string_view needle, std::size_t first) {
  Found found;
  found.at = find_folded(haystack, FoldedNeedle(needle), first, &found.bytes);
  return found;
}

Found scalar_find(std::string_view haystack, std::string_view needle, std::size_t first) {
  Found found;
  found.at = find_folded_scalar(haystack, FoldedNeedle(needle), first, &found.bytes);
  return found;
}

TEST(FoldedSearch, FindsWhateverTheCase) {
  EXPECT_EQ(fast_find("an ErRoR", "error", 0), (Found{3, 5}));
  EXPECT_EQ(fast_find("an ErRoR", "ERROR", 4), Found());
  EXPECT_EQ(fast_find("10 \xE2\x84\xAA", "10 k", 0), (Found{0, 6})) << "KELVIN SIGN: three bytes for one";
  EXPECT_EQ(fast_find("mi\xC5\xBF\xC5\xBFing", "MISSING", 0), (Found{0, 9}));
  EXPECT_EQ(fast_find("\xC3\x9C"
                      "BER",
                      "\xC3\xBC"
                      "ber",
                      0),
            (Found{0, 5}));
  EXPECT_EQ(fast_find("k", "\xE2\x84\xAA", 0), (Found{0, 1})) << "the needle is folded too";
  EXPECT_EQ(fast_find("@[`{", "`", 0), (Found{2, 1})) << "only letters have cases";
  EXPECT_EQ(fast_find("`{", "@", 0), Found());
  EXPECT_EQ(fast_find("abc", "", 2), (Found{2, 0}));
  EXPECT_EQ(fast_find("abc", "c", 4), Found());
  EXPECT_EQ(fast_find("", "c", 0), Found());
}

TEST(FoldedSearch, AnEarlierMatchThroughAWideFormIsNotPassedOver) {
  // The first and the last byte are looked for 32 places at a time; the KELVIN SIGN stands in the second such step and
  // makes a match that begins in the first.
  std::string haystack(31, '.');
  haystack += "kkk\xE2\x84\xAAk";
  haystack += std::string(40, '.');
  EXPECT_EQ(fast_find(haystack, "kkkk", 0), (Found{31, 6}));
  EXPECT_EQ(fast_find(haystack, "kkkk", 32), (Found{32, 6}));
  EXPECT_EQ(fast_find(haystack, "kkkk", 33), Found());
}

class RandomFolding {
 public:
  explicit RandomFolding(std::uint64_t seed) : random_(seed) {}
  std::size_t pick(std::size_t count) { return random_() % count; }
  std::string text(std::size_t parts, bool is_utf8) {
    static const std::vector<std::string> kParts = {"k",        "K",
                                                    "s",        "S",
                                                    "a",        "A",
                                                    "b",        "\xE2\x84\xAA",
                                                    "\xC5\xBF", ".",
                                                    "@",        "\xC3\xBC",
                                                    "\xC3\x9C", "\xE2\x82\xAC",
                                                    "\xC8\xBA", "\xE2\xB1\xA5",
                                                    "\xFF",     "\xE2",
                                                    "\x84",     "\xAA",
                                                    "\xC5",     "\xBF"};
    std::string text;
    for (std::size_t i = 0; i < parts; ++i) text += kParts[pick(is_utf8 ? 16 : kParts.size())];
    return text;
  }
  /// Mostly ASCII, long enough for several blocks, with something of the needle in it.
  std::string haystack(const std::string& needle) {
    std::string text;
    const std::size_t parts = pick(6);
    for (std::size_t i = 0; i < parts; ++i) {
      text += std::string(pick(50), "kKsSab."[pick(7)]);
      text += pick(2) == 0 ? needle : needle.substr(0, pick(needle.size() + 1));
      text += this->text(pick(5), pick(3) > 0);
    }
    return text;
  }

 private:
  std::mt19937_64 random_;
};

TEST(FoldedSearch, EveryWayEqualsThePlainOne) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 11;
  std::size_t hits = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    RandomFolding data(seed + round);
    const bool is_utf8 = data.pick(8) > 0;
    const std::string needle = data.pick(2) == 0 ? std::string(1 + data.pick(3), "kKsSaA.@"[data.pick(8)])
                                                 : data.text(1 + data.pick(data.pick(4) == 0 ? 40 : 4), is_utf8);
    const std::string haystack = data.haystack(needle);
    std::size_t first = data.pick(3) > 0 ? 0 : data.pick(haystack.size() + 1);
    const bool splits_character =
        first < haystack.size() && (static_cast<unsigned char>(haystack[first]) & 0xC0) == 0x80;
    if (splits_character) first = 0;
    const Found expected = plain_find(haystack, needle, first);
    hits += expected.at != std::string_view::npos ? 1u : 0u;
    ASSERT_EQ(fast_find(haystack, needle, first), expected)
        << "seed " << seed + round << " " << testing::PrintToString(needle) << " in "
        << testing::PrintToString(haystack);
    ASSERT_EQ(scalar_find(haystack, needle, first), expected) << "seed " << seed + round;
  }
  EXPECT_GT(hits, 6'000u);
  EXPECT_LT(hits, 19'500u);
}

}  // namespace
}  // namespace dendro
