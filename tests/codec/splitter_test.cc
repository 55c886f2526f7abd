#include "codec/splitter.h"

#include "codec/short_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>

namespace dendro {
namespace {

std::uint64_t splitter_test_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

/// The text in an exact allocation, so that ASan sees a read beyond it.
class ExactText {
 public:
  explicit ExactText(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    text.copy(bytes_.get(), size_);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

/// Checks one text whole: both paths, I1 to I3, and that skeleton and slots give it back.
void check_split(std::string_view given) {
  const ExactText exact(given);
  const std::string_view text = exact.view();
  std::vector<SlotSpan> slots{{1, 2}}, plain{{3, 4}};
  find_slots(text, slots);
  find_slots_plain(text, plain);
  ASSERT_EQ(slots, plain) << text;
  std::string skeleton = "old";
  make_skeleton(text, slots, skeleton);
  ASSERT_EQ(static_cast<std::size_t>(std::count(skeleton.begin(), skeleton.end(), kSlotMark)), slots.size());
  ASSERT_TRUE(std::none_of(skeleton.begin(), skeleton.end(), [](char c) { return c >= '1' && c <= '9'; }));

  std::string back;
  std::size_t next = 0;
  for (const char c : skeleton) {
    if (c != kSlotMark) {
      back.push_back(c);
      continue;
    }
    const SlotSpan slot = slots[next++];
    const std::string_view variable = text.substr(slot.first, slot.size);
    ASSERT_FALSE(variable.empty());  // I1
    ASSERT_TRUE(std::none_of(variable.begin(), variable.end(), is_delimiter));
    ASSERT_TRUE(slot.first == 0 || is_delimiter(text[slot.first - 1]));
    ASSERT_TRUE(slot.first + slot.size == text.size() || is_delimiter(text[slot.first + slot.size]));
    ASSERT_TRUE(is_variable(variable));  // I2
    back.append(variable);
  }
  ASSERT_EQ(back, text);  // I3: what is no variable, delimiters among it, stands in the skeleton
  // I2, the other way round: every token of the skeleton that is not a mark is static.
  for (std::size_t at = 0; at < skeleton.size();) {
    const std::size_t last = std::min(skeleton.find_first_of(kDelimiters, at), skeleton.size());
    const std::string_view token = std::string_view(skeleton).substr(at, last - at);
    ASSERT_TRUE(token == std::string_view(&kSlotMark, 1) || !is_variable(token)) << token;
    at = last + 1;
  }
}

TEST(Splitter, KnowsItsDelimiters) {
  const std::set<char> delimiters(kDelimiters.begin(), kDelimiters.end());
  EXPECT_EQ(delimiters.size(), 27u);
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    EXPECT_EQ(is_delimiter(c), delimiters.contains(c)) << byte;
  }
  EXPECT_TRUE(is_delimiter('\0'));
  for (const char c : {'.', '-', '_', '+', '%', '$', '!', '~', '^', '`', 'a', '0'}) EXPECT_FALSE(is_delimiter(c)) << c;
}

TEST(Splitter, SplitsASentence) {
  std::vector<SlotSpan> slots;
  std::string skeleton;
  const std::string_view text = "GET /a/b7?x=1 took 12.5ms (0)";
  find_slots(text, slots);
  make_skeleton(text, slots, skeleton);
  EXPECT_EQ(skeleton, "GET /a/0?x=0 took 0 (0)");
  EXPECT_EQ(slots, (std::vector<SlotSpan>{{7, 2}, {12, 1}, {19, 6}, {27, 1}}));
}

TEST(Splitter, AppendsBehindWhatIsThere) {
  std::vector<SlotSpan> slots = {{1, 2}};
  append_slots("a 17 b", slots);
  EXPECT_EQ(slots, (std::vector<SlotSpan>{{1, 2}, {2, 2}}));
}

TEST(Splitter, KnowsASkeletonWithoutBuildingIt) {
  std::vector<SlotSpan> slots;
  std::string skeleton;
  for (const std::string_view text :
       {"", "7", "7 8", "GET /a/b7?x=1 took 12.5ms (0)", "a sentence of some length without a digit",
        "before 1 between them is a long piece 2 behind, that is long as well"}) {
    find_slots(text, slots);
    make_skeleton(text, slots, skeleton);
    EXPECT_TRUE(has_skeleton(text, slots, skeleton)) << text;
    EXPECT_FALSE(has_skeleton(text, slots, skeleton + "a")) << text;
    for (std::size_t at = 0; at < skeleton.size(); ++at) {
      std::string other = skeleton;
      other[at] = static_cast<char>(other[at] + 1);
      EXPECT_FALSE(has_skeleton(text, slots, other)) << other;
      EXPECT_FALSE(has_skeleton(text, slots, skeleton.substr(0, at))) << other;
    }
  }
}

TEST(ShortBytes, AreCopiedExactly) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string from(size, '\0');
    for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<char>('A' + i);
    std::string to(size + 2, '.');
    copy_bytes(to.data() + 1, from.data(), size);
    EXPECT_EQ(to, "." + from + ".") << size;
  }
}

TEST(ShortBytes, AreComparedToTheLast) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    std::string other = text;
    EXPECT_TRUE(equal_bytes(text.data(), other.data(), size)) << size;
    for (char& byte : other) {
      byte = 'y';
      EXPECT_FALSE(equal_bytes(text.data(), other.data(), size)) << size;
      byte = 'x';
    }
  }
}

TEST(Splitter, SeesEveryByteAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t size : {1u, 31u, 32u, 33u, 63u, 64u, 65u, 127u, 128u, 129u}) {
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        for (const char around : {'a', '5', ' '}) {
          std::string text(size, around);
          text[at] = static_cast<char>(byte);
          ASSERT_NO_FATAL_FAILURE(check_split(text));
        }
      }
    }
  }
}

TEST(Splitter, AgreesAtEveryLengthAroundBlocks) {
  for (std::size_t size = 0; size <= 200; ++size) {
    for (std::size_t digit = 0; digit <= size; digit += 1 + size / 24) {
      for (std::size_t delimiter = 0; delimiter <= size; delimiter += 1 + size / 24) {
        std::string text(size, 'x');
        if (digit < size) text[digit] = '4';
        if (delimiter < size) text[delimiter] = '=';
        ASSERT_NO_FATAL_FAILURE(check_split(text));
      }
    }
  }
}

TEST(Splitter, AgreesOnRandomTexts) {
  const std::uint64_t seed = splitter_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 300, '\0');
    const std::uint64_t style = random() % 4;
    for (char& c : text) {
      const std::uint64_t draw = random();
      c = style == 0          ? static_cast<char>(draw)
          : draw % 16 < style ? kDelimiters[draw / 16 % kDelimiters.size()]
          : draw % 7 == 0     ? static_cast<char>('0' + draw / 16 % 10)
                              : static_cast<char>('a' + draw / 16 % 26);
    }
    ASSERT_NO_FATAL_FAILURE(check_split(text));
  }
}

TEST(Splitter, TakesEmptyAndHugeTexts) {
  check_split("");
  check_split(std::string(std::size_t{1} << 20, '7'));
  check_split(std::string(std::size_t{1} << 20, '\0'));
  check_split(std::string((std::size_t{1} << 20) + 1, 'x') + "1");
}

}  // namespace
}  // namespace dendro
