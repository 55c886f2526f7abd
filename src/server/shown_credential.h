#pragma once

#include <optional>

#include "base/result.h"
#include "identity/authenticator.h"
#include "server/http_message.h"

namespace dendro {

/// What the headers of a request show about who calls.
struct ShownCredential {
  Credential credential;
  bool is_cookie = false;  ///< a browser sends it by itself, so a page of another site may have caused it
};

/// Reads the forms of clients.md 2.5 that come in headers: `Authorization` (Bearer, Basic with any user and the key as
/// password, ApiKey base64(id:key), Splunk), DD-API-KEY, X-Amz-Firehose-Access-Key, the sign-in cookie, in this order.
/// By TLS only the cookie that no other host could have set counts. Nothing: the caller shows none. Pure.
/// Errors: unauthenticated (an Authorization that says nothing we read, or that is there twice).
Result<std::optional<ShownCredential>> read_shown_credential(const HttpHeaders& headers, Wire wire);

/// The value of the first cookie of that name; "" if there is none. Borrowed.
std::string_view cookie_value(const HttpHeaders& headers, std::string_view wanted);

/// The sign-in cookie: `__Host-sid` over TLS, `sid` elsewhere (ui.md 10.3).
inline constexpr std::string_view kSecureSessionCookie = "__Host-sid";
inline constexpr std::string_view kPlainSessionCookie = "sid";

}  // namespace dendro
