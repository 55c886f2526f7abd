#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "adapters/aws/aws_fault.h"
#include "adapters/aws/aws_settings.h"
#include "adapters/aws/credential_provider.h"
#include "adapters/aws/retry_budget.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/http_client.h"

namespace dendro {

/// One request to a service of AWS.
struct AwsCall {
  SigningScope scope;
  AwsEndpoint endpoint;
  std::string method = "GET";
  std::string path = "/";  ///< decoded, below the endpoint's
  AwsPairs query;          ///< decoded
  AwsPairs headers;
  std::string body;
  std::uint64_t reply_bytes_max = std::uint64_t{16} << 20;
  std::chrono::milliseconds time_max{30'000};  ///< with all repetitions
  bool is_repeatable = true;                   ///< also when nobody knows whether it was done
  CancelToken cancel;
};

struct AwsReply {
  HttpClientReply http;
  std::optional<AwsFault> fault;  ///< of a status of 300 and more
};

struct AwsClientOptions {
  int attempts_max = 4;
  std::chrono::milliseconds backoff_first{100};  ///< doubles each time; the wait is anything from 0 to it (full jitter)
  std::chrono::milliseconds backoff_max{5'000};
  std::function<void(std::chrono::milliseconds)> sleep;  ///< default: the thread sleeps
};

/// Signs, sends, and repeats what is worth it: throttling, errors of theirs, cut connections; a wrong clock (learnt
/// from the Date of the refusal) and outdated credentials once each. Thread-safe. Blocks.
class AwsClient {
 public:
  struct Parts {
    HttpClient& http;
    const Clock& clock;
    RandomSource& random;
    CredentialProvider* credentials;  ///< null: nothing is signed
  };
  /// `parts` outlive this.
  explicit AwsClient(Parts parts, AwsClientOptions options = {});

  /// A reply of any status is a success here. Errors: those of HttpClient and of the credentials.
  Result<AwsReply> call(const AwsCall& call);
  /// Statuses of 300 and more are errors (aws_error).
  Result<HttpClientReply> call_or_error(const AwsCall& call);

  /// How far the services' clock is ahead of ours.
  std::chrono::nanoseconds clock_skew() const { return std::chrono::nanoseconds(skew_ns_.load()); }

 private:
  class Attempts;
  Result<AwsReply> send(const AwsCall& call, const std::optional<AwsCredentials>& credentials,
                        std::chrono::milliseconds timeout);
  bool learn_clock(const HttpClientReply& reply);
  std::chrono::milliseconds backoff(int attempt);

  const Parts parts_;
  const AwsClientOptions options_;
  RequestSigner signer_;
  RetryBudget budget_;
  std::atomic<std::int64_t> skew_ns_{0};
};

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). Nothing for other forms.
std::optional<Timestamp> parse_http_date(std::string_view text);

}  // namespace dendro
