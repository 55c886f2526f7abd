#include "adapters/aws/request_signer.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "adapters/aws/aws_encoding.h"
#include "base/crypto_compare.h"
#include "base/crypto_hash.h"
#include "base/hex.h"
#include "base/hmac.h"

namespace dendro {
namespace {

constexpr std::string_view kSigningAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::chrono::seconds kPresignedLifetimeMax{7 * 86'400};
/// AWS's own bound between the two clocks.
constexpr std::int64_t kSigningSkewMax = 15 * 60 * kNanosPerSecond;
/// Regions and services that one process talks to; more are derived anew each time.
constexpr std::size_t kDerivedKeysMax = 32;

std::string digest_bytes(const std::array<std::uint8_t, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string lower_text(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

/// "20150830T123600Z"
std::string signing_time_text(Timestamp at) {
  std::string text = to_rfc3339(at, 0);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::optional<Timestamp> parse_signing_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto part = [text](std::size_t first, std::size_t size) { return std::string(text.substr(first, size)); };
  return parse_rfc3339(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" + part(11, 2) + ":" +
                       part(13, 2) + "Z");
}

/// S3 signs paths as they are sent; so do the others that carry S3's header of the payload.
bool is_s3_like(const SigningScope& scope) {
  return scope.service == "s3";
}
bool names_payload(const SigningScope& scope) {
  return scope.service == "s3" || scope.service == "aoss";
}

/// RFC 3986, 5.2.4; consecutive slashes become one, as all services but S3 expect.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::size_t first = 0; first <= path.size();) {
    const std::size_t last = std::min(path.find('/', first), path.size());
    const std::string_view part = path.substr(first, last - first);
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!part.empty() && part != ".") {
      kept.push_back(part);
    }
    first = last + 1;
  }
  std::string out;
  for (const std::string_view part : kept) out.append("/").append(part);
  if (out.empty() || path.ends_with('/')) out.push_back('/');
  return out;
}

std::string wire_path_of(const std::string& path, const SigningScope& scope) {
  const std::string rooted = path.starts_with('/') ? path : "/" + path;
  return aws_percent_encode(is_s3_like(scope) ? rooted : without_dot_segments(rooted), KeepSlash::yes);
}

/// Encoded, sorted by name and then by value; this is also what is sent.
std::string canonical_query_of(const AwsPairs& query) {
  AwsPairs encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(aws_percent_encode(name, KeepSlash::no), aws_percent_encode(value, KeepSlash::no));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text.push_back('&');
    text.append(name).append("=").append(value);
  }
  return text;
}

/// Without blanks around it; runs of blanks inside are one.
std::string trimmed_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (is_blank && (out.empty() || out.back() == ' ')) continue;
    out.push_back(is_blank ? ' ' : c);
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

/// Never signed: proxies and libraries change them on the way.
bool is_left_out(std::string_view lower_name) {
  constexpr std::string_view kLeftOut[] = {"authorization",     "connection", "expect",
                                           "transfer-encoding", "user-agent", "x-amzn-trace-id"};
  return std::find(std::begin(kLeftOut), std::end(kLeftOut), lower_name) != std::end(kLeftOut);
}

/// By lower-case name; repeated headers are one, their values joined by commas.
using CanonicalHeaders = std::map<std::string, std::string>;

void add_canonical(CanonicalHeaders& headers, std::string_view name, std::string_view value) {
  const std::string lower = lower_text(name);
  if (is_left_out(lower)) return;
  const auto [row, is_new] = headers.try_emplace(lower, trimmed_value(value));
  if (!is_new) row->second += "," + trimmed_value(value);
}

CanonicalHeaders canonical_headers_of(const AwsSigningRequest& request) {
  CanonicalHeaders headers;
  add_canonical(headers, "host", request.host);
  for (const auto& [name, value] : request.headers) add_canonical(headers, name, value);
  return headers;
}

std::string signed_names(const CanonicalHeaders& headers) {
  std::string text;
  for (const auto& [name, value] : headers) text += (text.empty() ? "" : ";") + name;
  return text;
}

std::string scope_text(std::string_view day, const SigningScope& scope) {
  return std::string(day) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

/// The two texts that everything comes down to.
std::string signature_of(const std::string& canonical_request, std::string_view time, const SigningScope& scope,
                         const std::string& key) {
  const std::string text = std::string(kSigningAlgorithm) + "\n" + std::string(time) + "\n" +
                           scope_text(time.substr(0, 8), scope) + "\n" + hex_sha256(canonical_request);
  return to_hex(hmac_sha256(key, text));
}

std::string canonical_request_of(const std::string& method, const std::string& path, const std::string& query,
                                 const CanonicalHeaders& headers, const std::string& payload_hash) {
  std::string text = method + "\n" + path + "\n" + query + "\n";
  for (const auto& [name, value] : headers) text.append(name).append(":").append(value).append("\n");
  return text + "\n" + signed_names(headers) + "\n" + payload_hash;
}

/// S3's path is signed as sent, those of the others encoded once more.
std::string canonical_path_of(const std::string& wire_path, const SigningScope& scope) {
  return is_s3_like(scope) ? wire_path : aws_percent_encode(wire_path, KeepSlash::yes);
}

std::string derived_key(const std::string& secret, std::string_view day, const SigningScope& scope) {
  std::string key = "AWS4" + secret;
  for (const std::string_view part :
       {day, std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = digest_bytes(hmac_sha256(key, part));
  }
  return key;
}

}  // namespace

std::string hex_sha256(std::string_view bytes) {
  return to_hex(sha256(bytes));
}

std::string RequestSigner::key_of(const std::string& secret, std::string_view day, const SigningScope& scope) {
  MutexLock lock(mutex_);
  for (const DerivedKey& known : keys_) {
    if (known.day == day && known.region == scope.region && known.service == scope.service && known.secret == secret) {
      return known.key;
    }
  }
  std::erase_if(keys_, [day](const DerivedKey& known) { return known.day < day; });
  std::string key = derived_key(secret, day, scope);
  if (keys_.size() < kDerivedKeysMax) keys_.push_back({secret, std::string(day), scope.region, scope.service, key});
  return key;
}

AwsWireRequest RequestSigner::sign(const AwsSigningRequest& request, const AwsCredentials& credentials,
                                   const SigningScope& scope, Timestamp at) {
  const std::string time = signing_time_text(at);
  AwsWireRequest wire;
  wire.headers = request.headers;
  wire.headers.emplace_back("X-Amz-Date", time);
  if (!credentials.session_token.empty()) wire.headers.emplace_back("X-Amz-Security-Token", credentials.session_token);
  if (names_payload(scope)) wire.headers.emplace_back("X-Amz-Content-Sha256", request.payload_hash);

  AwsSigningRequest complete = request;
  complete.headers = wire.headers;
  const CanonicalHeaders headers = canonical_headers_of(complete);
  const std::string path = wire_path_of(request.path, scope);
  const std::string query = canonical_query_of(request.query);
  const std::string signature = signature_of(
      canonical_request_of(request.method, canonical_path_of(path, scope), query, headers, request.payload_hash), time,
      scope, key_of(credentials.secret_access_key, std::string_view(time).substr(0, 8), scope));
  wire.target = query.empty() ? path : path + "?" + query;
  wire.headers.emplace_back("Authorization",
                            std::string(kSigningAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
                                scope_text(std::string_view(time).substr(0, 8), scope) +
                                ", SignedHeaders=" + signed_names(headers) + ", Signature=" + signature);
  return wire;
}

std::string RequestSigner::presign(const AwsSigningRequest& request, const AwsCredentials& credentials,
                                   const SigningScope& scope, Timestamp at, std::chrono::seconds lifetime) {
  const std::string time = signing_time_text(at);
  const std::string_view day = std::string_view(time).substr(0, 8);
  const CanonicalHeaders headers = canonical_headers_of(request);
  AwsPairs query = request.query;
  query.emplace_back("X-Amz-Algorithm", kSigningAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key_id + "/" + scope_text(day, scope));
  query.emplace_back("X-Amz-Date", time);
  query.emplace_back("X-Amz-Expires", std::to_string(std::min(lifetime, kPresignedLifetimeMax).count()));
  query.emplace_back("X-Amz-SignedHeaders", signed_names(headers));
  if (!credentials.session_token.empty()) query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  const std::string path = wire_path_of(request.path, scope);
  const std::string wire_query = canonical_query_of(query);
  const std::string payload = is_s3_like(scope) ? std::string(kUnsignedPayload) : request.payload_hash;
  const std::string signature =
      signature_of(canonical_request_of(request.method, canonical_path_of(path, scope), wire_query, headers, payload),
                   time, scope, key_of(credentials.secret_access_key, day, scope));
  return path + "?" + wire_query + "&X-Amz-Signature=" + signature;
}

namespace {

Error bad_signature(const std::string& what) {
  return Error(ErrorCode::unauthenticated, "request signature: " + what);
}

std::optional<std::string> header_of(const AwsPairs& headers, std::string_view lower_name) {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

/// Decoded pairs of a query as it was sent. Nothing where an escape is broken.
std::optional<AwsPairs> read_wire_query(std::string_view query) {
  AwsPairs pairs;
  if (query.empty()) return pairs;
  for (const std::string& part : split_at(query, '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const auto name = aws_percent_decode(std::string_view(part).substr(0, equals));
    const auto value = aws_percent_decode(std::string_view(part).substr(std::min(equals + 1, part.size())));
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(*name, *value);
  }
  return pairs;
}

/// "KEY/20150830/us-east-1/s3/aws4_request"
Status read_credential(std::string_view text, AwsSignatureClaim& claim) {
  const std::vector<std::string> parts = split_at(text, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request" || parts[0].empty()) return bad_signature("malformed credential");
  claim.access_key_id = parts[0];
  claim.day = parts[1];
  claim.scope = {parts[2], parts[3]};
  return {};
}

Result<std::optional<AwsSignatureClaim>> read_authorization(const ReceivedAwsRequest& request, std::string_view text) {
  AwsSignatureClaim claim;
  for (const std::string& part : split_at(text.substr(kSigningAlgorithm.size()), ',')) {
    const std::string_view trimmed = std::string_view(part).substr(std::min(part.find_first_not_of(' '), part.size()));
    const std::size_t equals = std::min(trimmed.find('='), trimmed.size());
    const std::string_view name = trimmed.substr(0, equals);
    const std::string_view value = trimmed.substr(std::min(equals + 1, trimmed.size()));
    if (name == "Credential") DENDRO_TRY(read_credential(value, claim));
    if (name == "SignedHeaders") claim.signed_headers = split_at(value, ';');
    if (name == "Signature") claim.signature = value;
  }
  claim.time = header_of(request.headers, "x-amz-date").value_or("");
  if (claim.access_key_id.empty() || claim.signature.empty()) return bad_signature("malformed Authorization header");
  return std::optional<AwsSignatureClaim>(std::move(claim));
}

Result<std::optional<AwsSignatureClaim>> read_presigned(const AwsPairs& query) {
  AwsSignatureClaim claim;
  for (const auto& [name, value] : query) {
    if (name == "X-Amz-Credential") DENDRO_TRY(read_credential(value, claim));
    if (name == "X-Amz-SignedHeaders") claim.signed_headers = split_at(value, ';');
    if (name == "X-Amz-Signature") claim.signature = value;
    if (name == "X-Amz-Date") claim.time = value;
    if (name != "X-Amz-Expires") continue;
    int seconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size())
      return bad_signature("bad X-Amz-Expires");
    claim.lifetime = std::chrono::seconds(seconds);
  }
  if (claim.access_key_id.empty() || claim.signature.empty() || !claim.lifetime) {
    return bad_signature("the query lacks parts of a signature");
  }
  return std::optional<AwsSignatureClaim>(std::move(claim));
}

Status check_signing_time(const AwsSignatureClaim& claim, Timestamp now) {
  const std::optional<Timestamp> at = parse_signing_time(claim.time);
  if (!at || std::string_view(claim.time).substr(0, 8) != claim.day) return bad_signature("bad date");
  const std::int64_t age = now.number() - at->number();
  if (age < -kSigningSkewMax) return bad_signature("its time is in the future");
  if (!claim.lifetime) return age > kSigningSkewMax ? Status(bad_signature("its time is too long ago")) : Status();
  if (claim.lifetime->count() < 1 || *claim.lifetime > kPresignedLifetimeMax) return bad_signature("bad X-Amz-Expires");
  return age > std::chrono::nanoseconds(*claim.lifetime).count() ? Status(bad_signature("it has expired")) : Status();
}

/// The headers that were signed. What says who asks for what must be among them.
Result<CanonicalHeaders> received_headers(const ReceivedAwsRequest& request, const AwsSignatureClaim& claim) {
  const auto is_signed = [&claim](std::string_view name) {
    return std::find(claim.signed_headers.begin(), claim.signed_headers.end(), name) != claim.signed_headers.end();
  };
  if (!is_signed("host")) return bad_signature("Host is not signed");
  CanonicalHeaders headers;
  for (const auto& [name, value] : request.headers) {
    if (is_signed(name)) {
      const auto [row, is_new] = headers.try_emplace(name, trimmed_value(value));
      if (!is_new) row->second += "," + trimmed_value(value);
    } else if (name.starts_with("x-amz-")) {
      return bad_signature(name + " is not signed");
    }
  }
  if (headers.size() != claim.signed_headers.size()) return bad_signature("a signed header is missing");
  return headers;
}

Result<std::string> received_payload(const ReceivedAwsRequest& request, const AwsSignatureClaim& claim) {
  const auto said = header_of(request.headers, "x-amz-content-sha256");
  if (!said) return claim.lifetime && is_s3_like(claim.scope) ? std::string(kUnsignedPayload) : request.payload_hash;
  if (*said != kUnsignedPayload && *said != request.payload_hash) return bad_signature("the body is another");
  return *said;
}

}  // namespace

Result<std::optional<AwsSignatureClaim>> read_signature_claim(const ReceivedAwsRequest& request) {
  const auto authorization = header_of(request.headers, "authorization");
  if (authorization && authorization->starts_with(kSigningAlgorithm))
    return read_authorization(request, *authorization);
  const std::optional<AwsPairs> query = read_wire_query(request.query);
  if (!query || header_of(*query, "X-Amz-Algorithm") != kSigningAlgorithm) return std::optional<AwsSignatureClaim>();
  return read_presigned(*query);
}

Status verify_signature(const ReceivedAwsRequest& request, const AwsSignatureClaim& claim, const std::string& secret,
                        Timestamp now) {
  DENDRO_TRY(check_signing_time(claim, now));
  DENDRO_TRY_ASSIGN(const CanonicalHeaders headers, received_headers(request, claim));
  DENDRO_TRY_ASSIGN(const std::string payload, received_payload(request, claim));
  std::optional<AwsPairs> query = read_wire_query(request.query);
  if (!query) return bad_signature("the query is malformed");
  if (claim.lifetime) std::erase_if(*query, [](const auto& pair) { return pair.first == "X-Amz-Signature"; });
  const std::string path =
      is_s3_like(claim.scope) ? request.path : canonical_path_of(without_dot_segments(request.path), claim.scope);
  const std::string expected =
      signature_of(canonical_request_of(request.method, path, canonical_query_of(*query), headers, payload), claim.time,
                   claim.scope, derived_key(secret, claim.day, claim.scope));
  return equals_secret(claim.signature, expected) ? Status() : Status(bad_signature("it does not match"));
}

}  // namespace dendro
