#pragma once

namespace dendro {
/// Prints the failed condition with its place to stderr and aborts. Never returns.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace dendro

/// Our own mistakes, on in every build. Input from outside must never reach one: that is a Result.
#define DENDRO_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::dendro::check_failed(#condition, __FILE__, __LINE__))
