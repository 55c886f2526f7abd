#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/http_client.h"

namespace dendro {

struct FetchedKeys {
  std::string text;              ///< for KeySet::parse
  std::chrono::seconds max_age;  ///< how long it may be believed without asking again
};

/// Where the public keys of an issuer are. Thread-safe.
class KeySource {
 public:
  static constexpr std::chrono::seconds kMaxAgeMin{60}, kMaxAgeDefault{3'600}, kMaxAgeMax{86'400};

  virtual ~KeySource() = default;
  /// Waits for disk or network, 10 s at most.
  virtual Result<FetchedKeys> fetch() = 0;
};

/// A file, read again each minute. `files` outlives it.
std::unique_ptr<KeySource> make_file_key_source(FileSystem& files, std::string path);
/// A document behind an address, kept as its Cache-Control says. `http` outlives it.
std::unique_ptr<KeySource> make_url_key_source(HttpClient& http, std::string url);
/// The document whose address the issuer's own description names (OpenID Connect Discovery 1.0, section 4).
std::unique_ptr<KeySource> make_discovery_key_source(HttpClient& http, std::string issuer);

/// The issuer's own description, as JSON, which must be of this very issuer. Waits for the network, 5 s at most.
/// Errors: unavailable, those of HttpClient.
Result<FetchedKeys> fetch_issuer_description(HttpClient& http, const std::string& issuer);

/// Keys must not change on their way: https, or http on this machine.
bool is_safe_key_url(std::string_view url);

}  // namespace dendro
