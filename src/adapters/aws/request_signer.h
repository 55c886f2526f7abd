#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace dendro {

/// A key pair of AWS. Not to be logged.
struct AwsCredentials {
  std::string access_key_id, secret_access_key;
  std::string session_token;         ///< empty: a key pair of long life
  std::optional<Timestamp> expires;  ///< nothing: never
};

using AwsPairs = std::vector<std::pair<std::string, std::string>>;

/// What a signature is good for.
struct SigningScope {
  std::string region, service;  ///< "eu-central-1", "s3"
};

/// A request before anything of it is encoded.
struct AwsSigningRequest {
  std::string method = "GET";
  std::string host;          ///< as the Host header will be: with the port where it is not the scheme's own
  std::string path = "/";    ///< decoded
  AwsPairs query;            ///< decoded
  AwsPairs headers;          ///< sent and signed; not Host, X-Amz-Date and the others that signing adds
  std::string payload_hash;  ///< hex_sha256 of the body, or kUnsignedPayload
};

/// The same as it must be sent, letter by letter.
struct AwsWireRequest {
  std::string target;  ///< path, and "?" and query if there is one
  AwsPairs headers;    ///< those given and those of the signature; Host is not among them
};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
std::string hex_sha256(std::string_view bytes);

/// Signs requests by AWS Signature Version 4, header and query form. Takes decoded paths and queries and gives the wire
/// form, so that nothing is encoded by two parties. Thread-safe; 8 us a signature.
/// Source: AWS Identity and Access Management, "Create a signed AWS API request".
class RequestSigner {
 public:
  AwsWireRequest sign(const AwsSigningRequest& request, const AwsCredentials& credentials, const SigningScope& scope,
                      Timestamp at);
  /// The target of a URL that is good for `lifetime` (a week at most) without further headers than those of `request`.
  std::string presign(const AwsSigningRequest& request, const AwsCredentials& credentials, const SigningScope& scope,
                      Timestamp at, std::chrono::seconds lifetime);

 private:
  struct DerivedKey {
    std::string secret, day, region, service;
    std::string key;
  };
  std::string key_of(const std::string& secret, std::string_view day, const SigningScope& scope);

  Mutex mutex_;
  std::vector<DerivedKey> keys_ DENDRO_GUARDED_BY(mutex_);
};

/// A signed request as it came over the wire.
struct ReceivedAwsRequest {
  std::string method;
  std::string path, query;   ///< as sent, still encoded
  AwsPairs headers;          ///< names in lower case, Host among them
  std::string payload_hash;  ///< hex_sha256 of the body that came
};

/// Who says to have signed, and for what.
struct AwsSignatureClaim {
  std::string access_key_id, day;
  SigningScope scope;
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string time;                              ///< 20150830T123600Z
  std::optional<std::chrono::seconds> lifetime;  ///< of a presigned URL
};

/// Nothing where the request carries no signature of this kind. Errors: unauthenticated (there is one, malformed).
Result<std::optional<AwsSignatureClaim>> read_signature_claim(const ReceivedAwsRequest& request);
/// Whether the holder of `secret` made this very request at about `now`. Path and query are taken as they were sent.
/// Errors: unauthenticated; the text says what is wrong, never what would be right.
Status verify_signature(const ReceivedAwsRequest& request, const AwsSignatureClaim& claim, const std::string& secret,
                        Timestamp now);

}  // namespace dendro
