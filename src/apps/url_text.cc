#include "apps/url_text.h"

namespace dendro {

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

Result<std::string> normalised_server_url(std::string_view text) {
  std::string url(text);
  if (url.find("://") == std::string::npos) url = "http://" + url;
  const bool known_scheme = url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0;
  const std::size_t host = url.find("://") + 3;
  if (!known_scheme || url.size() == host || url.find_first_of("?# \"@", host) != std::string::npos) {
    return Error(ErrorCode::invalid_argument,
                 "'" + std::string(text) + "' is not a server address; use http://host:port");
  }
  while (url.back() == '/') url.pop_back();
  return url;
}

}  // namespace dendro
