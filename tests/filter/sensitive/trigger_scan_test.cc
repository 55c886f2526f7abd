#include "filter/sensitive/trigger_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <tuple>

namespace dendro {
namespace {

constexpr TriggerSet kEvery = (1u << kTriggerCount) - 1;

std::vector<TriggerHit> sorted(std::vector<TriggerHit> hits) {
  std::ranges::sort(hits, {}, [](const TriggerHit& hit) { return std::tuple(hit.offset, hit.trigger); });
  return hits;
}
std::vector<TriggerHit> hits_of(std::string_view text, TriggerSet wanted = kEvery) {
  std::vector<TriggerHit> hits;
  find_triggers(text, wanted, hits);
  return sorted(std::move(hits));
}

TEST(TriggerScan, NamesThePlaceOfEachTrigger) {
  using Hits = std::vector<TriggerHit>;
  EXPECT_EQ(hits_of("x 12345678"), (Hits{{2, Trigger::card}}));
  EXPECT_EQ(hits_of("1234 5678"), (Hits{{0, Trigger::card}}));
  EXPECT_EQ(hits_of("078-05-1120"), (Hits{{0, Trigger::ssn}}));
  EXPECT_EQ(hits_of("10.0.0.1"), (Hits{{2, Trigger::dot}, {4, Trigger::dot}}));
  EXPECT_EQ(hits_of("x ::1"), (Hits{{2, Trigger::colons}}));
  EXPECT_EQ(hits_of("00:1a:2b:"), (Hits{{0, Trigger::pairs}}));
  EXPECT_EQ(hits_of("a@"), (Hits{{1, Trigger::at}}));
  EXPECT_EQ(hits_of("DE893"), (Hits{{0, Trigger::iban}}));
  EXPECT_EQ(hits_of("+1"), (Hits{{0, Trigger::phone}}));
  EXPECT_EQ(hits_of("(415)"), (Hits{{0, Trigger::phone}}));
  EXPECT_EQ(hits_of("x Token"), (Hits{{2, Trigger::letters}}));
  EXPECT_EQ(hits_of("2026-11-20 10:20:30 1.5 ms"), Hits());
  EXPECT_EQ(hits_of("a@ 12345678", trigger_bit(Trigger::at)), (Hits{{1, Trigger::at}}));
}

/// A trigger is found wherever its bytes lie: in front of, across and behind the end of a block, at the text's own end.
TEST(TriggerScan, SeesAcrossBlocks) {
  for (const std::string_view text : {"12345678", "1234-5678", "078-05-1120", "1.2.3", "2001:db8:0:0:0:1",
                                      "00:1a:2b:", "DE893", "415-555-2671", "123e4567-e89b-", "Bea", "::"}) {
    const auto alone = hits_of(text);
    ASSERT_FALSE(alone.empty()) << text;
    for (std::size_t before = 1; before < 150; ++before) {
      const auto hits = hits_of(std::string(before, '_').append(text));
      ASSERT_EQ(hits.size(), alone.size()) << text << " behind " << before;
      ASSERT_EQ(hits[0].offset, alone[0].offset + before) << text;
    }
  }
}

TEST(TriggerScan, EqualsThePlainWay) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kFrequent = "0123456789abcdefABCDEF:.-- @+()TokenpasswdeyJghp_xoxAIzdk_BEGsrk%40SECkey";
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    for (std::size_t i = random() % 300; i > 0; --i) {
      text.push_back(random() % 8 == 0 ? static_cast<char>(random()) : kFrequent[random() % kFrequent.size()]);
    }
    const TriggerSet wanted = static_cast<TriggerSet>(random()) & kEvery;
    std::vector<TriggerHit> fast, plain;
    find_triggers(text, wanted, fast);
    find_triggers_plain(text, wanted, plain);
    ASSERT_EQ(fast, plain) << text;
  }
}

}  // namespace
}  // namespace dendro
