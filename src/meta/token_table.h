#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "meta/meta_database.h"

namespace dendro {

/// What is stored of an own token: all but the token, which nothing here can make again.
struct TokenRow {
  std::string jti;
  std::string subject;
  std::vector<std::string> tenants;  ///< "*": every one
  std::vector<std::string> roles;
  Timestamp created, expires;
  Timestamp revoked;  ///< 0: it is not
};

/// Own tokens. Thread-safe; every call may wait for the disk.
class TokenTable {
 public:
  /// Not counting those that `insert` forgets.
  static constexpr std::size_t kTokensMax = 100'000;
  /// An expired one is listed, and says that it has expired, for so long.
  static constexpr std::int64_t kKeptAfterExpiryNs = 30 * kNanosPerDay;

  explicit TokenTable(MetaDatabase& database) : database_(database) {}  ///< outlives this

  /// Forgets those that expired long ago. Errors: already_exists, resource_exhausted (kTokensMax).
  Status insert(const TokenRow& row);
  Result<std::optional<TokenRow>> find(const std::string& jti) const;
  /// The newest first; those of `tenant`, or of all (""); those behind `after_jti` ("": from the newest).
  Result<std::vector<TokenRow>> list(const std::string& tenant, const std::string& after_jti,
                                     std::size_t count_max) const;
  /// A second time changes nothing. Errors: not_found.
  Status revoke(const std::string& jti, Timestamp now);

 private:
  MetaDatabase& database_;
};

}  // namespace dendro
