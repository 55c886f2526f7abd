#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace dendro {

/// What is recognised in texts by its form. The names are in settings and in stored tokens: never change one.
enum class SensitiveKind : std::uint8_t {
  card,   ///< payment card: issuer's prefix, its lengths, Luhn
  email,  ///< also `name%40host.org` of addresses
  ipv4,
  ipv6,
  mac,    ///< six pairs of hex, between colons or hyphens
  iban,   ///< country, its length, modulo 97
  phone,  ///< `+` and 8 to 15 digits, or North American with its hyphens
  ssn,    ///< of the USA, with its hyphens
  uuid,
  jwt,           ///< also one that is cut off
  bearer,        ///< what follows Bearer, Basic, or a header `Authorization:`
  password,      ///< what follows `password=`, `"api_key":`, `--token ` and the like
  url_password,  ///< of `scheme://user:password@host`
  private_key,   ///< a block in PEM, or as far as it goes
  aws_key,       ///< AKIA.., ASIA..
  github_token,
  gitlab_token,
  slack_token,
  google_key,  ///< AIza..
  stripe_key,
  dendro_key,  ///< our own API keys
};
inline constexpr std::size_t kSensitiveKindCount = 21;

/// Set of kinds, a bit each.
class SensitiveKinds {
 public:
  constexpr SensitiveKinds() = default;
  constexpr SensitiveKinds(std::initializer_list<SensitiveKind> kinds) {
    for (const SensitiveKind kind : kinds) add(kind);
  }
  constexpr void add(SensitiveKind kind) { bits_ |= bit(kind); }
  constexpr void add(SensitiveKinds kinds) { bits_ |= kinds.bits_; }
  constexpr bool has(SensitiveKind kind) const { return (bits_ & bit(kind)) != 0; }
  constexpr bool has_any(SensitiveKinds kinds) const { return (bits_ & kinds.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(SensitiveKinds, SensitiveKinds) = default;

 private:
  static constexpr std::uint32_t bit(SensitiveKind kind) { return 1u << static_cast<unsigned>(kind); }
  std::uint32_t bits_ = 0;
};

/// "card", "github_token": lower-case letters, digits, underscores.
std::string_view sensitive_kind_name(SensitiveKind kind);
/// A kind by its name, or several: `ip` (both), `credentials` (what lets somebody in), `personal` (card, email, iban,
/// phone, ssn), `all`. Nothing for other names.
std::optional<SensitiveKinds> parse_sensitive_kinds(std::string_view name);
/// The names that parse_sensitive_kinds takes, for error texts: "card, email, ..".
std::string sensitive_kind_names();

}  // namespace dendro
