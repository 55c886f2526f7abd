#include "query/stats/text_numbers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace dendro {
namespace {

TEST(TextNumbers, NumbersTextsInTheOrderOfTheirFirstUse) {
  TextNumbers numbers;
  EXPECT_EQ(numbers.size(), 0u);
  EXPECT_EQ(numbers.add("b").number, 0u);
  EXPECT_EQ(numbers.add("").number, 1u);
  EXPECT_EQ(numbers.add("a").number, 2u);
  EXPECT_TRUE(numbers.add(std::string_view("b\0", 2)).is_new);
  EXPECT_FALSE(numbers.add("b").is_new);
  EXPECT_EQ(numbers.add("").number, 1u);
  EXPECT_EQ(numbers[1], "");
  EXPECT_EQ(numbers.size(), 4u);
  numbers.clear();
  EXPECT_EQ(numbers.size(), 0u);
  EXPECT_EQ(numbers.add("a").number, 0u);
}

TEST(TextNumbers, AgreesWithAMap) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  TextNumbers numbers;
  std::map<std::string, std::uint32_t> model;
  std::vector<std::string> order;
  for (int round = 0; round < 30'000; ++round) {
    // Short ones repeat; now and then one is larger than a page.
    std::string text = std::to_string(random() % 6'000);
    if (random() % 2'000 == 0) text.append(300'000, 'x');
    const auto [known, is_new] = model.emplace(text, static_cast<std::uint32_t>(order.size()));
    if (is_new) order.push_back(text);
    const TextNumbers::Added added = numbers.add(text);
    ASSERT_EQ(added.number, known->second);
    ASSERT_EQ(added.is_new, is_new);
    if (is_new && random() % 4 == 0) {
      numbers.remove_last();
      model.erase(order.back());
      order.pop_back();
    }
  }
  ASSERT_EQ(numbers.size(), order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) ASSERT_EQ(numbers[i], order[i]);
}

}  // namespace
}  // namespace dendro
