#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "server/tls/tls_settings.h"

struct ssl_ctx_st;
struct ssl_st;

namespace dendro {

/// What one reading of a listener's files gave: certificates with their keys, whose clients are believed. Immutable,
/// thread-safe, shared by the connections that began with it.
///
/// Sessions are not resumed (docs/decisions/0039): each connection proves itself anew.
class TlsContext {
 public:
  struct Certificate {
    std::string label;  ///< for messages
    Timestamp expires;
  };

  /// Reads the files. What has run out is no error here: see `certificates`.
  /// Errors: invalid_argument naming the file and the reason, never what is in it.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const std::vector<Certificate>& certificates() const { return certificates_; }
  /// When the first of the revocation lists is out of date: from then on no client certificate is taken.
  std::optional<Timestamp> crl_expires() const { return crl_expires_; }

  /// A new connection's state, as a server's. The caller owns it, and keeps this alive meanwhile.
  ssl_st* new_connection() const;
  /// Whether a certificate that another reading believed would be believed by this one. Costs up to a millisecond where
  /// the authorities or lists changed since `connection` began with `began_with`.
  bool trusts_client_of(const ssl_st* connection, const TlsContext& began_with) const;

 private:
  class Loader;
  TlsContext() = default;
  ssl_ctx_st* context_for(const char* host) const;

  std::vector<ssl_ctx_st*> contexts_;  // of the certificates, in their order; owned
  std::vector<Certificate> certificates_;
  std::optional<Timestamp> crl_expires_;
  std::uint64_t trust_hash_ = 0;  // of the bytes of client_ca and client_crl
};

}  // namespace dendro
