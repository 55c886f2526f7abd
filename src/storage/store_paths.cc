#include "storage/store_paths.h"

#include <charconv>

#include "base/hex.h"

namespace dendro {
namespace {

constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr std::string_view kWalSuffix = ".wal";
constexpr std::size_t kFileNumberDigits = 6;

std::string file_number_text(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kFileNumberDigits) digits.insert(0, kFileNumberDigits - digits.size(), '0');
  return digits;
}

std::optional<std::uint64_t> parse_file_number(std::string_view digits) {
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number);
  const bool is_canonical = result.ec == std::errc() && result.ptr == end && file_number_text(number) == digits;
  return is_canonical ? std::optional<std::uint64_t>(number) : std::nullopt;
}

std::string segment_name(SegmentId id) {
  return to_hex16(id.number()) + ".seg";
}

}  // namespace

std::string StorePaths::manifest_name(std::uint64_t number) {
  return std::string(kManifestPrefix) + file_number_text(number);
}

std::optional<std::uint64_t> StorePaths::parse_manifest_name(std::string_view name) {
  if (!name.starts_with(kManifestPrefix)) return std::nullopt;
  return parse_file_number(name.substr(kManifestPrefix.size()));
}

std::string StorePaths::wal_name(WalNumber number) {
  return file_number_text(number.number()) + std::string(kWalSuffix);
}

std::optional<WalNumber> StorePaths::parse_wal_name(std::string_view name) {
  if (!name.ends_with(kWalSuffix)) return std::nullopt;
  const auto number = parse_file_number(name.substr(0, name.size() - kWalSuffix.size()));
  return number ? std::optional<WalNumber>(WalNumber(*number)) : std::nullopt;
}

std::string StorePaths::escape_tenant(const TenantId& tenant) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : tenant.text()) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-') {
      escaped.push_back(c);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

std::string StorePaths::wal_file(WalNumber number) const {
  return wal_folder() + "/" + wal_name(number);
}

std::string StorePaths::tenant_folder(const TenantId& tenant) const {
  return tenants_folder() + "/" + escape_tenant(tenant);
}

std::string StorePaths::segment_folder(const TenantId& tenant, Timestamp day) const {
  return tenant_folder(tenant) + "/" + day_text(day);
}

std::string StorePaths::segment(const TenantId& tenant, Timestamp day, SegmentId id) const {
  return segment_folder(tenant, day) + "/" + segment_name(id);
}

}  // namespace dendro
