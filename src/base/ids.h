#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/strong_int.h"

namespace dendro {

/// Place of a record in the order of acknowledgement, global over all tenants. The first one is 1; 0 means none.
using SequenceNumber = StrongInt<struct SequenceNumberTag, std::uint64_t>;
using SegmentId = StrongInt<struct SegmentIdTag, std::uint64_t>;
using WalNumber = StrongInt<struct WalNumberTag, std::uint64_t>;

/// 16 random or hashed bytes (store id, batch id, content hash).
using Bytes16 = std::array<std::uint8_t, 16>;

/// Name of a tenant: 1 to 128 bytes of UTF-8 without control characters. Compared byte by byte.
class TenantId {
 public:
  static constexpr std::size_t kMaxBytes = 128;
  static Result<TenantId> parse(std::string_view text);
  /// The only tenant of an open installation: "default".
  static const TenantId& default_tenant();

  const std::string& text() const { return text_; }
  friend auto operator<=>(const TenantId&, const TenantId&) = default;

 private:
  explicit TenantId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace dendro

template <>
struct std::hash<dendro::TenantId> {
  std::size_t operator()(const dendro::TenantId& tenant) const noexcept {
    return std::hash<std::string>()(tenant.text());
  }
};
