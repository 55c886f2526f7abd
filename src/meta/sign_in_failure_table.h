#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

struct SignInFailures {
  std::int64_t count = 0;  ///< in a row
  Timestamp locked_until;  ///< 0: it is not
};

/// Failed sign-ins by account, whether there is such an account or not. Thread-safe; every call may wait for the disk.
class SignInFailureTable {
 public:
  /// The ones longest ago are forgotten beyond it.
  static constexpr std::size_t kAccountsMax = 100'000;

  explicit SignInFailureTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  Result<SignInFailures> find(const std::string& account) const;
  /// Counts one more; the `failures_max`th locks the account for `lock_span`. A day without one starts anew.
  Result<SignInFailures> add(const std::string& account, Timestamp now, std::int64_t failures_max,
                             std::chrono::nanoseconds lock_span);
  Status clear(const std::string& account);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
