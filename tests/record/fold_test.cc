#include "record/fold.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/utf8.h"

namespace dendro {
namespace {

std::string utf8(char32_t code_point) {
  std::string text;
  append_utf8(text, code_point);
  return text;
}

TEST(Fold, FollowsStatusesCAndSOfCaseFolding) {
  EXPECT_EQ(folded("Hello, WORLD_42 [@`{"), "hello, world_42 [@`{");
  EXPECT_EQ(folded(utf8(0x212A)), "k") << "KELVIN SIGN";
  EXPECT_EQ(folded(utf8(0x17F)), "s") << "LATIN SMALL LETTER LONG S";
  EXPECT_EQ(folded(utf8(0xDF)), utf8(0xDF)) << "sharp s: only full folding (F) changes it";
  EXPECT_EQ(folded(utf8(0x1E9E)), utf8(0xDF)) << "capital sharp s: S";
  EXPECT_EQ(folded(utf8(0x130)), utf8(0x130)) << "I with a dot: F and T only";
  EXPECT_EQ(folded(utf8(0x131)), utf8(0x131)) << "dotless i";
  EXPECT_EQ(folded(utf8(0x3A3) + utf8(0x3C2) + utf8(0x3C3)), utf8(0x3C3) + utf8(0x3C3) + utf8(0x3C3)) << "three sigmas";
  EXPECT_EQ(folded(utf8(0xB5)), utf8(0x3BC)) << "micro is mu";
  EXPECT_EQ(folded(utf8(0x416)), utf8(0x436)) << "Cyrillic";
  EXPECT_EQ(folded(utf8(0x13A0)), utf8(0x13A0)) << "Cherokee folds to its capitals";
  EXPECT_EQ(folded(utf8(0xAB70)), utf8(0x13A0));
  EXPECT_EQ(folded(utf8(0x23A)), utf8(0x2C65)) << "two bytes become three";
  EXPECT_EQ(folded(utf8(0x10400)), utf8(0x10428)) << "Deseret, four bytes";
  EXPECT_EQ(folded(utf8(0x1E921)), utf8(0x1E943)) << "the last one";
  EXPECT_EQ(folded(utf8(0x4E2D)), utf8(0x4E2D));
}

TEST(Fold, TheWholeTableIsIdempotentAndInverse) {
  std::size_t folding = 0;
  for (char32_t c = 0; c < 0x20000; ++c) {
    const char32_t fold = fold_code_point(c);
    EXPECT_EQ(fold_code_point(fold), fold) << std::hex << static_cast<std::uint32_t>(c);
    if (fold == c) continue;
    ++folding;
    const auto sources = code_points_folding_to(fold);
    EXPECT_NE(std::find(sources.begin(), sources.end(), c), sources.end()) << std::hex << static_cast<std::uint32_t>(c);
  }
  EXPECT_EQ(folding, 1454u) << "lines C and S of CaseFolding.txt 14.0.0";
}

TEST(Fold, BytesThatAreNoUtf8Stay) {
  EXPECT_EQ(folded("A\xFFZ\xC3"), "a\xFFz\xC3");
  EXPECT_EQ(folded("\xE2\x84K"), "\xE2\x84k") << "a cut KELVIN SIGN";
  EXPECT_EQ(folded("\xED\xA0\x80X"), "\xED\xA0\x80x") << "a surrogate";
  EXPECT_EQ(folded(std::string_view("A\0B", 3)), std::string_view("a\0b", 3));
}

/// The runs of the fast path begin and end anywhere.
TEST(Fold, RunsOfAnyLengthEqualOneCharacterAfterTheOther) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 7;
  for (std::uint64_t round = 0; round < 400; ++round) {
    std::mt19937_64 random(seed + round);
    std::string text, expected;
    const std::size_t parts = random() % 6;
    for (std::size_t part = 0; part < parts; ++part) {
      for (std::size_t i = random() % (part == 2 ? 9000 : 70); i > 0; --i) {
        const char c = static_cast<char>(random() % 128);
        text.push_back(c);
        expected.push_back(fold_ascii(c));
      }
      text += "\xC3\x9C\xFF";
      expected += "\xC3\xBC\xFF";
    }
    std::string appended = "KEPT";
    append_folded(appended, text);
    ASSERT_EQ(appended, "KEPT" + expected) << "seed " << seed + round;
  }
}

}  // namespace
}  // namespace dendro
