// A credential's bytes through the token parser and the checks of claims, as an unknown caller sends them: nothing
// crashes, what is read was canonical, what says it is good keeps the limits, and no key is fooled.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "base/utf8.h"
#include "identity/jwt/claims.h"
#include "identity/jwt/jwt.h"

namespace dendro {
namespace {

void check_token(std::string_view text) {
  static const SignatureKey kKey = SignatureKey::from_secret(SignatureAlgorithm::hs256, std::string(32, 'k')).value();
  const auto jwt = parse_jwt(text);
  if (!jwt) return;
  DENDRO_CHECK(text.size() <= kJwtBytesMax);
  std::string again(jwt->signed_part);
  again.push_back('.');
  append_base64url(again, jwt->signature);
  DENDRO_CHECK(again == text);
  DENDRO_CHECK(!kKey.verifies(jwt->signed_part, jwt->signature));
  for (const char* const audience : {"", "dendro"}) {
    ClaimRules rules;
    rules.now = Timestamp(1'790'000'000 * kNanosPerSecond);
    rules.audience = audience;
    const auto claims = check_claims(jwt->claims, rules);
    if (!claims) continue;
    DENDRO_CHECK(claims->expires > rules.now);
    DENDRO_CHECK(!claims->subject.empty() && count_code_points(claims->subject) <= kSubjectCharactersMax);
  }
}

}  // namespace
}  // namespace dendro

/// The bytes as they are; and, so that the claims are reached, as claims behind a header that is good.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  dendro::check_token(bytes);
  std::string wrapped = "eyJhbGciOiJIUzI1NiJ9.";
  dendro::append_base64url(wrapped, bytes);
  dendro::check_token(wrapped + ".c2lnbg");
  return 0;
}
