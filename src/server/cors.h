#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http_message.h"

namespace dendro {

/// `server.cors_origins`: which other origins' pages may read answers, and change things. Immutable.
class CorsOrigins {
 public:
  /// "https://app.example.org", "http://localhost:3000", or "*" alone.
  /// Errors: invalid_argument (names the one that is no origin; `null`, which any file and sandbox has, is none).
  static Result<CorsOrigins> parse(const std::vector<std::string>& texts);

  bool empty() const { return origins_.empty() && !is_any_; }
  /// "*": every origin, but never with what browsers send by themselves (cookies, client certificates).
  bool is_any() const { return is_any_; }
  bool allows(std::string_view origin) const;

 private:
  std::vector<std::string> origins_;  // lower case, without default port
  bool is_any_ = false;
};

/// What a reply says to a page of another origin. Of one request.
struct CorsGrant {
  enum class Kind : std::uint8_t {
    none,
    open_route,  ///< any origin, for the plain requests of five-systems.md 3.3
    any,         ///< any origin
    origin,      ///< this one, with cookies too
  };
  Kind kind = Kind::none;
  std::string origin = {};  ///< as the page's browser sent it

  /// Appends the header lines.
  void append_to(std::string& out) const;
};

/// @param is_open_route  the route answers any origin, whatever the settings say (S1's on `ingest`).
CorsGrant cors_grant(const CorsOrigins& origins, bool is_open_route, const HttpHeaders& headers);

/// OPTIONS that a browser sends before a request that a form could not make. `allow`: the methods of the path.
HttpResponse preflight_reply(const CorsGrant& grant, std::string_view allow);

}  // namespace dendro
