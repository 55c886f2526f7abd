#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "identity/principal.h"

namespace dendro {

/// What a caller showed, taken from its transport, not yet believed. Never logged.
struct Credential {
  enum class Kind : std::uint8_t {
    secret,       ///< an API key or a JWT, told apart by its form
    session,      ///< the value of the sign-in cookie
    certificate,  ///< a TLS client certificate that the CA vouched for: `text` is its names, one a line ("DNS:..")
  };
  Kind kind = Kind::secret;
  std::string text;
};

/// Turns credentials into principals. Thread-safe.
///
/// A revocation, a changed role, a disabled user hold for the next request, whichever process wrote them: what is kept
/// in memory is bound to a generation of the store, which goes up with every write to it.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// The answer if it is known without waiting; nothing: ask `authenticate` on a worker. For loop threads.
  virtual std::optional<PrincipalPtr> known(const Credential& credential) = 0;
  /// May wait for disk, network and a password hash: call it on a worker.
  /// Errors: unauthenticated, with the text that the caller sees (five-systems.md 4.1: "Could not validate
  /// credentials", "Token not found in database", "Token has been revoked", "Token has expired"); unavailable (the key
  /// server is away and the keys are too old); io_error.
  virtual Result<PrincipalPtr> authenticate(const Credential& credential) = 0;
  /// Whether what `authenticate` said still holds, for streams that stay open: false when it expired, was revoked, or
  /// means something else now. May wait; call it on a worker when `generation` went up, and at `expires`.
  virtual bool still_holds(const Credential& credential, const Principal& principal) = 0;
  /// Goes up with every change to users, keys, tokens, roles. Cheap: for loop threads.
  virtual std::uint64_t generation() = 0;
};

}  // namespace dendro
