#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto_siv.h"
#include "base/ids.h"

namespace dendro {

/// Words that stand for values of one tenant. Immutable; thread-safe.
///
/// A token is `tok_<kind>_<base32 of: version of the key, tag, ciphertext>` and holds its value itself: nothing is kept
/// elsewhere, so a token that is stored can be read, and none can while the tenant's keys are gone. The value is padded
/// to 16 bytes, so that a token tells no more of its size.
class ValueSealer {
 public:
  /// `keys`: secrets of the tenant by version, at least one; the highest version seals.
  ValueSealer(TenantId tenant, std::map<std::uint8_t, std::string> keys);

  /// `hash_<kind>_<26 letters>`: HMAC with SHA-256, 128 bits of it.
  std::string hash(std::string_view kind, std::string_view value) const;
  /// @param kind  [a-z][a-z0-9_]*
  std::string tokenize(std::string_view kind, std::string_view value) const;
  /// Nothing unless this tenant's keys made the token.
  std::optional<std::string> open(std::string_view token) const;

 private:
  struct Version {
    SivKey seals;
    std::string hashes;
  };
  std::string context(std::string_view kind) const;

  const TenantId tenant_;
  std::map<std::uint8_t, Version> versions_;
};

/// The token that begins at text[first], or nothing: for those that look for tokens in texts.
std::optional<std::string_view> token_in_text(std::string_view text, std::size_t first);
inline constexpr std::string_view kTokenPrefix = "tok_";

}  // namespace dendro
