#include "services/search/pattern_text.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/canonical_leaf.h"

namespace dendro {
namespace {

using Values = std::vector<std::string_view>;

std::string shown_leaf(std::string_view body) {
  std::string leaf = canonical_leaf(body);
  std::erase(leaf, kSoftMark);
  return leaf;
}

TEST(PatternText, IsCutAtItsVariables) {
  const auto parts = split_pattern("GET <*> took <*>");
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].text, "GET ");
  EXPECT_EQ(parts[1].slot, 0u);
  EXPECT_EQ(parts[2].text, " took ");
  EXPECT_EQ(parts[3].slot, 1u);
  EXPECT_TRUE(split_pattern("").empty());
}

TEST(PatternText, BodiesTellTheValuesOfTheSlots) {
  const auto align = [](std::string_view shown, std::string_view body) {
    return align_pattern(split_pattern(shown), body);
  };
  EXPECT_EQ(align("GET <*> took <*>", "GET /a took 12ms"), (Values{"/a", "12ms"}));
  EXPECT_EQ(align("GET <*> <*> in <*>", "GET /users 200 in 12ms"), (Values{"/users", "200", "12ms"}));
  EXPECT_EQ(align("retry ( <*> ) of <*>", "retry (3) of 5 "), (Values{"3", "5"}));
  EXPECT_EQ(align("<*> done", "  job 7 done"), (Values{"job 7"}));
  EXPECT_EQ(align("nothing varies", "nothing varies"), Values{});
  EXPECT_EQ(align("GET <*>", "POST /a"), std::nullopt);
  EXPECT_EQ(align("GET <*>", "so GET /a"), std::nullopt);
  EXPECT_EQ(align("GET <*> took <*>", "GET /a"), std::nullopt);
  EXPECT_EQ(align("nothing varies", "nothing varies here"), std::nullopt);
}

TEST(PatternText, LeavesOfBodiesAlignWithThem) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string_view> words = {"order", "took", "failed:", "for", "user", "at"};
  for (int i = 0; i < 300; ++i) {
    std::string body = "begin";
    for (int w = 0; w < 6; ++w) {
      body += " ";
      body += words[random() % words.size()];
      body += " " + std::to_string(random() % 100000);
    }
    const auto parts = split_pattern(shown_leaf(body));
    const auto values = align_pattern(parts, body);
    ASSERT_TRUE(values.has_value()) << body << " | " << shown_leaf(body);
    std::size_t slots = 0;
    for (const PatternPart& part : parts) slots += part.slot.has_value() ? 1 : 0;
    EXPECT_EQ(values->size(), slots);
  }
}

TEST(PatternText, AnyBytesAreTaken) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string body;
    for (std::size_t n = random() % 40; n > 0; --n) body.push_back(" a<*>1\n."[random() % 8]);
    align_pattern(split_pattern(shown_leaf(body)), body);
    align_pattern(split_pattern(body), shown_leaf(body));
  }
}

TEST(PatternText, SlotsHaveTypes) {
  EXPECT_EQ(slot_type("12.5"), "number");
  EXPECT_EQ(slot_type("2026-11-20T10:00:00Z"), "time");
  EXPECT_EQ(slot_type("10.0.0.1"), "ip");
  EXPECT_EQ(slot_type("123e4567-e89b-12d3-a456-426614174000"), "uuid");
  EXPECT_EQ(slot_type("deadbeefcafe"), "hex");
  EXPECT_EQ(slot_type("/users"), "word");
  EXPECT_EQ(slot_type("two words"), "any");
  EXPECT_EQ(slot_type(""), "any");
}

}  // namespace
}  // namespace dendro
