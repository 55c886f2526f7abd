#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/server/raw_client.h"

namespace dendro {

struct TlsClientOptions {
  std::string authority = {};  ///< certificate that must have signed the server's; empty: any is taken
  std::string host = {};       ///< name asked for (SNI)
  std::string certificate = {}, key = {};
  int version = 0;                          ///< 0x0303, 0x0304; 0: the best
  std::string ciphers = {};                 ///< of TLS 1.2
  std::vector<std::string> protocols = {};  ///< ALPN
  bool shakes_hands = true;                 ///< at once
};

/// A RawClient over TLS: OpenSSL's client on a blocking socket. Waits end as RawClient's do.
class TlsClient final : public RawClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsClientOptions& options = {});
  ~TlsClient() override;

  bool shake_hands();
  bool is_open() const { return is_open_; }
  std::string version() const;
  std::string cipher() const;
  std::string protocol() const;     ///< of ALPN
  std::string server_name() const;  ///< CN of the server's certificate
  bool was_resumed() const;
  bool has_session() const;  ///< one that could be resumed
  /// Asks for a new handshake (TLS 1.2) or new keys (1.3). False: the library would not.
  bool renegotiate();
  bool update_key();
  /// Says that nothing more comes, and reads on.
  void send_close_notify();
  /// The peer ended TLS in order, not just TCP. After the end was read.
  bool got_close_notify() const;

 private:
  ssize_t receive_bytes(char* out, std::size_t size) override;
  ssize_t send_bytes(const char* bytes, std::size_t size) override;

  struct Parts;
  const std::unique_ptr<Parts> parts_;
  bool is_open_ = false;
};

}  // namespace dendro
