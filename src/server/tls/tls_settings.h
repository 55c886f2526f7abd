#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.h"
#include "base/result.h"

namespace dendro {

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };
/// What becomes of a client that shows no certificate. One that shows a bad one is refused either way.
enum class ClientCertificates : std::uint8_t { optional, required };

/// `[server.tls]`, or the same members in a block `[[server.listen]]`. Paths of files in PEM.
struct TlsSettings {
  /// Each with its chain, its own certificate first. A client that names a host gets the first one for that name, any
  /// other the first one of all.
  std::vector<std::string> certificates;
  std::vector<std::string> keys;  ///< in the order of `certificates`; without pass phrase
  std::string client_ca;          ///< who may sign certificates of clients; empty: clients are not asked for any
  std::string client_crl;         ///< what those authorities revoked, a list of each; empty: nothing is looked at
  ClientCertificates client_certificates = ClientCertificates::optional;
  TlsVersion min_version = TlsVersion::v1_2;
  std::string ciphers;  ///< of TLS 1.2, in OpenSSL's words; empty: kTlsCiphers

  bool has_certificate() const { return !certificates.empty(); }
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// Forward secrecy and authenticated encryption, or nothing. TLS 1.3 has no other suites.
inline constexpr std::string_view kTlsCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// "1.2", "1.3". Errors: invalid_argument.
Result<TlsVersion> parse_tls_version(std::string_view text);
/// "optional", "required". Errors: invalid_argument.
Result<ClientCertificates> parse_client_certificates(std::string_view text);

/// One member of a block: certificate, key (a text or a list), client_ca, client_crl, client_certificates, min_version,
/// ciphers. False: it is none of these. Errors: invalid_argument.
Result<bool> set_tls_member(TlsSettings& settings, std::string_view name, const JsonValue& value);

/// Errors: invalid_argument (keys that do not pair, parts without what they need).
Status check_tls_settings(const TlsSettings& settings);

}  // namespace dendro
