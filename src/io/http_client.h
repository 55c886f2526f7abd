#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace dendro {

struct HttpClientRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://, already percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{60'000};                ///< for the whole exchange; 0 = none
  std::chrono::seconds stall_timeout{0};                    ///< without a byte in either direction; 0 = none
  std::uint64_t reply_bytes_max = std::uint64_t{64} << 20;  ///< of the body; counted also where a sink takes it
  bool bypasses_proxy = false;  ///< straight to the server whatever proxies the environment names
  CancelToken cancel;
};

struct HttpClientReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;                                          ///< empty where a sink took it
  std::string_view header(std::string_view lower_name) const;
};

/// Takes the body of a reply with a 2xx status as it arrives; an error stops the exchange with that error.
using HttpBodySink = std::function<Status(std::string_view bytes)>;

/// HTTP/1.1 towards other servers. Redirects are not followed. Thread-safe; calls block, so never on a loop thread.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// A reply of any status is a success here. `sink`: optional.
  /// Errors: invalid_argument (the URL), unavailable (refused, name unknown, TLS failed), deadline_exceeded,
  /// io_error (cut in the middle), too_large, cancelled; the text names host and port, never a header.
  virtual Result<HttpClientReply> exchange(const HttpClientRequest& request, const HttpBodySink& sink) = 0;
};

}  // namespace dendro
