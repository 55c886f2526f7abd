// How fast integer columns are encoded and decoded, next to copying them: `codec_integer_bench`. Data: 8,192 values a
// column (64 KiB, so that the second-level cache holds them, as it does in a scan), made here, seed 42. Each figure is
// the best of 9 repeats of 20 ms; a line gives bytes a value, million values a second, and the share of memcpy's speed.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>

#include "codec/integer_column.h"

namespace {

using Integers = std::vector<std::int64_t>;
constexpr std::size_t kValues = 8192;

double million_values_per_second(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int repeat = 0; repeat < 9; ++repeat) {
    const auto start = Clock::now();
    std::size_t runs = 0;
    std::chrono::duration<double> elapsed{};
    for (; elapsed.count() < 0.02; elapsed = Clock::now() - start, ++runs) work();
    best = std::max(best, static_cast<double>(runs * kValues) / elapsed.count() / 1e6);
  }
  return best;
}

void measure(const char* name, const Integers& values, double copy_speed) {
  std::string bytes;
  Integers out;
  const double encode_speed = million_values_per_second([&] {
    bytes.clear();
    dendro::encode_integers(values, bytes);
  });
  const double decode_speed = million_values_per_second([&] {
    std::string_view rest = bytes;
    if (!dendro::decode_integers(rest, values.size(), out)) std::abort();
  });
  std::printf("%-34s %7.3f B/value  encode %6.0f M/s  decode %6.0f M/s  %5.3f of memcpy\n", name,
              static_cast<double>(bytes.size()) / kValues, encode_speed, decode_speed, decode_speed / copy_speed);
}

Integers column(const std::function<std::int64_t(std::size_t)>& value) {
  Integers values;
  for (std::size_t i = 0; i < kValues; ++i) values.push_back(value(i));
  return values;
}

}  // namespace

int main() {
  std::mt19937_64 random(42);
  std::exponential_distribution<double> gap(1e-6);
  std::int64_t now = 1'700'000'000'000'000'000;
  const auto below = [&](std::uint64_t bound) { return static_cast<std::int64_t>(random() % bound); };
  const auto tick = [&] { return now += static_cast<std::int64_t>(gap(random)); };

  Integers copy(kValues);
  const Integers source = column([&](std::size_t) { return below(~0ULL); });
  const double copy_speed =
      million_values_per_second([&] { std::memcpy(copy.data(), source.data(), kValues * sizeof(std::int64_t)); });
  std::printf("%-34s %7.3f B/value  %.0f M/s\n", "memcpy", 8.0, copy_speed);
  measure("constant", column([](std::size_t) { return 8080; }), copy_speed);
  measure("booleans", column([&](std::size_t) { return below(2); }), copy_speed);
  measure("ports", column([&](std::size_t) { return 1024 + below(64'512); }), copy_speed);
  measure("sorted nanoseconds, 1,000/s", column([&](std::size_t) { return tick(); }), copy_speed);
  measure("sorted microseconds, 1,000/s", column([&](std::size_t) { return tick() / 1000 * 1000; }), copy_speed);
  measure("even steps", column([](std::size_t i) { return static_cast<std::int64_t>(i) * 1000; }), copy_speed);
  measure("sequence numbers moved by up to 8",
          column([&](std::size_t i) { return static_cast<std::int64_t>(i) + below(9); }), copy_speed);
  measure("1 % outliers", column([&](std::size_t) { return below(100) == 0 ? 1'000'000 : below(16); }), copy_speed);
  measure("noise", source, copy_speed);
}
