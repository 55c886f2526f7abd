#include "services/privacy/value_sealer.h"

#include <utility>

#include "base/base32.h"
#include "base/check.h"
#include "base/hmac.h"

namespace dendro {
namespace {

constexpr std::size_t kPaddedTo = 16;
constexpr std::size_t kHashBytes = 16;
constexpr char kEndOfValue = '\x80';

/// ISO/IEC 7816-4: a mark, then zeros.
std::string padded_value(std::string_view value) {
  std::string padded(value);
  padded.push_back(kEndOfValue);
  padded.append((kPaddedTo - padded.size() % kPaddedTo) % kPaddedTo, '\0');
  return padded;
}

std::optional<std::string> unpadded_value(std::string padded) {
  const std::size_t mark = padded.find_last_not_of('\0');
  if (mark == std::string::npos || padded[mark] != kEndOfValue) return std::nullopt;
  padded.resize(mark);
  return padded;
}

bool is_token_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

ValueSealer::ValueSealer(TenantId tenant, std::map<std::uint8_t, std::string> keys) : tenant_(std::move(tenant)) {
  DENDRO_CHECK(!keys.empty());
  for (const auto& [version, secret] : keys) {
    versions_.emplace(version, Version{SivKey(derive_key(secret, "privacy token", SivKey::kKeyBytes)),
                                       derive_key(secret, "privacy hash", 32)});
  }
}

std::string ValueSealer::context(std::string_view kind) const {
  return tenant_.text() + '\0' + std::string(kind);
}

std::string ValueSealer::hash(std::string_view kind, std::string_view value) const {
  const auto digest = hmac_sha256(versions_.rbegin()->second.hashes, context(kind) + '\0' + std::string(value));
  std::string text = "hash_" + std::string(kind) + "_";
  append_base32(text, {reinterpret_cast<const char*>(digest.data()), kHashBytes});
  return text;
}

std::string ValueSealer::tokenize(std::string_view kind, std::string_view value) const {
  const auto& [version, keys] = *versions_.rbegin();
  const std::string sealed =
      std::string(1, static_cast<char>(version)) + keys.seals.seal(padded_value(value), context(kind));
  std::string token(kTokenPrefix);
  token.append(kind).push_back('_');
  append_base32(token, sealed);
  return token;
}

std::optional<std::string> ValueSealer::open(std::string_view token) const {
  const std::size_t last = token.rfind('_');
  if (!token.starts_with(kTokenPrefix) || last == std::string_view::npos || last <= kTokenPrefix.size()) {
    return std::nullopt;
  }
  const std::string_view kind = token.substr(kTokenPrefix.size(), last - kTokenPrefix.size());
  const auto sealed = decode_base32(token.substr(last + 1));
  if (!sealed || sealed->empty()) return std::nullopt;
  const auto version = versions_.find(static_cast<std::uint8_t>((*sealed)[0]));
  if (version == versions_.end()) return std::nullopt;
  auto plain = version->second.seals.open(std::string_view(*sealed).substr(1), context(kind));
  return plain ? unpadded_value(std::move(*plain)) : std::nullopt;
}

std::optional<std::string_view> token_in_text(std::string_view text, std::size_t first) {
  if (text.substr(first, kTokenPrefix.size()) != kTokenPrefix) return std::nullopt;
  std::size_t end = first;
  while (end < text.size() && is_token_letter(text[end])) ++end;
  return text.substr(first, end - first);
}

}  // namespace dendro
