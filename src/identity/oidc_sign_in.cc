#include "identity/oidc_sign_in.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/crypto_compare.h"
#include "base/crypto_hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/url.h"
#include "identity/credential_error.h"
#include "identity/grant.h"
#include "identity/jwt/jwt.h"

namespace dendro {
namespace {

/// How long the provider's description is believed; its keys have times of their own.
constexpr std::chrono::hours kDescriptionLifetime{1};
constexpr std::size_t kTokenReplyBytesMax = std::size_t{64} << 10;
constexpr std::size_t kRandomBytes = 32;  // of state, nonce and verifier: 43 characters each
constexpr std::size_t kMemoryBytesMax = 4'096;

std::string text_in(const JsonValue& object, std::string_view name) {
  const JsonValue* const member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->as_string().value_or(""));
}

std::string base64url_of(std::string_view bytes) {
  std::string text;
  append_base64url(text, bytes);
  return text;
}

void add_param(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query.push_back('&');
  query.append(name).push_back('=');
  query.append(percent_encoded(value));
}

/// S256 of RFC 7636.
std::string challenge_of(const std::string& verifier) {
  const auto digest = sha256(verifier);
  return base64url_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

/// True if the list names `method`, or is not there and `method` is what the standard then means.
bool takes_method(const JsonValue& description, std::string_view method) {
  const JsonValue* const methods = description.find("token_endpoint_auth_methods_supported");
  if (methods == nullptr) return method == "client_secret_basic";
  return std::ranges::any_of(methods->elements(), [&](const JsonValue& one) { return one.as_string() == method; });
}

/// Why is for the own log: the caller may be a stranger.
Error refuse_answer(std::string_view why) {
  log(LogLevel::warning, "identity", "a sign-in by OpenID Connect was refused", {{"reason", std::string(why)}});
  return unauthenticated("The sign-in could not be completed; try again");
}

}  // namespace

/// What the browser keeps between `begin` and `finish`. It may be read and forged by that browser's user: nothing in it
/// is secret to him, and all that he could forge is his own sign-in.
struct OidcSignIn::Memory {
  std::string state, nonce, verifier, next, callback;
  Timestamp begun;

  std::string encode() const {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.member("s", state);
    json.member("n", nonce);
    json.member("v", verifier);
    json.member("t", begun.number());
    json.member("r", callback);
    json.member("p", next);
    json.end_object();
    return base64url_of(text);
  }
  static std::optional<Memory> decode(const std::string& text) {
    const auto plain = text.size() <= kMemoryBytesMax ? decode_base64url(text) : std::nullopt;
    if (!plain) return std::nullopt;
    const Result<JsonValue> json = parse_json_document(*plain);
    const JsonValue* const time = json ? json->find("t") : nullptr;
    if (time == nullptr) return std::nullopt;
    return Memory{text_in(*json, "s"), text_in(*json, "n"), text_in(*json, "v"),
                  text_in(*json, "p"), text_in(*json, "r"), Timestamp(time->as_int().value_or(0))};
  }
};

Status check_oidc_settings(const OidcSettings& settings) {
  const auto fault = [](std::string_view what) { return Error(ErrorCode::invalid_argument, std::string(what)); };
  if (settings.tokens.issuer.empty()) {
    return settings.tokens.audience.empty() ? Status() : Status(fault("auth.oidc.issuer: must be there"));
  }
  if (!is_safe_key_url(settings.tokens.issuer)) {
    return fault("auth.oidc.issuer: must be an https address (http on this machine)");
  }
  if (settings.tokens.audience.empty()) return fault("auth.oidc.client_id: must be there");
  const std::string scopes = " " + settings.scopes + " ";
  if (scopes.find(" openid ") == std::string::npos) return fault("auth.oidc.scopes: must name openid");
  if (const Status names = check_tenant_names(settings.tokens.tenants_max); !names) {
    return names.error().with_context("auth.oidc.tenants_max");
  }
  if (settings.tokens.default_tenants.empty()) return {};
  const Status names = check_tenant_names(settings.tokens.default_tenants);
  return names ? Status() : Status(names.error().with_context("auth.oidc.default_tenants"));
}

Result<OidcSignIn::Started> OidcSignIn::begin(const std::string& callback, const std::string& next) {
  if (!is_own_path(next) || next.size() > kNextBytesMax) {
    return Error(ErrorCode::invalid_argument, "next: must be a path of this server of at most " +
                                                  std::to_string(kNextBytesMax) + " bytes, such as /explore?q=error");
  }
  DENDRO_TRY_ASSIGN(const std::shared_ptr<const Provider> asked, provider());
  const Memory memory{random_text(), random_text(), random_text(), next, callback, clock_.now()};
  std::string query;
  add_param(query, "response_type", "code");
  add_param(query, "client_id", settings_.tokens.audience);
  add_param(query, "redirect_uri", callback);
  add_param(query, "scope", settings_.scopes);
  add_param(query, "state", memory.state);
  add_param(query, "nonce", memory.nonce);
  add_param(query, "code_challenge", challenge_of(memory.verifier));
  add_param(query, "code_challenge_method", "S256");
  const std::string& endpoint = asked->authorization_endpoint;
  const bool has_query = endpoint.find('?') != std::string::npos;
  return Started{endpoint + (has_query ? "&" : "?") + query, memory.encode()};
}

Result<OidcSignIn::Finished> OidcSignIn::finish(const Answer& answer, const std::string& peer) {
  const std::optional<Memory> memory = Memory::decode(answer.memory);
  if (!memory) return refuse_answer("the browser that came back is not the one that began, or it forgot");
  if (memory->state.empty() || !equals_secret(answer.state, memory->state)) return refuse_answer("state differs");
  const std::int64_t age_ns = clock_.now().number() - memory->begun.number();
  if (age_ns < 0 || age_ns > std::chrono::nanoseconds(kLifetime).count()) return refuse_answer("it took too long");
  if (!answer.issuer.empty() && answer.issuer != issuer()) return refuse_answer("iss is another provider");
  if (!answer.error.empty()) {
    // Of a browser: so it is shortened, and no part of the reply.
    log(LogLevel::info, "identity", "the provider refused a sign-in", {{"error", answer.error.substr(0, 64)}});
    return Error(ErrorCode::permission_denied, "The provider refused the sign-in");
  }
  if (answer.code.empty() || answer.code.size() > kCodeBytesMax) return refuse_answer("no code");
  if (!is_own_path(memory->next)) return refuse_answer("next is no path of ours");
  DENDRO_TRY_ASSIGN(const std::string token, exchange_code(answer.code, *memory));
  DENDRO_TRY(check_id_token(token, *memory));
  DENDRO_TRY_ASSIGN(OpenedSession session, sessions_.open_with(token, peer));
  return Finished{std::move(session), memory->next};
}

/// Asks again once the description is old; several callers may at once, the last one's answer stays.
Result<std::shared_ptr<const OidcSignIn::Provider>> OidcSignIn::provider() {
  {
    MutexLock lock(mutex_);
    if (provider_ != nullptr && clock_.monotonic() < provider_->believed_until) return provider_;
  }
  DENDRO_TRY_ASSIGN(const FetchedKeys description, fetch_issuer_description(http_, issuer()));
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(description.text));
  auto made = std::make_shared<Provider>();
  made->authorization_endpoint = text_in(document, "authorization_endpoint");
  made->token_endpoint = text_in(document, "token_endpoint");
  if (!is_safe_key_url(made->authorization_endpoint) || !is_safe_key_url(made->token_endpoint)) {
    return Error(ErrorCode::unavailable,
                 issuer() + ": its description has no authorization_endpoint and token_endpoint with https");
  }
  made->takes_basic = takes_method(document, "client_secret_basic") || !takes_method(document, "client_secret_post");
  made->believed_until = clock_.monotonic() + kDescriptionLifetime;
  MutexLock lock(mutex_);
  provider_ = made;
  return std::shared_ptr<const Provider>(std::move(made));
}

/// The ID token for a code. RFC 6749, 4.1.3; the secret goes as 2.3.1 says, or not at all.
Result<std::string> OidcSignIn::exchange_code(const std::string& code, const Memory& memory) {
  DENDRO_TRY_ASSIGN(const std::shared_ptr<const Provider> asked, provider());
  HttpClientRequest request;
  request.method = "POST";
  request.url = asked->token_endpoint;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.connect_timeout = std::chrono::seconds(2);
  request.timeout = std::chrono::seconds(5);
  request.reply_bytes_max = kTokenReplyBytesMax;
  add_param(request.body, "grant_type", "authorization_code");
  add_param(request.body, "code", code);
  add_param(request.body, "redirect_uri", memory.callback);
  add_param(request.body, "code_verifier", memory.verifier);
  const std::string& client = settings_.tokens.audience;
  if (!settings_.client_secret.empty() && asked->takes_basic) {
    std::string pair = "Basic ";
    append_base64(pair, percent_encoded(client) + ":" + percent_encoded(settings_.client_secret));
    request.headers.emplace_back("Authorization", std::move(pair));
  } else {
    add_param(request.body, "client_id", client);
    if (!settings_.client_secret.empty()) add_param(request.body, "client_secret", settings_.client_secret);
  }
  DENDRO_TRY_ASSIGN(const HttpClientReply reply, http_.exchange(request, {}));
  if (reply.status >= 500 || reply.status == 429) {
    return Error(ErrorCode::unavailable, asked->token_endpoint + ": answered " + std::to_string(reply.status));
  }
  const Result<JsonValue> document = parse_json_document(reply.body);
  if (reply.status != 200 || !document) {
    const std::string why = document ? text_in(*document, "error").substr(0, 64) : std::string();
    return refuse_answer("the provider did not take the code: " + std::to_string(reply.status) + " " + why);
  }
  std::string token = text_in(*document, "id_token");
  if (token.empty()) return refuse_answer("the provider gave no id_token");
  return token;
}

/// What the issuer's rules do not know: that the token is of this sign-in. Signature, audience and times are judged by
/// them, when the session is opened.
Status OidcSignIn::check_id_token(const std::string& token, const Memory& memory) const {
  const Result<Jwt> jwt = parse_jwt(token);
  if (!jwt) return refuse_answer(jwt.error().message());
  if (text_in(jwt->claims, "iss") != issuer()) return refuse_answer("the ID token is of another issuer");
  if (memory.nonce.empty() || !equals_secret(text_in(jwt->claims, "nonce"), memory.nonce)) {
    return refuse_answer("the ID token has another nonce");
  }
  const std::string party = text_in(jwt->claims, "azp");
  if (!party.empty() && party != settings_.tokens.audience) return refuse_answer("the ID token is for another client");
  return {};
}

std::string OidcSignIn::random_text() {
  std::array<std::uint8_t, kRandomBytes> bytes{};
  random_.fill(bytes);
  return base64url_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace dendro
