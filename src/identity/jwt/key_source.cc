#include "identity/jwt/key_source.h"

#include <algorithm>
#include <charconv>

#include "base/json_document.h"
#include "identity/jwt/key_set.h"

namespace dendro {
namespace {

/// The seconds of `max-age` in a Cache-Control; without one, or with no-store, what is usual or least.
std::chrono::seconds max_age_of(std::string_view cache_control) {
  if (cache_control.find("no-store") != std::string_view::npos ||
      cache_control.find("no-cache") != std::string_view::npos) {
    return KeySource::kMaxAgeMin;
  }
  constexpr std::string_view kName = "max-age=";
  const std::size_t place = cache_control.find(kName);
  if (place == std::string_view::npos) return KeySource::kMaxAgeDefault;
  const std::string_view digits = cache_control.substr(place + kName.size());
  std::int64_t seconds = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (parsed.ec == std::errc::result_out_of_range) return KeySource::kMaxAgeMax;
  if (parsed.ec != std::errc()) return KeySource::kMaxAgeDefault;
  return std::clamp(std::chrono::seconds(seconds), KeySource::kMaxAgeMin, KeySource::kMaxAgeMax);
}

class FileKeySource final : public KeySource {
 public:
  FileKeySource(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  Result<FetchedKeys> fetch() override {
    DENDRO_TRY_ASSIGN(std::string text, read_whole_file(files_, path_, KeySet::kTextBytesMax));
    return FetchedKeys{std::move(text), kMaxAgeMin};
  }

 private:
  FileSystem& files_;
  const std::string path_;
};

Result<FetchedKeys> fetch_document(HttpClient& http, const std::string& url) {
  HttpClientRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/json"}};
  request.connect_timeout = std::chrono::seconds(2);
  request.timeout = std::chrono::seconds(5);
  request.reply_bytes_max = KeySet::kTextBytesMax;
  DENDRO_TRY_ASSIGN(HttpClientReply reply, http.exchange(request, {}));
  if (reply.status != 200) {
    return Error(ErrorCode::unavailable, url + ": answered " + std::to_string(reply.status));
  }
  const std::chrono::seconds max_age = max_age_of(reply.header("cache-control"));
  return FetchedKeys{std::move(reply.body), max_age};
}

class UrlKeySource final : public KeySource {
 public:
  UrlKeySource(HttpClient& http, std::string url) : http_(http), url_(std::move(url)) {}
  Result<FetchedKeys> fetch() override { return fetch_document(http_, url_); }

 private:
  HttpClient& http_;
  const std::string url_;
};

class DiscoveryKeySource final : public KeySource {
 public:
  DiscoveryKeySource(HttpClient& http, std::string issuer) : http_(http), issuer_(std::move(issuer)) {}

  Result<FetchedKeys> fetch() override {
    DENDRO_TRY_ASSIGN(const FetchedKeys description, fetch_issuer_description(http_, issuer_));
    DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(description.text));
    const JsonValue* const keys = document.find("jwks_uri");
    if (keys == nullptr || !is_safe_key_url(keys->as_string().value_or(""))) {
      return Error(ErrorCode::unavailable, issuer_ + ": its description has no jwks_uri with https");
    }
    return fetch_document(http_, std::string(*keys->as_string()));
  }

 private:
  HttpClient& http_;
  const std::string issuer_;
};

}  // namespace

std::unique_ptr<KeySource> make_file_key_source(FileSystem& files, std::string path) {
  return std::make_unique<FileKeySource>(files, std::move(path));
}
std::unique_ptr<KeySource> make_url_key_source(HttpClient& http, std::string url) {
  return std::make_unique<UrlKeySource>(http, std::move(url));
}
std::unique_ptr<KeySource> make_discovery_key_source(HttpClient& http, std::string issuer) {
  return std::make_unique<DiscoveryKeySource>(http, std::move(issuer));
}

Result<FetchedKeys> fetch_issuer_description(HttpClient& http, const std::string& issuer) {
  std::string url = issuer;
  if (url.ends_with('/')) url.pop_back();
  url += "/.well-known/openid-configuration";
  DENDRO_TRY_ASSIGN(FetchedKeys description, fetch_document(http, url));
  const Result<JsonValue> document = parse_json_document(description.text);
  const JsonValue* const named = document ? document->find("issuer") : nullptr;
  if (named != nullptr && named->as_string() == issuer) return description;
  return Error(ErrorCode::unavailable, url + ": describes another issuer");
}

bool is_safe_key_url(std::string_view url) {
  if (url.starts_with("https://")) return url.size() > std::string_view("https://").size();
  for (const std::string_view own : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(own)) continue;
    const std::string_view rest = url.substr(own.size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') return rest.find('@') == std::string_view::npos;
  }
  return false;
}

}  // namespace dendro
