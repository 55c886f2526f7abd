#include "codec/packed_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace dendro {
namespace {

TEST(PackedText, ReadsOnlyIntegersThatComeBack) {
  EXPECT_EQ(parse_plain_integer("0"), 0);
  EXPECT_EQ(parse_plain_integer("-1"), -1);
  EXPECT_EQ(parse_plain_integer("999999999999999999"), 999'999'999'999'999'999);
  EXPECT_EQ(parse_plain_integer("-999999999999999999"), -999'999'999'999'999'999);
  for (const char* text :
       {"", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "1e3", "1000000000000000000", "0x1"}) {
    EXPECT_EQ(parse_plain_integer(text), std::nullopt) << text;
  }
}

TEST(PackedText, ReadsDigitsOfAnyWidthUpTo18) {
  for (const char* text : {"0", "007", "000000000000000000", "999999999999999999", "123"}) {
    const auto number = parse_digits(text);
    ASSERT_TRUE(number) << text;
    std::string back = "x";
    append_digits(back, *number, std::string_view(text).size());
    EXPECT_EQ(back, std::string("x") + text);
  }
  for (const char* text : {"", "0000000000000000000", "-1", "1a", "1\n"})
    EXPECT_EQ(parse_digits(text), std::nullopt) << text;
}

TEST(PackedText, PacksHexOfOneCase) {
  for (const HexCase hex_case : {HexCase::lower, HexCase::upper}) {
    const std::string text = hex_case == HexCase::lower ? "00ff7a9e" : "00FF7A9E";
    std::string packed = "p", back = "t";
    ASSERT_TRUE(append_hex_packed(packed, text, hex_case));
    EXPECT_EQ(packed, std::string("p\x00\xFF\x7A\x9E", 5));
    append_hex_text(back, std::string_view(packed).substr(1), hex_case);
    EXPECT_EQ(back, "t" + text);
  }
  std::string kept = "kept";
  for (const char* text : {"0", "0g", "aF", "AA", "12345g", "ab cd ", "\xFF\xFF"}) {
    EXPECT_FALSE(append_hex_packed(kept, text, HexCase::lower)) << text;
  }
  EXPECT_FALSE(append_hex_packed(kept, "aa", HexCase::upper));
  EXPECT_EQ(kept, "kept");
}

TEST(PackedText, EveryByteIsHexOrNot) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = {'0', static_cast<char>(byte)};
    for (const HexCase hex_case : {HexCase::lower, HexCase::upper}) {
      std::string packed, back;
      if (!append_hex_packed(packed, text, hex_case)) continue;
      append_hex_text(back, packed, hex_case);
      EXPECT_EQ(back, text);
    }
  }
}

TEST(PackedText, PacksUuids) {
  const std::string text = "0123abcd-4567-89ef-0011-2233445566ff";
  std::string packed, back;
  ASSERT_TRUE(append_uuid_packed(packed, text));
  ASSERT_EQ(packed.size(), 16u);
  append_uuid_text(back, packed);
  EXPECT_EQ(back, text);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char wrong : {'-', 'A', 'g', '\0'}) {
      std::string changed = text;
      changed[at] = wrong;
      std::string kept = "kept";
      EXPECT_EQ(append_uuid_packed(kept, changed), changed == text) << changed;
      if (changed != text) EXPECT_EQ(kept, "kept");
    }
  }
  EXPECT_FALSE(append_uuid_packed(packed, text.substr(1)));
  EXPECT_FALSE(append_uuid_packed(packed, text + "0"));
}

TEST(PackedText, ReadsOnlyAddressesThatComeBack) {
  for (const char* text : {"0.0.0.0", "255.255.255.255", "10.0.0.1", "1.20.255.4", "192.168.100.200"}) {
    const auto address = parse_plain_ipv4(text);
    ASSERT_TRUE(address) << text;
    std::string back;
    append_ipv4_text(back, *address);
    EXPECT_EQ(back, text);
  }
  EXPECT_EQ(parse_plain_ipv4("1.2.3.4"), 0x01020304u);
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1..2.3", ".1.2.3.4", "1.2.3.4.",
        "-1.2.3.4", "1.2.3.-4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.a", "1.2.3.-0", "0000.0.0.0", "1.2.3.", "1.2.3.1000"}) {
    EXPECT_EQ(parse_plain_ipv4(text), std::nullopt) << text;
  }
}

TEST(PackedText, WhatItTakesComesBackWhateverTheBytes) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string_view alphabet = "0012345678999.-af\n";
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random() % 20, '\0');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    if (const auto number = parse_plain_integer(text)) ASSERT_EQ(std::to_string(*number), text);
    if (const auto address = parse_plain_ipv4(text)) {
      std::string back;
      append_ipv4_text(back, *address);
      ASSERT_EQ(back, text);
    }
  }
}

}  // namespace
}  // namespace dendro
