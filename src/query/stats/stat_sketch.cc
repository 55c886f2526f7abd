// count_uniq_approx: HyperLogLog, exact up to a thousand values.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "query/stats/stat_accumulator.h"

namespace dendro {
namespace {

/// 2^14 registers give a standard error of 1.04 / sqrt(2^14) = 0.81 %.
/// Source: P. Flajolet and others, HyperLogLog, AofA 2007; estimator without tables: O. Ertl, arXiv 1702.01284.
constexpr int kRegisterBits = 14;
constexpr std::size_t kRegisters = std::size_t{1} << kRegisterBits;
constexpr int kRankMax = 64 - kRegisterBits + 1;
constexpr std::size_t kExactHashesMax = 1'024;

double sigma(double x) {
  if (x == 1) return HUGE_VAL;
  double weight = 1, sum = x;
  for (double before = -1; before != sum; weight += weight) {
    x *= x;
    before = sum;
    sum += x * weight;
  }
  return sum;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double weight = 1, sum = 1 - x;
  for (double before = -1; before != sum;) {
    x = std::sqrt(x);
    before = sum;
    weight *= 0.5;
    sum -= (1 - x) * (1 - x) * weight;
  }
  return sum / 3;
}

class SketchAccumulator final : public StatAccumulator {
 public:
  std::uint64_t add(const StatRow& row) override {
    if (std::all_of(row.values.begin(), row.values.end(), is_empty_value)) return 0;
    key_.clear();
    for (const Value& value : row.values) append_sized(key_, value_text(value, scratch_));
    const std::uint64_t hash = xxh3(key_, HashSeed(0x646973746e637421));
    if (!registers_.empty()) {
      raise(hash);
      return 0;
    }
    if (!hashes_.insert(hash).second) return 0;
    if (hashes_.size() <= kExactHashesMax) return 48;
    registers_.resize(kRegisters);
    for (const std::uint64_t known : hashes_) raise(known);
    hashes_.clear();
    return kRegisters;
  }
  Cell finish(StatFinish& finish) override {
    if (registers_.empty()) return Cell(Number::of_uint64(hashes_.size()).to_value());
    finish.is_approximate = true;
    return Cell(Value::of_int64(std::llround(estimate())));
  }

 private:
  void raise(std::uint64_t hash) {
    const std::uint64_t rest = hash << kRegisterBits;
    const int rank = rest == 0 ? kRankMax : std::countl_zero(rest) + 1;
    std::uint8_t& known = registers_[hash >> (64 - kRegisterBits)];
    known = std::max(known, static_cast<std::uint8_t>(rank));
  }
  double estimate() const {
    std::array<double, kRankMax + 1> counts{};
    for (const std::uint8_t rank : registers_) ++counts[rank];
    constexpr auto kCount = static_cast<double>(kRegisters);
    double z = kCount * tau(1 - counts[kRankMax] / kCount);
    for (std::size_t rank = kRankMax - 1; rank > 0; --rank) z = 0.5 * (z + counts[rank]);
    z += kCount * sigma(counts[0] / kCount);
    return kCount / (2 * std::log(2.0)) * kCount / z;
  }

  std::unordered_set<std::uint64_t> hashes_;  ///< until there are too many
  std::vector<std::uint8_t> registers_;
  std::string key_, scratch_;
};

}  // namespace

StatAccumulatorPtr make_sketch_accumulator(const Aggregate&) {
  return std::make_unique<SketchAccumulator>();
}

}  // namespace dendro
