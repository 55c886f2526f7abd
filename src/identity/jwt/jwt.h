#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto_signature.h"
#include "base/json_document.h"
#include "base/result.h"

namespace dendro {

inline constexpr std::size_t kJwtBytesMax = std::size_t{8} << 10;

/// The parts of a token (RFC 7519, compact form), read strictly and not yet believed.
struct Jwt {
  SignatureAlgorithm algorithm = SignatureAlgorithm::hs256;
  std::optional<std::string> key_id;  ///< `kid`
  JsonValue claims;                   ///< an object
  std::string_view signed_part;       ///< borrowed from the text
  std::string signature;
};

/// Refused before any key is looked at: more than kJwtBytesMax; not three parts of strict base64url; a header or claims
/// that are no JSON object, or name a member twice at any depth; `alg` none of ours ("none" is not); `crit` (nothing
/// that must be understood is); a `typ` of something that is no access or identity token.
/// Errors: unauthenticated, saying why: for the own log, never for the caller.
Result<Jwt> parse_jwt(std::string_view text);

/// Makes and signs one; `claims_json` is an object.
std::string make_jwt(const SignatureKey& key, std::string_view claims_json);

}  // namespace dendro
