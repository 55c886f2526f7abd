#pragma once

#include <cmath>
#include <cstdint>

#include "filter/number.h"

namespace dendro {

/// A sum of reals kept to about 120 bits (Neumaier's compensation on long double), so that the order of records does
/// not show in the result.
class RealSum {
 public:
  void add(long double term) {
    const long double total = sum_ + term;
    compensation_ += std::fabs(sum_) >= std::fabs(term) ? (sum_ - total) + term : (term - total) + sum_;
    sum_ = total;
  }
  /// `factor * times`, with what the product's rounding loses.
  void add_product(long double factor, long double times) {
    const long double term = factor * times;
    add(term);
    add(std::fma(factor, times, -term));
  }
  long double total() const { return sum_ + compensation_; }

 private:
  long double sum_ = 0;
  long double compensation_ = 0;
};

/// Exact while everything is an integer of 64 bits; beyond that, and with fractions, a RealSum.
class ExactSum {
 public:
  /// `number`, `weight` times.
  void add(const Number& number, std::uint64_t weight) {
    const auto factor = static_cast<std::int64_t>(weight);
    std::int64_t product = 0;
    if (number.is_int64() && !__builtin_mul_overflow(number.int64(), factor, &product) &&
        !__builtin_add_overflow(integers_, product, &product)) {
      integers_ = product;
      return;
    }
    const auto once =
        number.is_int64() ? static_cast<long double>(number.int64()) : static_cast<long double>(number.to_double());
    has_reals_ = true;
    if (weight == 1) {
      reals_.add(once);
    } else {
      reals_.add_product(once, static_cast<long double>(weight));
    }
  }
  Number total() const {
    return has_reals_ ? Number::of_double(static_cast<double>(exact())) : Number::of_int64(integers_);
  }
  double mean(std::uint64_t count) const { return over(static_cast<long double>(count)); }
  double over(long double divisor) const { return static_cast<double>(exact() / divisor); }

 private:
  long double exact() const { return reals_.total() + static_cast<long double>(integers_); }
  std::int64_t integers_ = 0;
  RealSum reals_;
  bool has_reals_ = false;
};

}  // namespace dendro
