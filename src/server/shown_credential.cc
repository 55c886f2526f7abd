#include "server/shown_credential.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/base64.h"
#include "server/http_text.h"

namespace dendro {
namespace {

Error unreadable() {
  return Error(ErrorCode::unauthenticated, "Could not validate credentials");
}

/// The part behind the first colon of base64("user:secret"); an ApiKey without colon is the key itself.
Result<std::string> secret_behind_colon(std::string_view packed, bool needs_colon) {
  const std::optional<std::string> pair = decode_base64(packed);
  if (!pair) return unreadable();
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos && needs_colon) return unreadable();
  return colon == std::string::npos ? *pair : pair->substr(colon + 1);
}

Result<std::string> secret_of_authorization(std::string_view value) {
  const std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos) return unreadable();
  const std::string_view scheme = value.substr(0, blank);
  const std::string_view rest = trim_blanks(value.substr(blank));
  if (rest.empty()) return unreadable();
  if (equals_folding_case(scheme, "Bearer") || equals_folding_case(scheme, "Splunk")) return std::string(rest);
  if (equals_folding_case(scheme, "Basic")) return secret_behind_colon(rest, true);
  if (equals_folding_case(scheme, "ApiKey")) return secret_behind_colon(rest, false);
  return unreadable();
}

std::optional<ShownCredential> secret_credential(std::string text) {
  return ShownCredential{{Credential::Kind::secret, std::move(text)}, false};
}

}  // namespace

std::string_view cookie_value(const HttpHeaders& headers, std::string_view wanted) {
  for (const auto& [name, line] : headers.rows()) {
    if (!equals_folding_case(name, "Cookie")) continue;
    for (std::string_view rest = line; !rest.empty();) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = trim_blanks(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::size_t equals = pair.find('=');
      if (equals != std::string_view::npos && pair.substr(0, equals) == wanted) return pair.substr(equals + 1);
    }
  }
  return {};
}

Result<std::optional<ShownCredential>> read_shown_credential(const HttpHeaders& headers, Wire wire) {
  const auto is_authorization = [](const auto& row) { return equals_folding_case(row.first, "Authorization"); };
  if (const auto count = std::ranges::count_if(headers.rows(), is_authorization); count > 0) {
    if (count > 1) return unreadable();
    DENDRO_TRY_ASSIGN(std::string secret, secret_of_authorization(*headers.find("Authorization")));
    return secret_credential(std::move(secret));
  }
  for (const std::string_view name : {"DD-API-KEY", "X-Amz-Firehose-Access-Key"}) {
    if (const auto key = headers.find(name)) return secret_credential(std::string(*key));
  }
  for (const std::string_view name : {kSecureSessionCookie, kPlainSessionCookie}) {
    if (wire == Wire::https && name == kPlainSessionCookie) continue;
    if (const std::string_view id = cookie_value(headers, name); !id.empty()) {
      return std::optional(ShownCredential{{Credential::Kind::session, std::string(id)}, true});
    }
  }
  return std::optional<ShownCredential>();
}

}  // namespace dendro
