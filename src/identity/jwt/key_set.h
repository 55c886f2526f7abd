#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto_signature.h"
#include "base/result.h"

namespace dendro {

/// Public keys of an issuer, each with the one algorithm that it is for. Immutable.
class KeySet {
 public:
  static constexpr std::size_t kTextBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kKeysMax = 100;

  /// A JWK set (RFC 7517); or a JSON object of certificates in PEM by key id, as Firebase has it; or one key or
  /// certificate in PEM, without a key id. Keys of a JWK set that are for something else, or of a kind that is not
  /// taken (shared secrets among them), are passed over. Errors: invalid_argument (nothing to verify with).
  static Result<KeySet> parse(std::string_view text);

  /// The key that a token means: that of its `kid`, or the only one of the algorithm if it has none. Null: there is
  /// none.
  const SignatureKey* find(const std::optional<std::string>& key_id, SignatureAlgorithm algorithm) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string id;  ///< may be empty
    SignatureKey key;
  };
  std::vector<Entry> entries_;
};

}  // namespace dendro
