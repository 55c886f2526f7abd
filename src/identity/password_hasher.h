#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dendro {

/// Password hashes, so many at once at most: each takes a core for 10 to 20 ms and 19 MiB, and whoever may send
/// passwords must not take them all. Thread-safe; blocks for one hash.
class PasswordHasher {
 public:
  explicit PasswordHasher(std::size_t at_once_max) : at_once_max_(at_once_max) {}

  // Errors of all: resource_exhausted (busy, or no memory): nothing is known then.
  Result<std::string> hash(std::string_view password);
  Result<bool> is_password(std::string_view password, const std::string& hash);
  /// Takes as long as `is_password` and says no: of an account that there is not.
  Result<bool> is_password_of_nobody(std::string_view password);

 private:
  const std::size_t at_once_max_;
  std::atomic<std::size_t> at_work_{0};
};

/// What a new password must be: 12 to 128 characters of UTF-8, and not the e-mail address. Nothing is said of old ones.
/// Errors: invalid_argument.
Status check_new_password(std::string_view password, std::string_view email);

}  // namespace dendro
