#include "base/ids.h"

#include <algorithm>

#include "base/utf8.h"

namespace dendro {

Result<TenantId> TenantId::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxBytes) {
    return Error(ErrorCode::invalid_argument, "tenant id: " + std::to_string(text.size()) +
                                                  " bytes; it must have 1 to " + std::to_string(kMaxBytes));
  }
  const bool has_control =
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (has_control || !is_valid_utf8(text)) {
    return Error(ErrorCode::invalid_argument, "tenant id: must be UTF-8 without control characters");
  }
  return TenantId(std::string(text));
}

const TenantId& TenantId::default_tenant() {
  static const TenantId tenant("default");
  return tenant;
}

}  // namespace dendro
