#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "server/http_message.h"

namespace dendro {

/// A cookie that scripts cannot read and that other sites' pages do not send with changes (ui.md 10.3). By TLS its name
/// gets `__Host-` in front, so that no other host can set it; elsewhere browsers would refuse that.
struct PageCookie {
  std::string_view name;  ///< "sid"
  Wire wire = Wire::loopback;

  std::string full_name() const;
  /// A value of Set-Cookie; `value` is of characters that cookies take.
  std::string set(std::string_view value, std::chrono::seconds max_age) const;
  std::string clear() const;
  /// What the request has; "" if it has none.
  std::string_view value_in(const HttpHeaders& headers) const;
};

}  // namespace dendro
