#include "codec/integer_column.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <random>

#include "base/bytes.h"

namespace dendro {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

std::string encoded(const Integers& values) {
  std::string bytes;
  encode_integers(values, bytes);
  return bytes;
}

/// Encodes, decodes from an exact allocation (so that ASan sees a read beyond it), compares. Returns the size.
std::size_t round_trip_bytes(const Integers& values) {
  const std::string bytes = encoded(values);
  const std::vector<char> exact(bytes.begin(), bytes.end());
  std::string_view rest(exact.data(), exact.size());
  Integers out{1, 2, 3};
  const Status status = decode_integers(rest, values.size(), out);
  EXPECT_TRUE(status.has_value()) << status.error().message();
  EXPECT_TRUE(rest.empty()) << rest.size() << " bytes left";
  EXPECT_EQ(out, values);
  return bytes.size();
}

double bytes_per_value(const Integers& values) {
  return static_cast<double>(round_trip_bytes(values)) / static_cast<double>(values.size());
}

ErrorCode error_of(std::string bytes, std::size_t count) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  std::string_view rest(exact.data(), exact.size());
  Integers out;
  const Status status = decode_integers(rest, count, out);
  EXPECT_FALSE(status.has_value());
  return status.has_value() ? ErrorCode::internal : status.error().code();
}

std::uint64_t test_seed() {
  const char* given = std::getenv("DENDRO_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
}

/// Columns like those of a log, and ones made to break an encoder.
class IntegerSource {
 public:
  explicit IntegerSource(std::uint64_t seed) : random_(seed) {}

  std::int64_t any() { return static_cast<std::int64_t>(random_()); }
  std::int64_t below(std::uint64_t bound) { return static_cast<std::int64_t>(random_() % bound); }

  /// Sorted nanoseconds, gaps exponential with the given mean, in whole `unit`s.
  Integers timestamps(std::size_t count, double mean_gap_ns, std::int64_t unit) {
    std::exponential_distribution<double> gap(1 / mean_gap_ns);
    Integers values;
    std::int64_t now = 1'700'000'000'000'000'000;
    for (std::size_t i = 0; i < count; ++i) {
      now += static_cast<std::int64_t>(gap(random_));
      values.push_back(now / unit * unit);
    }
    return values;
  }

  /// 0, 1, 2, ... with each moved by a few places, as sequence numbers are after a sort by time.
  Integers nearly_sorted(std::size_t count, std::size_t reach) {
    Integers values(count);
    std::iota(values.begin(), values.end(), 1'000'000);
    for (std::size_t i = 0; i + reach < count; i += reach) {
      std::shuffle(values.begin() + static_cast<std::ptrdiff_t>(i),
                   values.begin() + static_cast<std::ptrdiff_t>(i + reach), random_);
    }
    return values;
  }

  /// Numbers of random widths, some steps, some runs, some extremes.
  Integers wild(std::size_t count) {
    const std::uint64_t unit = random_() % 3 == 0 ? random_() % 5000 + 1 : 1;
    const auto width = static_cast<unsigned>(random_() % 64);
    const std::uint64_t step = random_() % 4 == 0 ? random_() >> random_() % 64 : 0;
    const std::uint64_t rare = random_() % 100 + 1;
    Integers values;
    auto base = static_cast<std::uint64_t>(any());
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t value = base + (random_() >> 1 >> width) * unit;
      if (random_() % rare == 0)
        value = random_() % 2 == 0 ? random_() : static_cast<std::uint64_t>(kLeast) - random_() % 3;
      values.push_back(static_cast<std::int64_t>(value));
      base += step;
    }
    return values;
  }

  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
};

TEST(IntegerColumn, GivesBackEveryLengthAroundABlock) {
  for (const std::size_t count :
       {0UL, 1UL, 2UL, 3UL, 127UL, 128UL, 129UL, 255UL, 256UL, 257UL, 2048UL, 2049UL, 5000UL}) {
    IntegerSource source(test_seed() + count);
    Integers values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(source.below(1000));
    round_trip_bytes(values);
  }
  EXPECT_EQ(encoded({}), "");
}

TEST(IntegerColumn, GivesBackEveryWidth) {
  IntegerSource source(test_seed());
  for (unsigned width = 1; width <= 64; ++width) {
    for (const std::size_t count : {128UL, 100UL}) {
      Integers values{0, static_cast<std::int64_t>(~std::uint64_t{0} >> (64 - width))};
      while (values.size() < count) values.push_back(static_cast<std::int64_t>(source.random()() >> (64 - width)));
      const std::size_t bytes = round_trip_bytes(values);
      EXPECT_LE(bytes, (count * width + 7) / 8 + 35) << "width " << width;
    }
  }
}

TEST(IntegerColumn, GivesBackTheExtremes) {
  round_trip_bytes({kLeast});
  round_trip_bytes({kGreatest, kLeast});
  round_trip_bytes({kLeast, kGreatest, 0, -1, 1});
  Integers alternating;
  for (int i = 0; i < 300; ++i) alternating.push_back(i % 2 == 0 ? kLeast : kGreatest);
  round_trip_bytes(alternating);
  round_trip_bytes({kLeast, 0, kLeast, 0});  // the unit is 2^63
  Integers wrapping;
  for (std::uint64_t i = 0; i < 1000; ++i) wrapping.push_back(static_cast<std::int64_t>(i * 0x2000'0000'0000'0001));
  round_trip_bytes(wrapping);
}

TEST(IntegerColumn, GivesBackWildColumns) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t round = 0; round < 2000; ++round) {
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed + round));
    IntegerSource source(seed + round);
    round_trip_bytes(source.wild(static_cast<std::size_t>(source.below(700))));
    if (HasFailure()) return;
  }
}

TEST(IntegerColumn, LeavesWhatFollowsIt) {
  std::string bytes = "before";
  encode_integers(Integers{1, 2, 3, 5}, bytes);
  encode_integers(Integers{7, 7, 7}, bytes);
  bytes += "after";
  std::string_view rest = std::string_view(bytes).substr(6);
  Integers out;
  ASSERT_TRUE(decode_integers(rest, 4, out));
  EXPECT_EQ(out, (Integers{1, 2, 3, 5}));
  ASSERT_TRUE(decode_integers(rest, 3, out));
  EXPECT_EQ(out, (Integers{7, 7, 7}));
  ASSERT_TRUE(decode_integers(rest, 0, out));
  EXPECT_EQ(out, Integers());
  EXPECT_EQ(rest, "after");
}

// ---- sizes: in bytes per value; the bound is about 5 % over what the numbers' entropy or width demands ----

TEST(IntegerColumnSize, ConstantsAndEvenStepsTakeNextToNothing) {
  EXPECT_LE(round_trip_bytes(Integers(10'000, 8080)), 4U);
  Integers even;
  for (std::int64_t i = 0; i < 12'800; ++i) even.push_back(1'700'000'000'000'000'000 + i * 1'000'000'000);
  EXPECT_LE(round_trip_bytes(even), 130U);  // a byte a block
}

TEST(IntegerColumnSize, SortedNanosecondsTakeThreeBytes) {
  IntegerSource source(test_seed());
  EXPECT_LE(bytes_per_value(source.timestamps(100'000, 1e6, 1)), 2.85);  // 1,000 records/s: log2(e * 10^6) = 21.4 bits
  EXPECT_LE(bytes_per_value(source.timestamps(100'000, 1e6, 1000)), 1.6);  // in microseconds: 11.4 bits
  EXPECT_LE(bytes_per_value(source.timestamps(100'000, 5e6, 1'000'000)), 0.65);
}

TEST(IntegerColumnSize, NearlySortedSequenceNumbersTakeTheirShift) {
  IntegerSource source(test_seed());
  EXPECT_LE(bytes_per_value(source.nearly_sorted(100'000, 4)), 0.51);
  EXPECT_LE(bytes_per_value(source.nearly_sorted(100'000, 1000)), 1.5);
}

TEST(IntegerColumnSize, SmallNumbersTakeTheirBits) {
  IntegerSource source(test_seed());
  Integers booleans;
  Integers ports;
  Integers counters;
  for (int i = 0; i < 100'000; ++i) {
    booleans.push_back(source.below(2));
    ports.push_back(1024 + source.below(64'512));
    counters.push_back(source.below(10));
  }
  EXPECT_LE(bytes_per_value(booleans), 0.135);
  EXPECT_LE(bytes_per_value(ports), 2.03);
  EXPECT_LE(bytes_per_value(counters), 0.52);
}

TEST(IntegerColumnSize, OutliersOnEitherSideAreCheap) {
  IntegerSource source(test_seed());
  for (const std::int64_t outlier : {std::int64_t{1'000'000}, std::int64_t{-1'000'000}}) {
    Integers values;
    for (int i = 0; i < 100'000; ++i) values.push_back(source.below(100) == 0 ? outlier : 200 + source.below(4));
    EXPECT_LE(bytes_per_value(values), 0.40) << outlier;  // 2 bits, and a bit for the sign if it is below
  }
  Integers mostly_true;
  for (int i = 0; i < 100'000; ++i) mostly_true.push_back(source.below(200) == 0 ? 0 : 1);
  EXPECT_LE(bytes_per_value(mostly_true), 0.05);
}

TEST(IntegerColumnSize, NoiseGrowsByLessThanThreePercent) {
  IntegerSource source(test_seed());
  Integers noise;
  for (int i = 0; i < 100'000; ++i) noise.push_back(source.any());
  EXPECT_LE(bytes_per_value(noise), 8.24);
}

// ---- hostile bytes ----

TEST(IntegerColumnDamage, EveryTruncationIsAnError) {
  IntegerSource source(test_seed());
  for (const Integers& values : {Integers(300, -5), source.timestamps(300, 1e6, 1), source.wild(300), Integers{1, 2}}) {
    const std::string bytes = encoded(values);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(error_of(bytes.substr(0, size), values.size()), ErrorCode::corruption) << size;
    }
  }
}

TEST(IntegerColumnDamage, BrokenPartsAreNamed) {
  const auto bytes = [](std::initializer_list<unsigned> list) {
    std::string text;
    for (const unsigned byte : list) text.push_back(static_cast<char>(byte));
    return text;
  };
  const auto message = [](std::string_view damaged, std::size_t count) {
    Integers out;
    return decode_integers(damaged, count, out).error().message();
  };
  EXPECT_EQ(message(bytes({4, 0, 1, 0}), 2), "integer column: form 4");
  EXPECT_EQ(message(bytes({1, 0, 0, 0}), 2), "integer column: bad unit or slope");
  EXPECT_EQ(message(bytes({1, 0, 1, 31, 65, 0, 0, 0, 0}), 1), "integer column: width 65");
  EXPECT_EQ(message(bytes({1, 0, 1, 0x80, 0, 1, 0}), 2), "integer column: outliers do not fit their block");
  EXPECT_EQ(message(bytes({1, 0, 1, 0x80, 3, 1, 0, 1, 2, 0}), 2), "integer column: outliers do not fit their block");
  EXPECT_EQ(message(bytes({1, 0, 1, 0x81, 0, 1, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0}), 2),
            "integer column: outliers do not fit their block");
  EXPECT_EQ(message(bytes({1, 0, 1, 0x80, 1, 0, 0}), 2), "integer column: outliers of no bits");
  EXPECT_EQ(message(bytes({1, 0, 1, 0x80, 1, 1, 2, 0}), 2), "integer column: outliers out of place");
  EXPECT_EQ(message(bytes({1, 0, 1, 0x80, 2, 1, 1, 1, 0}), 2), "integer column: outliers out of place");
}

TEST(IntegerColumnDamage, ACountBeyondTheBytesIsRefusedBeforeItIsAllocated) {
  EXPECT_EQ(error_of(encoded({1, 2, 3}), std::size_t{1} << 60), ErrorCode::corruption);
}

TEST(IntegerColumnDamage, NoiseAndFlippedBitsNeverReadBeyondTheEnd) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t round = 0; round < 3000; ++round) {
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed + round));
    IntegerSource source(seed + round);
    const auto count = static_cast<std::size_t>(source.below(400) + 1);
    std::string bytes = encoded(source.wild(count));
    for (int flips = 0; flips < 3; ++flips) {
      bytes[static_cast<std::size_t>(source.below(bytes.size()))] ^= static_cast<char>(1 << source.below(8));
    }
    const std::vector<char> exact(bytes.begin(), bytes.end());
    std::string_view rest(exact.data(), exact.size());
    Integers out;
    const Status status = decode_integers(rest, count, out);
    if (status.has_value())
      EXPECT_EQ(out.size(), count);
    else
      EXPECT_EQ(status.error().code(), ErrorCode::corruption);
  }
}

}  // namespace
}  // namespace dendro
