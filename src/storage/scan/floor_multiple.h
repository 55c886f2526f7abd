#pragma once

#include <cstdint>

namespace dendro {

/// The largest multiple of `step` that is not above the number.
constexpr std::int64_t floor_multiple(std::int64_t number, std::int64_t step) {
  const std::int64_t rest = number % step;
  return number - (rest < 0 ? rest + step : rest);
}

}  // namespace dendro
