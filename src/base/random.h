#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/ids.h"

namespace dendro {

/// Source of unpredictable bytes, handed in so that a test can own it. Thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
  Bytes16 bytes16() {
    Bytes16 out;
    fill(out);
    return out;
  }
};

/// The kernel's generator (getrandom).
class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

/// "xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx" from 16 bytes, of which 6 bits become version and variant (RFC
/// 9562, 5.4).
std::string uuid_v4(Bytes16 bytes);

/// So many of 0-9, A-Z, a-z, each as likely as any other: 5.95 bits a character.
std::string random_base62(RandomSource& random, std::size_t characters);

}  // namespace dendro
