#include "io/http_client.h"

namespace dendro {

std::string_view HttpClientReply::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

}  // namespace dendro
