#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace dendro {

/// An integer with a name of its own: no implicit conversion to or from its number or another StrongInt.
template <typename Tag, typename Number>
class StrongInt {
 public:
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Number number) : number_(number) {}
  constexpr Number number() const { return number_; }
  constexpr StrongInt next(Number step = 1) const { return StrongInt(static_cast<Number>(number_ + step)); }
  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;

 private:
  Number number_ = 0;
};

}  // namespace dendro

template <typename Tag, typename Number>
struct std::hash<dendro::StrongInt<Tag, Number>> {
  std::size_t operator()(dendro::StrongInt<Tag, Number> value) const noexcept {
    return std::hash<Number>()(value.number());
  }
};
