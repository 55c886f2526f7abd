#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/tls/client_certificate.h"
#include "server/tls/tls_context.h"

namespace dendro {

/// TLS over one non-blocking socket, a server's side. It never waits: a step that cannot go on says what the socket
/// must be ready for, and is tried again. Knows no event loop. One thread at a time.
///
/// States: shaking hands -> open -> closed; failed is final, and so is closed. After either nothing is called.
class TlsStream {
 public:
  enum class State : std::uint8_t {
    done,        ///< `count` bytes were moved, at least one
    want_read,   ///< again when the socket can be read from
    want_write,  ///< again when it can be written to
    closed,      ///< the peer ended it
    failed,      ///< it broke the protocol, or the socket is broken; `fault` says how
  };
  struct Outcome {
    State state = State::failed;
    std::size_t count = 0;
  };

  /// @param fd  stays its owner's, and open while anything here is called.
  TlsStream(std::shared_ptr<const TlsContext> context, int fd);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  Outcome shake_hands();
  /// Fills `room` with what is here, as far as that needs no further wait.
  Outcome read(std::span<char> room);
  /// Takes as much as the socket does. After want_write the next call must begin with the same bytes.
  Outcome write(std::string_view bytes);
  /// Tells the peer that nothing more comes, if the socket takes it at once.
  void close();

  /// Bytes of the peer were read from the socket that `read` has not given yet.
  bool has_buffered() const;
  /// Who the client says it is; nothing if it showed no certificate. After `shake_hands` is done.
  const std::optional<ClientCertificate>& client() const;
  /// Whether the client's certificate would be taken now. True without one.
  bool is_client_trusted(const TlsContext& now) const;
  /// Why it failed, in fixed words of OpenSSL.
  const std::string& fault() const;
  /// It failed because the peer speaks HTTP without TLS.
  bool is_peer_plain() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace dendro
