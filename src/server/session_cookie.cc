#include "server/session_cookie.h"

#include "server/shown_credential.h"

namespace dendro {

std::string PageCookie::full_name() const {
  return (wire == Wire::https ? "__Host-" : "") + std::string(name);
}

std::string PageCookie::set(std::string_view value, std::chrono::seconds max_age) const {
  std::string text = full_name() + "=" + std::string(value) + "; Path=/; Max-Age=" + std::to_string(max_age.count());
  if (wire == Wire::https) text += "; Secure";
  return text + "; HttpOnly; SameSite=Lax";
}

std::string PageCookie::clear() const {
  return set("", std::chrono::seconds(0));
}

std::string_view PageCookie::value_in(const HttpHeaders& headers) const {
  return cookie_value(headers, full_name());
}

}  // namespace dendro
