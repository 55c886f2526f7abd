#include "apps/url_text.h"

namespace dendro {

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
