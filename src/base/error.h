#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dendro {

/// What the caller can do about a failure. The table in error.cc turns a code into an HTTP status, an exit code and a
/// name.
enum class ErrorCode : std::uint8_t {
  invalid_argument,    ///< the request is wrong and stays wrong
  unauthenticated,     ///< no or bad credential
  quota_exhausted,     ///< a paid or counted quota is used up
  permission_denied,   ///< known caller, not allowed
  not_found,           ///< no such thing
  already_exists,      ///< conflicts with what is stored
  too_large,           ///< over a documented limit
  resource_exhausted,  ///< busy or over a rate: retry later
  cancelled,           ///< the caller went away
  corruption,          ///< stored bytes are damaged
  io_error,            ///< the disk or network failed
  internal,            ///< our own fault
  unimplemented,       ///< known, not built
  unavailable,         ///< not ready or shutting down: retry
  deadline_exceeded,   ///< out of time: retry
  storage_full,        ///< no space left: retry when there is
};

/// One failure: a code for programs and a text for people. The text says what failed, on what, the numbers and the
/// remedy.
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// "segment 17: block checksum mismatch": puts the place in front, keeps the code.
  Error with_context(std::string_view place) const { return Error(code_, std::string(place) + ": " + message_); }

 private:
  ErrorCode code_;
  std::string message_;
};

/// "invalid_argument". Stable: it is the `code` of error bodies.
std::string_view error_code_name(ErrorCode code);
/// HTTP status of a code where the route's own page does not say otherwise; 499 for cancelled (never sent).
int http_status_of(ErrorCode code);
/// Process exit code of a code where the command's own page does not say otherwise: 2 for invalid_argument, else 1.
int exit_code_of(ErrorCode code);

/// Text of an errno value, thread-safe: "No space left on device".
std::string errno_text(int error_number);

}  // namespace dendro
