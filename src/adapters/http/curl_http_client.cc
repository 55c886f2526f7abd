#include "adapters/http/curl_http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>

#include "base/mutex.h"

namespace dendro {
namespace {

/// What libcurl's callbacks share during one exchange.
struct Exchange {
  CURL* handle = nullptr;
  const HttpClientRequest* request = nullptr;
  const HttpBodySink* sink = nullptr;
  HttpClientReply reply;
  std::uint64_t body_bytes = 0;
  Status status;  ///< why a callback stopped the exchange
};

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/") exchange.reply.headers.clear();  // of a 100 Continue before
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  exchange.reply.headers.emplace_back(std::move(name), std::string(value));
  return size * count;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view bytes(data, size * count);
  exchange.body_bytes += bytes.size();
  if (exchange.body_bytes > exchange.request->reply_bytes_max) {
    exchange.status =
        Error(ErrorCode::too_large, "reply is over " + std::to_string(exchange.request->reply_bytes_max) + " bytes");
    return 0;
  }
  long http_status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &http_status);
  if (*exchange.sink != nullptr && http_status >= 200 && http_status < 300) {
    exchange.status = (*exchange.sink)(bytes);
    return exchange.status ? bytes.size() : 0;
  }
  exchange.reply.body.append(bytes);
  return bytes.size();
}

int watch_cancel(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->request->cancel.cancelled() ? 1 : 0;
}

/// Scheme, host and port of a URL, for error texts: no path, no query, no credentials.
std::string origin_of(const std::string& url) {
  const std::size_t scheme_end = url.find("://");
  const std::size_t first = scheme_end == std::string::npos ? 0 : scheme_end + 3;
  std::string authority = url.substr(first, url.find_first_of("/?#", first) - first);
  if (const std::size_t at = authority.rfind('@'); at != std::string::npos) authority.erase(0, at + 1);
  return url.substr(0, first) + authority;
}

Error error_of(CURLcode code, const Exchange& exchange, const char* detail) {
  const std::string text =
      origin_of(exchange.request->url) + ": " + (detail[0] != '\0' ? detail : curl_easy_strerror(code));
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error(ErrorCode::invalid_argument, text);
    case CURLE_OPERATION_TIMEDOUT:
      return Error(ErrorCode::deadline_exceeded, text);
    case CURLE_ABORTED_BY_CALLBACK:
      return Error(ErrorCode::cancelled, text);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return Error(ErrorCode::unavailable, text);
    default:
      return Error(ErrorCode::io_error, text);
  }
}

class CurlHttpClient final : public HttpClient {
 public:
  ~CurlHttpClient() override {
    for (CURL* handle : idle_) curl_easy_cleanup(handle);
  }

  Result<HttpClientReply> exchange(const HttpClientRequest& request, const HttpBodySink& sink) override {
    Exchange exchange;
    exchange.handle = take_handle();
    if (exchange.handle == nullptr) return Error(ErrorCode::internal, "libcurl: out of memory");
    exchange.request = &request;
    exchange.sink = &sink;
    char detail[CURL_ERROR_SIZE] = "";
    curl_slist* headers = curl_slist_append(nullptr, "Expect:");
    for (const auto& [name, value] : request.headers)
      headers = curl_slist_append(headers, (name + ": " + value).c_str());
    configure(exchange, headers, detail);
    const CURLcode code = curl_easy_perform(exchange.handle);
    long status = 0;
    curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
    exchange.reply.status = static_cast<int>(status);
    curl_slist_free_all(headers);
    give_back(exchange.handle);
    if (!exchange.status) return exchange.status.error().with_context(origin_of(request.url));
    if (code != CURLE_OK) return error_of(code, exchange, detail);
    return std::move(exchange.reply);
  }

 private:
  static void configure(Exchange& exchange, curl_slist* headers, char* detail) {
    const HttpClientRequest& request = *exchange.request;
    CURL* handle = exchange.handle;
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    if (request.method == "HEAD") curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    if (request.stall_timeout.count() > 0) {
      curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
      curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
    }
    if (request.bypasses_proxy) curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &watch_cancel);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "dendro/" DENDRO_VERSION);
    // Debian's libcurl names the system's file itself, and then OpenSSL does not look at its own variable.
    if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr && *authorities != '\0') {
      curl_easy_setopt(handle, CURLOPT_CAINFO, authorities);
    }
  }

  CURL* take_handle() {
    MutexLock lock(mutex_);
    if (idle_.empty()) return curl_easy_init();
    CURL* handle = idle_.back();
    idle_.pop_back();
    return handle;
  }

  void give_back(CURL* handle) {
    curl_easy_reset(handle);  // keeps its connections
    MutexLock lock(mutex_);
    idle_.push_back(handle);
  }

  Mutex mutex_;
  std::vector<CURL*> idle_ DENDRO_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<HttpClient> make_curl_http_client() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  DENDRO_CHECK(initialised == CURLE_OK);
  return std::make_unique<CurlHttpClient>();
}

}  // namespace dendro
