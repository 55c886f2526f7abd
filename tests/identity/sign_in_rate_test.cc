#include "identity/sign_in_rate.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

using std::chrono::seconds;

TEST(SignInRate, TakesSomeAtOnceAndAsManyAMinute) {
  ManualClock clock{Timestamp(0)};
  SignInRate rate(6, clock);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(rate.admit("a"), seconds(0)) << i;
  EXPECT_EQ(rate.admit("a"), seconds(10));
  EXPECT_EQ(rate.admit("b"), seconds(0)) << "others go on";
  clock.advance(seconds(4));
  EXPECT_EQ(rate.admit("a"), seconds(6)) << "to be refused costs nothing";
  clock.advance(seconds(6));
  EXPECT_EQ(rate.admit("a"), seconds(0));
  EXPECT_EQ(rate.admit("a"), seconds(10));
  clock.advance(std::chrono::hours(1));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(rate.admit("a"), seconds(0)) << "no more than a minute's worth is saved";
  EXPECT_NE(rate.admit("a"), seconds(0));
}

TEST(SignInRate, ForgetsThePlaceUnheardOfLongest) {
  ManualClock clock{Timestamp(0)};
  SignInRate rate(1, clock);
  EXPECT_EQ(rate.admit("first"), seconds(0));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(rate.admit("second"), seconds(0));
  for (std::size_t i = 0; i + 1 < SignInRate::kPlacesMax; ++i) {
    clock.advance(std::chrono::microseconds(1));
    EXPECT_EQ(rate.admit(std::to_string(i)), seconds(0));
  }
  EXPECT_NE(rate.admit("second"), seconds(0)) << "remembered";
  EXPECT_EQ(rate.admit("first"), seconds(0)) << "forgotten";
}

}  // namespace
}  // namespace dendro
