#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "filter/regex_outline.h"

namespace dendro {

/// Marks, among many values laid one behind the other, those in which an expression may match: hyperscan over the whole
/// text at once. Immutable; thread-safe (scratch memory is each thread's own).
class RegexAccelerator {
 public:
  /// nullptr where hyperscan does not take the expression or this machine. Takes milliseconds.
  static std::unique_ptr<const RegexAccelerator> make(const RegexOutline& outline);
  ~RegexAccelerator();
  RegexAccelerator(const RegexAccelerator&) = delete;
  RegexAccelerator& operator=(const RegexAccelerator&) = delete;

  /// Sets marks[i] of every value i (text[ends[i-1], ends[i])) in which a match may be to 1 and leaves the others; no
  /// value with a match is left out. False: nothing is known, ask each.
  /// @param marks  as many as `ends`, all 0.
  bool mark(std::string_view text, std::span<const std::uint32_t> ends, std::span<std::uint8_t> marks) const;

 private:
  struct Databases;
  explicit RegexAccelerator(std::unique_ptr<Databases> databases);
  std::unique_ptr<Databases> databases_;
};

}  // namespace dendro
