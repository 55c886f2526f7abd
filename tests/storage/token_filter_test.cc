#include "storage/segment/token_filter.h"

#include <set>

#include "tests/storage/segment_fixture.h"

namespace dendro {
namespace {

using Keys = std::set<std::uint64_t>;

Keys keys_one_by_one(const std::vector<std::string_view>& tokens) {
  TokenKeys keys;
  for (const std::string_view token : tokens) keys.add_token(token);
  const std::vector<std::uint64_t>& all = keys.keys();
  Keys distinct(all.begin(), all.end());
  EXPECT_EQ(distinct.size(), all.size()) << "each key once";
  return distinct;
}

Keys keys_together(const std::vector<std::string_view>& tokens) {
  ByteClasses classes = 0;
  for (const std::string_view token : tokens) classes |= byte_classes(token);
  TokenKeys keys;
  keys.add_tokens(tokens, classes);
  const std::vector<std::uint64_t>& all = keys.keys();
  return {all.begin(), all.end()};
}

TEST(TokenKeys, TokensTogetherGiveTheKeysOfEach) {
  for (const std::vector<std::string_view>& tokens :
       std::vector<std::vector<std::string_view>>{{"a1", "a1", "a1", "b2"},
                                                  {"7f3a", "user_9", "z0z"},
                                                  {"10.0.0.1", "12.5ms", "a-b-1"},
                                                  {"A1", "a1", "0x1F", "a.B9"},
                                                  {"\xE2\x84\xAA"
                                                   "9",
                                                   "k9",
                                                   "caf\xC3\xA9"
                                                   "1",
                                                   "\xFF"
                                                   "1"},
                                                  {"%1$", "100%", "+1", "~9!"}}) {
    EXPECT_EQ(keys_together(tokens), keys_one_by_one(tokens)) << tokens.front();
  }
}

TEST(TokenKeys, AreAllThereHoweverManyThereAre) {
  std::mt19937_64 random(segment_test_seed());
  std::vector<std::string> texts;
  for (int i = 0; i < 20'000; ++i) texts.push_back("id" + std::to_string(random() % 12'000));
  const std::vector<std::string_view> tokens(texts.begin(), texts.end());
  Keys expected;
  for (const std::string_view token : tokens) expected.insert(token_key(token));
  EXPECT_EQ(keys_together(tokens), expected);
  EXPECT_EQ(keys_one_by_one(tokens), expected);
}

TEST(TokenKeys, BeginAgainAfterClear) {
  TokenKeys keys;
  keys.add_token("a1");
  keys.clear();
  EXPECT_TRUE(keys.keys().empty());
  keys.add_token("a1");
  EXPECT_EQ(keys.keys(), std::vector<std::uint64_t>{token_key("a1")});
}

}  // namespace
}  // namespace dendro
