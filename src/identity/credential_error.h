#pragma once

#include <string_view>

#include "base/error.h"

namespace dendro {

/// What a caller with a credential that is not good reads (five-systems.md 4.1). Why it is not good else, only the own
/// log may know.
inline constexpr std::string_view kBadCredentialText = "Could not validate credentials";
inline constexpr std::string_view kUnknownTokenText = "Token not found in database";
inline constexpr std::string_view kRevokedTokenText = "Token has been revoked";
inline constexpr std::string_view kExpiredTokenText = "Token has expired";
inline constexpr std::string_view kWrongPasswordText = "Wrong e-mail address or password";

inline Error unauthenticated(std::string_view text = kBadCredentialText) {
  return Error(ErrorCode::unauthenticated, std::string(text));
}

}  // namespace dendro
