#include "codec/code_column.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

namespace dendro {
namespace {

using Codes = std::vector<std::uint16_t>;

std::uint64_t code_test_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

/// Numbers a sequence by first use, as the encoder wants it.
Codes numbered(const std::vector<std::uint32_t>& drawn) {
  std::map<std::uint32_t, std::uint16_t> numbers;
  Codes codes;
  for (const std::uint32_t value : drawn)
    codes.push_back(numbers.emplace(value, static_cast<std::uint16_t>(numbers.size())).first->second);
  return codes;
}

/// Encodes and decodes; returns the form's number.
int round_trip_form(const Codes& codes) {
  BlockCompressor trial(1);
  std::string bytes = "front";
  encode_codes(codes, trial, bytes);
  const std::vector<char> exact(bytes.begin() + 5, bytes.end());
  std::string_view rest(exact.data(), exact.size());
  Codes back{9, 9};
  const std::size_t table = codes.empty() ? 0 : 1 + *std::max_element(codes.begin(), codes.end());
  const Status decoded = decode_codes(rest, codes.size(), table, back);
  EXPECT_TRUE(decoded.has_value()) << decoded.error().message();
  EXPECT_EQ(back, codes);
  EXPECT_TRUE(rest.empty());
  return exact.front();
}

Status decode_text(std::string_view text, std::size_t count, std::size_t table) {
  const std::vector<char> exact(text.begin(), text.end());
  std::string_view rest(exact.data(), exact.size());
  Codes codes;
  return decode_codes(rest, count, table, codes);
}

TEST(CodeColumn, TakesBytesForFewCodes) {
  std::mt19937_64 random(code_test_seed());
  std::vector<std::uint32_t> drawn;
  for (int i = 0; i < 5'000; ++i) drawn.push_back(random() % 3 == 0 ? 1 : random() % 100);
  EXPECT_EQ(round_trip_form(numbered(drawn)), 0);
}

TEST(CodeColumn, TakesWordsForManyCodesInNoOrder) {
  std::vector<std::uint32_t> drawn;
  for (std::uint32_t i = 0; i < 2'000; ++i) drawn.push_back(i);
  // A fixed pattern of far codes packs as words; distances would all differ.
  for (std::uint32_t i = 0; i < 20'000; ++i) drawn.push_back((i * 700 + i / 7 * 13) % 3 * 900);
  const int form = round_trip_form(numbered(drawn));
  EXPECT_EQ(form, 1);
}

TEST(CodeColumn, TakesDistancesWhereNewCodesComeAndGo) {
  std::vector<std::uint32_t> drawn;
  for (std::uint32_t i = 0; i < 30'000; ++i) drawn.push_back(i / 3);
  EXPECT_EQ(round_trip_form(numbered(drawn)), 2);
}

TEST(CodeColumn, GivesBackEveryCodeThereIs) {
  std::vector<std::uint32_t> drawn(65'536);
  for (std::uint32_t i = 0; i < drawn.size(); ++i) drawn[i] = i;
  round_trip_form(numbered(drawn));
  for (std::uint32_t i = 40'000; i < drawn.size(); ++i) drawn[i] = i % 40'000;  // distances that need two bytes
  round_trip_form(numbered(drawn));
}

TEST(CodeColumn, GivesBackDistancesAroundTheEscape) {
  std::vector<std::uint32_t> drawn;
  for (std::uint32_t i = 0; i < 600; ++i) drawn.push_back(i);
  for (std::uint32_t back = 250; back < 260; ++back) drawn.push_back(600 - back);
  round_trip_form(numbered(drawn));
  round_trip_form({0});
  round_trip_form({});
}

TEST(CodeColumn, GivesBackRandomCodes) {
  const std::uint64_t seed = code_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint32_t> drawn(random() % 2'000);
    const std::uint32_t range = 1 + static_cast<std::uint32_t>(random() % 1'500);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      drawn[i] = static_cast<std::uint32_t>(random() % 2 == 0 ? i / 4 : random() % range);
    }
    ASSERT_GE(round_trip_form(numbered(drawn)), 0);
  }
}

TEST(CodeColumn, RefusesWhatItDidNotWrite) {
  const auto code_of = [](const Status& status) { return status ? ErrorCode::internal : status.error().code(); };
  EXPECT_EQ(code_of(decode_text("", 1, 1)), ErrorCode::corruption);
  EXPECT_EQ(code_of(decode_text("\x03\x00", 1, 1)), ErrorCode::corruption);
  EXPECT_EQ(code_of(decode_text(std::string("\x00\x01", 2), 1, 1)), ErrorCode::corruption);
  EXPECT_EQ(code_of(decode_text(std::string("\x00\x00", 2), 2, 1)), ErrorCode::corruption);
  EXPECT_EQ(code_of(decode_text(std::string("\x01\x00", 2), 1, 1)), ErrorCode::corruption);
  EXPECT_EQ(code_of(decode_text(std::string("\x02\x01", 2), 1, 9)), ErrorCode::corruption);      // before the first
  EXPECT_EQ(code_of(decode_text(std::string("\x02\xFF\x05", 3), 1, 9)), ErrorCode::corruption);  // cut off
  EXPECT_EQ(code_of(decode_text(std::string("\x02\xFF\x05\x00", 4), 1, 9)), ErrorCode::corruption);
  EXPECT_EQ(code_of(decode_text(std::string(3, '\0'), 65'536, 1)), ErrorCode::corruption);
  EXPECT_TRUE(decode_text(std::string("\x01", 1), 0, 0).has_value());
}

TEST(CodeColumn, NeverCrashesOnHostileBytes) {
  const std::uint64_t seed = code_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 4 == 0 ? 255 : random() % 8);
    if (!bytes.empty()) bytes[0] = static_cast<char>(random() % 4);
    const Status decoded = decode_text(bytes, random() % 30, 1 + random() % 20);
    if (!decoded) ASSERT_EQ(decoded.error().code(), ErrorCode::corruption);
  }
}

}  // namespace
}  // namespace dendro
