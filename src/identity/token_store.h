#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "meta/token_table.h"

namespace dendro {

/// Where own tokens are known (five-systems.md 4.1): the meta database, or another system. Thread-safe; every call may
/// wait for disk or network.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  /// Errors: already_exists, resource_exhausted, unavailable, io_error.
  virtual Status insert(const TokenRow& row) = 0;
  virtual Result<std::optional<TokenRow>> find(const std::string& jti) = 0;
  /// The newest first; those of `tenant`, or of all (""); those behind `after_jti` ("": from the newest).
  virtual Result<std::vector<TokenRow>> list(const std::string& tenant, const std::string& after_jti,
                                             std::size_t count_max) = 0;
  /// Errors: not_found.
  virtual Status revoke(const std::string& jti, Timestamp now) = 0;
};

/// `database` outlives it.
std::unique_ptr<TokenStore> make_meta_token_store(MetaDatabase& database);

}  // namespace dendro
