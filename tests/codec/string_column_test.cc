#include "codec/string_column.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <random>
#include <set>

namespace dendro {
namespace {

using Texts = std::vector<std::string>;
constexpr std::size_t kPlainBytesMax = std::size_t{96} << 20;

std::uint64_t string_test_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

std::vector<std::string_view> views_of(const Texts& texts) {
  return {texts.begin(), texts.end()};
}

std::string encoded_strings(const Texts& texts, StringChoice choice = StringChoice::best) {
  BlockCompressor trial(1);
  std::string bytes;
  encode_strings(views_of(texts), choice, trial, bytes);
  return bytes;
}

Result<StringValues> decode_exact(std::string_view bytes, std::size_t count) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  std::string_view rest(exact.data(), exact.size());
  return StringValues::decode(rest, count, kPlainBytesMax);
}

/// What StringValues promises of its parts, whatever the bytes were.
void check_parts(const StringValues& values) {
  ASSERT_EQ(values.firsts().size(), values.entry_count() + 1);
  ASSERT_LE(values.firsts().back(), values.text().size());
  const std::size_t gap = values.is_separated() ? 1 : 0;
  std::string joined;
  for (std::size_t i = 0; i < values.entry_count(); ++i) {
    ASSERT_LE(values.firsts()[i] + gap, values.firsts()[i + 1]);
    joined.append(values.entry(i));
    if (gap != 0) joined.push_back(values.text()[values.firsts()[i + 1] - 1]);
    if (gap != 0) ASSERT_EQ(values.entry(i).find(joined.back()), std::string_view::npos);
  }
  ASSERT_EQ(joined, values.text());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_LT(values.entry_of(i), values.entry_count());
}

/// Encodes, decodes, compares; returns the form, for a dictionary that of its entries plus 100.
int string_round_trip(const Texts& texts, StringChoice choice = StringChoice::best) {
  const std::string bytes = encoded_strings(texts, choice);
  const std::vector<char> exact(bytes.begin(), bytes.end());
  std::string_view rest(exact.data(), exact.size());
  const Result<StringValues> values = StringValues::decode(rest, texts.size(), kPlainBytesMax);
  EXPECT_TRUE(values.has_value()) << values.error().message();
  if (!values) return -1;
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(values->size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_TRUE((*values)[i] == texts[i]) << i;
  check_parts(*values);
  if (bytes.front() != static_cast<char>(StringForm::dictionary)) return bytes.front();
  const std::size_t varint = (static_cast<std::uint8_t>(bytes[1]) & 0x80) == 0   ? 1
                             : (static_cast<std::uint8_t>(bytes[2]) & 0x80) == 0 ? 2
                                                                                 : 3;
  return 100 + bytes[1 + varint];
}

Texts generate(std::size_t count, const std::function<std::string(std::mt19937_64&)>& make) {
  std::mt19937_64 random(string_test_seed());
  Texts texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back(make(random));
  return texts;
}

std::string digits_text(std::mt19937_64& random, std::size_t width, std::string_view alphabet = "0123456789") {
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text.push_back(alphabet[random() % alphabet.size()]);
  return text;
}

std::string uuid_text(std::mt19937_64& random) {
  const std::string_view hex = "0123456789abcdef";
  return digits_text(random, 8, hex) + "-" + digits_text(random, 4, hex) + "-" + digits_text(random, 4, hex) + "-" +
         digits_text(random, 4, hex) + "-" + digits_text(random, 12, hex);
}

std::string ipv4_text(std::mt19937_64& random) {
  return std::to_string(random() % 256) + "." + std::to_string(random() % 256) + "." + std::to_string(random() % 256) +
         "." + std::to_string(random() % 256);
}

/// One column for each form, large enough to be chosen.
struct FormCase {
  StringForm form;
  Texts texts;
};

std::vector<FormCase> every_form(std::size_t count = 300) {
  const auto hex = [](std::string_view alphabet) {
    return [alphabet](std::mt19937_64& random) { return digits_text(random, 32, alphabet); };
  };
  return {
      {StringForm::constant, Texts(count, "the same")},
      {StringForm::dictionary, generate(count, [](auto& random) { return "word" + std::to_string(random() % 5); })},
      {StringForm::integer,
       generate(
           count,
           [](auto& random) { return std::to_string(static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000); })},
      {StringForm::fixed_integer, generate(count, [](auto& random) { return "0" + digits_text(random, 9); })},
      {StringForm::hex_lower, generate(count, hex("0123456789abcdef"))},
      {StringForm::hex_upper, generate(count, hex("0123456789ABCDEF"))},
      {StringForm::uuid, generate(count, uuid_text)},
      {StringForm::ipv4, generate(count, ipv4_text)},
      {StringForm::lines, generate(count, [](auto& random) { return "text " + std::to_string(random()); })},
      {StringForm::lengths, generate(count, [](auto& random) { return "text\n" + std::to_string(random()); })},
  };
}

TEST(StringColumn, EveryFormIsChosenAndComesBack) {
  for (const FormCase& form : every_form()) {
    const int found = string_round_trip(form.texts);
    EXPECT_EQ(found >= 100 ? 1 : found, static_cast<int>(form.form));
  }
}

TEST(StringColumn, DictionariesHoldEveryOtherForm) {
  for (const FormCase& form : every_form(40)) {
    if (form.form <= StringForm::dictionary) continue;
    Texts repeated;
    // Codes without a pattern: an integer column of these must not be smaller than the dictionary.
    std::mt19937_64 random(string_test_seed());
    for (int i = 0; i < 3'000; ++i) repeated.push_back(form.texts[random() % form.texts.size()]);
    const int found = string_round_trip(repeated);
    if (form.form == StringForm::integer && found == static_cast<int>(StringForm::integer)) continue;
    EXPECT_EQ(found, 100 + static_cast<int>(form.form));
  }
}

TEST(StringColumn, TextOnlyIsTextWhateverTheValues) {
  for (const FormCase& form : every_form()) {
    const int found = string_round_trip(form.texts, StringChoice::text_only);
    EXPECT_EQ(found, static_cast<int>(form.form == StringForm::lengths ? StringForm::lengths : StringForm::lines));
  }
  EXPECT_EQ(string_round_trip({""}, StringChoice::text_only), static_cast<int>(StringForm::lines));
}

/// The sample does not see the one value that breaks the form.
TEST(StringColumn, AValueThatTheSampleMissedComesBack) {
  for (FormCase form : every_form(5'000)) {
    for (const std::string& odd :
         {std::string("odd one"), std::string(), std::string("\n"), std::string("-0"), std::string("007"),
          std::string("ABCDEF"), form.texts[0] + "0", std::string("\0", 1)}) {
      Texts texts = form.texts;
      texts[4'999] = odd;
      ASSERT_GE(string_round_trip(texts), 0);
      std::swap(texts[3], texts[4'999]);
      ASSERT_GE(string_round_trip(texts), 0);
      ASSERT_FALSE(::testing::Test::HasFailure()) << static_cast<int>(form.form) << " " << odd;
    }
  }
}

TEST(StringColumn, FewAndEmptyValuesComeBack) {
  string_round_trip({""});
  string_round_trip({"", ""});
  string_round_trip({"", "a"});
  string_round_trip({"\n"});
  string_round_trip({"\n", ""});
  string_round_trip({"1", "2", "3"});
  string_round_trip(Texts(kMaxColumnValues, ""));
  Texts empties(20, "");
  empties[7] = "x";
  string_round_trip(empties);
}

TEST(StringColumn, AFullColumnComesBack) {
  Texts distinct, halves;
  for (std::size_t i = 0; i < kMaxColumnValues; ++i) {
    distinct.push_back("value " + std::to_string(i));
    halves.push_back("value " + std::to_string(i % (kMaxColumnValues / 2)));
  }
  EXPECT_EQ(string_round_trip(distinct), static_cast<int>(StringForm::lines));
  EXPECT_EQ(string_round_trip(halves), 100 + static_cast<int>(StringForm::lines));
}

TEST(StringColumn, LargeValuesComeBack) {
  const std::string large(std::size_t{4} << 20, 'x');
  string_round_trip({large, "a", large + "y"});
  string_round_trip(Texts(20, large.substr(0, 100'000)));
  string_round_trip({"7" + large, "\n"});
}

TEST(StringColumn, GivesTheDistinctValuesWhereThereAreFew) {
  BlockCompressor trial(1);
  std::string bytes;
  for (const FormCase& form : every_form()) {
    std::vector<std::string_view> entries;
    encode_strings(views_of(form.texts), StringChoice::best, trial, bytes, &entries);
    const std::set<std::string_view> wanted(form.texts.begin(), form.texts.end());
    if (wanted.size() <= form.texts.size() / 2) {
      EXPECT_EQ(std::set<std::string_view>(entries.begin(), entries.end()), wanted);
      EXPECT_EQ(entries.size(), wanted.size());
    } else {
      EXPECT_TRUE(entries.empty());
    }
  }
}

TEST(StringColumn, RandomColumnsComeBack) {
  const std::uint64_t seed = string_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> alphabets = {"0123456789",  "01",   "0123456789abcdef", "0123456789ABCDEF",
                                              "-0123456789", "ab\n", "0123456789.",      std::string("\0\xFF x", 4)};
  for (int round = 0; round < 1'500; ++round) {
    Texts texts(1 + random() % 400);
    const std::string& alphabet = alphabets[random() % alphabets.size()];
    const std::size_t width = random() % 24;
    const bool is_fixed = random() % 2 == 0;
    for (std::string& text : texts) text = digits_text(random, is_fixed ? width : random() % (width + 1), alphabet);
    if (random() % 3 == 0) {
      for (std::string& text : texts) text = texts[random() % (1 + texts.size() / 5)];
    }
    ASSERT_GE(string_round_trip(texts), 0);
    ASSERT_FALSE(::testing::Test::HasFailure()) << round;
  }
}

TEST(StringColumn, EveryCutGivesCorruption) {
  for (const FormCase& form : every_form(40)) {
    const std::string bytes = encoded_strings(form.texts);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Result<StringValues> values = decode_exact(std::string_view(bytes).substr(0, size), form.texts.size());
      ASSERT_FALSE(values.has_value()) << static_cast<int>(form.form) << " cut at " << size;
      ASSERT_EQ(values.error().code(), ErrorCode::corruption);
    }
  }
}

TEST(StringColumn, FlipsGiveCorruptionOrWholeValues) {
  const std::uint64_t seed = string_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<FormCase> cases = every_form(40);
  for (int i = 2; i < 10; ++i) {
    Texts repeated;
    for (int k = 0; k < 200; ++k) repeated.push_back(cases[static_cast<std::size_t>(i)].texts[random() % 20]);
    cases.push_back({StringForm::dictionary, repeated});
  }
  for (const FormCase& form : cases) {
    const std::string bytes = encoded_strings(form.texts);
    for (int round = 0; round < 1'500; ++round) {
      std::string damaged = bytes;
      for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
        char& c = damaged[random() % std::min<std::size_t>(damaged.size(), round % 2 == 0 ? 12 : damaged.size())];
        c = static_cast<char>(random() % 2 == 0 ? random() : static_cast<std::uint8_t>(c) ^ (1u << random() % 8));
      }
      const Result<StringValues> values = decode_exact(damaged, form.texts.size());
      if (!values) {
        ASSERT_EQ(values.error().code(), ErrorCode::corruption);
        continue;
      }
      ASSERT_EQ(values->size(), form.texts.size());
      ASSERT_NO_FATAL_FAILURE(check_parts(*values));
    }
  }
}

TEST(StringColumn, AFewBytesCannotAskForMuchMemory) {
  const auto refuses = [](const std::string& bytes) {
    const Result<StringValues> values = decode_exact(bytes, kMaxColumnValues);
    return !values.has_value() && values.error().code() == ErrorCode::corruption;
  };
  EXPECT_TRUE(refuses(std::string("\x04\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11)));
  EXPECT_TRUE(refuses(std::string("\x04\x80\x08", 3) + std::string(600, 'x')));  // 1 KiB a value, one value there
  EXPECT_TRUE(refuses(std::string("\x04\x00", 2)));
  EXPECT_TRUE(refuses(std::string("\x06", 1) + std::string(16, 'x')));
  EXPECT_TRUE(refuses(std::string("\x09\x00\xFE\xFF\x03", 5)));
  EXPECT_TRUE(refuses(std::string("\x01\x00\x08", 3)));
  EXPECT_TRUE(refuses(std::string("\x01\x01\x01\x01\x08\n", 6)));  // a dictionary of dictionaries
  EXPECT_TRUE(refuses(std::string("\x01\x01\x00\x00", 4)));        // a dictionary of a constant
  EXPECT_TRUE(refuses("\x0A"));
  EXPECT_FALSE(decode_exact(std::string("\x00\x00", 2), 0).has_value());
  EXPECT_FALSE(decode_exact(std::string("\x00\x00", 2), kMaxColumnValues + 1).has_value());
}

TEST(StringColumn, LinesAreCounted) {
  EXPECT_TRUE(StringValues::of_lines("", 0).has_value());
  EXPECT_TRUE(StringValues::of_lines("\n\n", 2).has_value());
  EXPECT_FALSE(StringValues::of_lines("\n\n", 1).has_value());
  EXPECT_FALSE(StringValues::of_lines("\n\n", 3).has_value());
  EXPECT_FALSE(StringValues::of_lines("a", 1).has_value());
  const Result<StringValues> values = StringValues::of_lines("a\n\nbc\n", 3);
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ((*values)[0], "a");
  EXPECT_EQ((*values)[1], "");
  EXPECT_EQ((*values)[2], "bc");
}

}  // namespace
}  // namespace dendro
