#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace dendro {

/// A value or an Error. Members are named like std::expected's, so that it can become that.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    DENDRO_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    DENDRO_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    DENDRO_CHECK(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    DENDRO_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    DENDRO_CHECK(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success or an Error. `return Status();` or `return ok_status();` is success.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& {
    DENDRO_CHECK(error_.has_value());
    return *error_;
  }
  Error&& error() && {
    DENDRO_CHECK(error_.has_value());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

inline Status ok_status() {
  return {};
}

}  // namespace dendro

#define DENDRO_CONCAT_INNER(a, b) a##b
#define DENDRO_CONCAT(a, b) DENDRO_CONCAT_INNER(a, b)

/// Returns the error of a Status or Result expression to the caller, drops its value.
#define DENDRO_TRY(expr)                                                 \
  do {                                                                   \
    auto dendro_try_result = (expr);                                     \
    if (!dendro_try_result) return std::move(dendro_try_result).error(); \
  } while (false)

#define DENDRO_TRY_ASSIGN_INNER(temporary, declaration, expr) \
  auto temporary = (expr);                                    \
  if (!temporary) return std::move(temporary).error();        \
  declaration = std::move(temporary).value()

/// DENDRO_TRY_ASSIGN(auto x, expr): x gets the value, or the caller gets the error.
#define DENDRO_TRY_ASSIGN(declaration, expr) \
  DENDRO_TRY_ASSIGN_INNER(DENDRO_CONCAT(dendro_try_, __LINE__), declaration, expr)
