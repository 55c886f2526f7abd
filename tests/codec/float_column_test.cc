#include "codec/float_column.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace dendro {
namespace {

using Floats = std::vector<double>;
enum Form : int { kPlanes = 0, kBinary = 1, kDecimal = 2 };

std::uint64_t float_test_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

/// Encodes, decodes, compares bit for bit; returns the form's number.
int float_round_trip(const Floats& values) {
  std::string bytes = "front";
  encode_floats(values, bytes);
  const std::vector<char> exact(bytes.begin() + 5, bytes.end());
  std::string_view rest(exact.data(), exact.size());
  Floats back{1};
  const Status decoded = decode_floats(rest, values.size(), back);
  EXPECT_TRUE(decoded.has_value()) << decoded.error().message();
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(back.size(), values.size());
  for (std::size_t i = 0; i < std::min(back.size(), values.size()); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back[i]), std::bit_cast<std::uint64_t>(values[i])) << i << ": " << values[i];
  }
  return exact.front();
}

TEST(FloatColumn, TakesDecimalsForPrices) {
  Floats values;
  for (int i = 0; i < 500; ++i) values.push_back(static_cast<double>(i * 37 % 1000) / 100);
  EXPECT_EQ(float_round_trip(values), kDecimal);
  EXPECT_EQ(float_round_trip({1, 2, 3}), kDecimal);
  EXPECT_EQ(float_round_trip({0.1, 0.25, -7.123}), kDecimal);
}

TEST(FloatColumn, TakesBinaryFractionsForWhatDecimalsDoNotGiveBack) {
  Floats values;
  for (int i = 0; i < 500; ++i) values.push_back(std::ldexp(i + 1, -30));
  EXPECT_EQ(float_round_trip(values), kBinary);
}

TEST(FloatColumn, TakesPlanesForAnythingElse) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double tiny = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(float_round_trip({-0.0}), kPlanes);
  EXPECT_EQ(float_round_trip({0.5, -0.0, 0.25}), kPlanes);
  EXPECT_EQ(float_round_trip({infinity, 1}), kPlanes);
  EXPECT_EQ(float_round_trip({-infinity}), kPlanes);
  EXPECT_EQ(float_round_trip({std::numeric_limits<double>::quiet_NaN(), 2}), kPlanes);
  EXPECT_EQ(float_round_trip({std::bit_cast<double>(std::uint64_t{0x7FF0000000000001})}), kPlanes);
  EXPECT_EQ(float_round_trip({std::bit_cast<double>(std::uint64_t{0xFFFFFFFFFFFFFFFF})}), kPlanes);
  EXPECT_EQ(float_round_trip({tiny, 1}), kPlanes);
  EXPECT_EQ(float_round_trip({std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()}), kPlanes);
  EXPECT_EQ(float_round_trip({1e17, 0.1, 3e-12}), kPlanes);
}

TEST(FloatColumn, GivesBackTheEdgesOfWholeNumbers) {
  for (const double edge :
       {std::ldexp(1, 53), std::ldexp(1, 53) - 1, std::ldexp(1, 54), std::ldexp(1, 63), 9.2e18, 1e22}) {
    float_round_trip({edge, -edge, 0});
    float_round_trip({edge / 10, 0.1});
    float_round_trip({edge, 0.5});
  }
  float_round_trip({});
  float_round_trip({std::ldexp(1, -1000), 0});
  float_round_trip({std::ldexp(1, -1001)});
  float_round_trip({std::ldexp(1, -1022), std::ldexp(3, -1022)});
}

TEST(FloatColumn, GivesBackRandomBits) {
  const std::uint64_t seed = float_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 400; ++round) {
    Floats values(1 + random() % 300);
    const std::uint64_t style = random() % 5;
    for (double& value : values) {
      switch (style) {
        case 0:
          value = std::bit_cast<double>(random());
          break;
        case 1:
          value = static_cast<double>(static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000) /
                  std::pow(10, round % 10);
          break;
        case 2:
          value = std::ldexp(static_cast<double>(random() % 1'000'000), -static_cast<int>(random() % 60));
          break;
        case 3:
          value = static_cast<double>(static_cast<std::int64_t>(random()));
          break;
        default:
          value = 1700000000.0 + static_cast<double>(random() % 1'000'000'000) / 1e6;
          break;
      }
    }
    ASSERT_GE(float_round_trip(values), 0);
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

TEST(FloatColumn, CutsAndFlipsGiveCorruptionOrValues) {
  const std::uint64_t seed = float_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Floats decimal, binary, planes;
  for (int i = 0; i < 200; ++i) {
    decimal.push_back(static_cast<double>(random() % 10'000) / 100);
    binary.push_back(std::ldexp(static_cast<double>(random() % 10'000), -40));
    planes.push_back(std::bit_cast<double>(random()));
  }
  for (const Floats& values : {decimal, binary, planes}) {
    std::string bytes;
    encode_floats(values, bytes);
    Floats back;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<char> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      std::string_view rest(exact.data(), exact.size());
      const Status decoded = decode_floats(rest, values.size(), back);
      ASSERT_FALSE(decoded.has_value()) << size;
      ASSERT_EQ(decoded.error().code(), ErrorCode::corruption);
    }
    for (int round = 0; round < 2'000; ++round) {
      std::vector<char> damaged(bytes.begin(), bytes.end());
      for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
        char& c = damaged[random() % std::min<std::size_t>(damaged.size(), round % 2 == 0 ? 8 : damaged.size())];
        c = static_cast<char>(c ^ (1 << random() % 8));
      }
      std::string_view rest(damaged.data(), damaged.size());
      const Status decoded = decode_floats(rest, values.size(), back);
      if (decoded) ASSERT_EQ(back.size(), values.size());
      if (!decoded) ASSERT_EQ(decoded.error().code(), ErrorCode::corruption);
    }
  }
}

}  // namespace
}  // namespace dendro
