// The table of every setting: one row each, so that TOML, environment, flags and the documentation cannot disagree.
#include <charconv>
#include <limits>

#include "adapters/aws/sns_topic.h"
#include "apps/settings.h"
#include "identity/certificate_rules.h"
#include "identity/role_document.h"
#include "services/admin/deletion_request.h"
#include "storage/tombstone.h"

namespace dendro {
namespace {

using Values = std::span<const std::string>;

Error bad_value(const std::string& value, std::string_view wanted) {
  return Error(ErrorCode::invalid_argument, "'" + value + "' is not " + std::string(wanted));
}

Result<std::uint64_t> parse_natural(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return bad_value(text, "a whole number from 0 on");
  return number;
}

/// "64MiB", "1GiB", "512KiB", "100MB", or bytes.
Result<std::uint64_t> parse_size(const std::string& text) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr Unit kUnits[] = {{"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30},   {"TiB", 1ULL << 40},
                             {"KB", 1'000},       {"MB", 1'000'000},   {"GB", 1'000'000'000}, {"B", 1}};
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  if (text.empty() || parsed.ec != std::errc()) return bad_value(text, "a size such as 64MiB");
  if (unit.empty()) return number;
  for (const Unit& known : kUnits) {
    if (unit == known.name && number <= std::numeric_limits<std::uint64_t>::max() / known.bytes)
      return number * known.bytes;
  }
  return bad_value(text, "a size such as 64MiB");
}

Result<bool> parse_truth(const std::string& text) {
  for (const char* word : {"true", "1", "yes", "on", ""}) {
    if (text == word) return true;
  }
  for (const char* word : {"false", "0", "no", "off"}) {
    if (text == word) return false;
  }
  return bad_value(text, "true or false");
}

template <auto Member>
Status set_size(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(const std::uint64_t bytes, parse_size(values.back()));
  Member(settings) = static_cast<std::remove_reference_t<decltype(Member(settings))>>(bytes);
  return {};
}

template <auto Member>
Status set_count(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(const std::uint64_t number, parse_natural(values.back()));
  Member(settings) = static_cast<std::remove_reference_t<decltype(Member(settings))>>(number);
  return {};
}

template <auto Member>
Status set_span(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(const std::chrono::milliseconds span, parse_time_span(values.back()));
  Member(settings) = std::chrono::duration_cast<std::remove_reference_t<decltype(Member(settings))>>(span);
  return {};
}

template <auto Member>
Status set_text(Settings& settings, Values values) {
  Member(settings) = values.back();
  return {};
}

template <auto Member>
Status set_list(Settings& settings, Values values) {
  Member(settings) = std::vector<std::string>(values.begin(), values.end());
  return {};
}

template <auto Member>
Status set_truth(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(Member(settings), parse_truth(values.back()));
  return {};
}

Status set_trusted_proxies(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(settings.server.trusted_proxies,
                    PeerNetworks::parse(std::vector<std::string>(values.begin(), values.end())));
  return {};
}

Status set_cors_origins(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(settings.server.cors_origins,
                    CorsOrigins::parse(std::vector<std::string>(values.begin(), values.end())));
  return {};
}

Status set_tls_version(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(settings.tls.min_version, parse_tls_version(values.back()));
  return {};
}

Status set_client_certificates(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(settings.tls.client_certificates, parse_client_certificates(values.back()));
  return {};
}

Status set_tokens_over_http(Settings& settings, Values values) {
  const bool is_warn = values.back() == "warn";
  if (!is_warn && values.back() != "refuse") return bad_value(values.back(), "refuse or warn");
  settings.server.tokens_over_http = is_warn ? TokensOverHttp::warn : TokensOverHttp::refuse;
  return {};
}

/// The filter of a rule: what of a record is asked for, never when.
Result<Predicate> parse_rule_filter(const std::string& text) {
  QueryFault fault;
  const Result<PreparedDeletion> deletion = prepare_deletion({text, "", "", Timestamp()}, fault);
  if (!deletion) return deletion.error().with_context("filter '" + text + "'");
  bool asks_time = deletion->range != TimeRange();
  for_each_field(deletion->predicate, [&asks_time](std::string_view field) { asks_time |= field == "_time"; });
  if (asks_time) return bad_value(text, "a filter of a rule: leave _time out, the rule's days say when");
  return deletion->predicate;
}

/// 0: for ever. Beyond a hundred years is a mistake, and would not fit.
Status set_max_age(Settings& settings, Values values) {
  constexpr std::chrono::hours kHundredYears{24 * 36'525};
  DENDRO_TRY_ASSIGN(const std::chrono::milliseconds age, parse_time_span(values.back()));
  if (age > kHundredYears) return bad_value(values.back(), "a time up to 36525d; 0s keeps records for ever");
  settings.store.retention.standard.max_age.reset();
  if (age.count() > 0) settings.store.retention.standard.max_age = age;
  return {};
}

/// "7d FILTER" each.
Status set_stream_rules(Settings& settings, Values values) {
  constexpr std::uint64_t kDaysMax = 36'525;
  settings.store.retention.streams.clear();
  for (const std::string& value : values) {
    const std::size_t space = value.find("d ");
    const Result<std::uint64_t> days = parse_natural(value.substr(0, space));
    if (space == std::string::npos || !days || *days < 1 || *days > kDaysMax) {
      return bad_value(value, "a rule such as '7d {service=\"debug\"}', of 1 to 36525 days");
    }
    DENDRO_TRY_ASSIGN(const Predicate predicate, parse_rule_filter(value.substr(space + 2)));
    DENDRO_TRY_ASSIGN(std::string encoded, encode_tombstone_predicate(predicate));
    settings.store.retention.streams.push_back({std::move(encoded), std::chrono::hours(24) * *days});
  }
  return {};
}

/// 0: no bound.
template <auto Member>
Status set_bound(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(const std::uint64_t bytes, parse_size(values.back()));
  Member(settings).reset();
  if (bytes > 0) Member(settings) = bytes;
  return {};
}

/// "/api/v1": segments of plain characters.
Status set_api_prefix(Settings& settings, Values values) {
  const std::string& prefix = values.back();
  bool is_good = prefix.starts_with('/') && !prefix.ends_with('/');
  for (const char c : prefix) {
    is_good = is_good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("/-._~").find(c) != std::string_view::npos);
  }
  if (!is_good || prefix.find("//") != std::string::npos) return bad_value(prefix, "a path such as /api/v1");
  settings.audit_api_prefix = prefix;
  return {};
}

Status set_audit_chain(Settings& settings, Values values) {
  const std::string& word = values.back();
  if (word != "audit" && word != "all" && word != "off") return bad_value(word, "one of audit, all, off");
  settings.chain.scope.reset();
  if (word != "off") settings.chain.scope = word == "all" ? EvidenceScope::all : EvidenceScope::audit;
  return {};
}

Status set_sns_topic(Settings& settings, Values values) {
  if (!is_sns_topic_arn(values.back())) {
    return bad_value(values.back(), "a topic such as arn:aws:sns:eu-central-1:123456789012:alerts");
  }
  settings.sns_topic_arn = values.back();
  return {};
}

Status set_audit_trail(Settings& settings, Values values) {
  constexpr std::pair<std::string_view, TrailMode> kModes[] = {{"auto", TrailMode::automatic},
                                                               {"all", TrailMode::all},
                                                               {"changes", TrailMode::changes},
                                                               {"off", TrailMode::off}};
  for (const auto& [word, mode] : kModes) {
    if (values.back() != word) continue;
    settings.audit_trail = mode;
    return {};
  }
  return bad_value(values.back(), "one of auto, all, changes, off");
}

Status set_log_level(Settings& settings, Values values) {
  for (const char* word : {"debug", "info", "warning", "error"}) {
    if (values.back() == word) {
      settings.log_level = word;
      return {};
    }
  }
  return bad_value(values.back(), "one of debug, info, warning, error");
}

Status set_log_format(Settings& settings, Values values) {
  for (const char* word : {"auto", "json", "text"}) {
    if (values.back() == word) {
      settings.log_format = word;
      return {};
    }
  }
  return bad_value(values.back(), "one of auto, json, text");
}

/// Of own tokens; those of other issuers are signed by public keys.
Status set_algorithm(Settings& settings, Values values) {
  const auto algorithm = parse_signature_algorithm(values.back());
  if (!algorithm || !is_symmetric(*algorithm)) {
    return bad_value(values.back(), "one of HS256, HS384, HS512; tokens signed otherwise need [[auth.issuers]]");
  }
  settings.identity.algorithm = *algorithm;
  return {};
}

Status set_token_minutes(Settings& settings, Values values) {
  constexpr std::uint64_t kMinutesMax = std::chrono::minutes(OwnTokens::kLifetimeMax).count();
  const Result<std::uint64_t> minutes = parse_natural(values.back());
  if (!minutes || *minutes < 1 || *minutes > kMinutesMax) {
    return bad_value(values.back(), "a number of minutes from 1 to " + std::to_string(kMinutesMax));
  }
  settings.identity.token_lifetime = std::chrono::minutes(*minutes);
  return {};
}

Status set_issuers(Settings& settings, Values values) {
  settings.identity.issuers.clear();
  for (const std::string& value : values) {
    DENDRO_TRY_ASSIGN(const JsonValue block, parse_json_document(value));
    DENDRO_TRY_ASSIGN(IssuerSettings issuer, parse_issuer_settings(block));
    settings.identity.issuers.push_back(std::move(issuer));
  }
  return {};
}

Status set_certificate_rules(Settings& settings, Values values) {
  settings.identity.certificates.clear();
  for (const std::string& value : values) {
    DENDRO_TRY_ASSIGN(const JsonValue block, parse_json_document(value));
    DENDRO_TRY_ASSIGN(CertificateRule rule, parse_certificate_rule(block));
    settings.identity.certificates.push_back(std::move(rule));
  }
  return {};
}

Status set_roles(Settings& settings, Values values) {
  settings.identity.roles.clear();
  for (const std::string& value : values) {
    DENDRO_TRY_ASSIGN(const JsonValue block, parse_json_document(value));
    DENDRO_TRY_ASSIGN(Role role, parse_role(block));
    settings.identity.roles.push_back(std::move(role));
  }
  return {};
}

/// Rules of the configuration have no place in a list of a body: their name says which is meant.
Status set_masking(Settings& settings, Values values) {
  std::string list = "[";
  for (const std::string& value : values) list.append(list.size() == 1 ? "" : ",").append(value);
  DENDRO_TRY_ASSIGN(const JsonValue document, parse_json_document(list + "]"));
  FieldFaults faults;
  settings.masking = std::make_shared<const MaskRules>(read_mask_rules(document, "privacy.masking", faults));
  if (faults.empty()) return {};
  return Error(ErrorCode::invalid_argument, faults[0].field + " " + faults[0].message);
}

/// From `First` seconds to 12 h, the longest that a sign-in may last.
template <auto Member, std::int64_t First>
Status set_sign_in_span(Settings& settings, Values values) {
  DENDRO_TRY_ASSIGN(const std::chrono::milliseconds span, parse_time_span(values.back()));
  if (span < std::chrono::seconds(First) || span > std::chrono::hours(12)) {
    return bad_value(values.back(), "a time from " + std::to_string(First) + "s to 12h");
  }
  Member(settings) = std::chrono::duration_cast<std::chrono::seconds>(span);
  return {};
}

/// 1 to `Last`.
template <auto Member, std::uint64_t Last>
Status set_count_from_one(Settings& settings, Values values) {
  const Result<std::uint64_t> number = parse_natural(values.back());
  if (!number || *number < 1 || *number > Last) {
    return bad_value(values.back(), "a whole number from 1 to " + std::to_string(Last));
  }
  Member(settings) = static_cast<std::remove_reference_t<decltype(Member(settings))>>(*number);
  return {};
}

#define DENDRO_MEMBER(path) [](Settings& s) -> auto& { return s.path; }

constexpr SettingRow kSettings[] = {
    {"server.listen", "DENDRO_LISTEN", "--listen", false, true, "ADDR:PORT[=PROFILE][+tls|+plain]",
     "where to listen and as what, repeatable; default 127.0.0.1:8080 (= platform); port 0 takes a free one",
     &set_list<DENDRO_MEMBER(listeners)>},
    {"storage.data_dir", "DENDRO_DATA", "--data", false, false, "DIR",
     "folder of the embedded store; default ./dendro-data", &set_text<DENDRO_MEMBER(store.directory)>},
    {"server.insecure", "DENDRO_INSECURE", "--insecure", true, false, "",
     "listen off loopback although nobody is asked who they are; default false", &set_truth<DENDRO_MEMBER(insecure)>},
    {"server.allowed_hosts", "DENDRO_ALLOWED_HOSTS", "--allowed-host", false, true, "NAME",
     "host names an open platform listener answers to beside addresses and names without a dot; default none",
     &set_list<DENDRO_MEMBER(server.allowed_hosts)>},
    {"server.public_url", "DENDRO_PUBLIC_URL", "--public-url", false, false, "URL",
     "the address users see, for same-origin checks behind a proxy; default none",
     &set_text<DENDRO_MEMBER(server.public_url)>},
    {"server.trusted_proxies", "DENDRO_TRUSTED_PROXIES", "--trusted-proxy", false, true, "NETWORK",
     "proxies whose X-Forwarded-Proto is believed, such as 10.0.0.0/8; default none", &set_trusted_proxies},
    {"server.tokens_over_http", "DENDRO_TOKENS_OVER_HTTP", "--tokens-over-http", false, false, "refuse|warn",
     "credentials that come over plain HTTP from another machine; default refuse; --insecure means warn",
     &set_tokens_over_http},
    {"server.origin_verify", "DENDRO_ORIGIN_VERIFY", "", false, false, "SECRET",
     "secret that every request's X-Origin-Verify must equal, health paths excepted; default none",
     &set_text<DENDRO_MEMBER(server.origin_verify)>, "", true},
    {"server.tls.certificate", "DENDRO_TLS_CERTIFICATE", "--tls-certificate", false, true, "FILE",
     "certificate with its chain in PEM, one for each name served; listeners then speak TLS; default none",
     &set_list<DENDRO_MEMBER(tls.certificates)>},
    {"server.tls.key", "DENDRO_TLS_KEY", "--tls-key", false, true, "FILE",
     "private key in PEM without pass phrase, in the order of the certificates; default none",
     &set_list<DENDRO_MEMBER(tls.keys)>},
    {"server.tls.client_ca", "DENDRO_TLS_CLIENT_CA", "", false, false, "FILE",
     "authorities in PEM whose certificates clients may show instead of a key or token; default none",
     &set_text<DENDRO_MEMBER(tls.client_ca)>},
    {"server.tls.client_crl", "DENDRO_TLS_CLIENT_CRL", "", false, false, "FILE",
     "revocation lists in PEM, one of each of those authorities; default none = nothing is revoked",
     &set_text<DENDRO_MEMBER(tls.client_crl)>},
    {"server.tls.client_certificates", "DENDRO_TLS_CLIENT_CERTIFICATES", "", false, false, "optional|required",
     "whether a client without certificate is let in; default optional", &set_client_certificates},
    {"server.tls.min_version", "DENDRO_TLS_MIN_VERSION", "", false, false, "1.2|1.3",
     "oldest version of TLS that is spoken; default 1.2", &set_tls_version},
    {"server.tls.ciphers", "DENDRO_TLS_CIPHERS", "", false, false, "LIST",
     "of TLS 1.2, in OpenSSL's words; default ECDHE+AESGCM:ECDHE+CHACHA20", &set_text<DENDRO_MEMBER(tls.ciphers)>},
    {"server.hsts", "DENDRO_HSTS", "", false, false, "TIME",
     "how long browsers that came by https insist on it; 0s: they are not told; default 365d",
     &set_span<DENDRO_MEMBER(server.hsts)>},
    {"server.cors_origins", "DENDRO_CORS_ORIGINS", "", false, true, "ORIGIN",
     "origins of other pages that may read and change things here, or * without cookies; default none",
     &set_cors_origins},
    {"auth.secret_key", "DENDRO_SECRET_KEY", "", false, false, "SECRET",
     "signs and verifies own tokens, at least 32 bytes; also as SECRET_KEY; default none = there are none",
     &set_text<DENDRO_MEMBER(identity.secret_key)>, "SECRET_KEY", true},
    {"auth.secret_key_file", "DENDRO_SECRET_KEY_FILE", "", false, false, "FILE",
     "the same in a file, without the line feed at its end; default none", &set_text<DENDRO_MEMBER(secret_key_file)>},
    {"auth.secret_key_previous", "DENDRO_SECRET_KEY_PREVIOUS", "", false, false, "SECRET",
     "tokens that this one signed are still taken; default none",
     &set_text<DENDRO_MEMBER(identity.secret_key_previous)>, "", true},
    {"auth.algorithm", "DENDRO_ALGORITHM", "", false, false, "NAME",
     "of own tokens: HS256, HS384 or HS512; also as ALGORITHM; default HS256", &set_algorithm, "ALGORITHM"},
    {"auth.token_minutes", "DENDRO_ACCESS_TOKEN_EXPIRE_MINUTES", "", false, false, "N",
     "how long an own token lasts; also as ACCESS_TOKEN_EXPIRE_MINUTES; default 60", &set_token_minutes,
     "ACCESS_TOKEN_EXPIRE_MINUTES"},
    {"auth.issuers", "", "", false, true, "ISSUER", "whose tokens are taken beside own ones; see below; default none",
     &set_issuers},
    {"auth.certificates", "", "", false, true, "RULE",
     "what TLS client certificates may do that no API key names; see below; default none", &set_certificate_rules},
    {"auth.session_lifetime", "DENDRO_SESSION_LIFETIME", "", false, false, "TIME",
     "a sign-in ends so long after it began, 60s to 12h; default 12h",
     &set_sign_in_span<DENDRO_MEMBER(identity.sessions.lifetime), 60>},
    {"auth.session_idle", "DENDRO_SESSION_IDLE", "", false, false, "TIME",
     "a sign-in ends so long after its last request, 5m to 12h; default 4h",
     &set_sign_in_span<DENDRO_MEMBER(identity.sessions.idle), 300>},
    {"auth.sign_in_failures_max", "DENDRO_SIGN_IN_FAILURES_MAX", "", false, false, "N",
     "failed sign-ins in a row that lock an e-mail address, 1 to 1000; default 10",
     &set_count_from_one<DENDRO_MEMBER(identity.sign_in.failures_max), 1'000>},
    {"auth.sign_in_lock", "DENDRO_SIGN_IN_LOCK", "", false, false, "TIME",
     "how long it stays locked, 1s to 12h; default 15m", &set_sign_in_span<DENDRO_MEMBER(identity.sign_in.lock), 1>},
    {"auth.password_hashes_max", "DENDRO_PASSWORD_HASHES_MAX", "", false, false, "N",
     "passwords hashed at once, 10 to 20 ms of a core and 19 MiB each; a further one gets 429; 1 to 64; default 2",
     &set_count_from_one<DENDRO_MEMBER(identity.sign_in.hashes_at_once_max), 64>},
    {"auth.sign_ins_per_minute", "DENDRO_SIGN_INS_PER_MINUTE", "", false, false, "N",
     "sign-ins that one address of the network may try, at once and each minute; a further one gets 429; 1 to 10000; "
     "default 30",
     &set_count_from_one<DENDRO_MEMBER(identity.sign_in.tries_per_minute), 10'000>},
    {"auth.oidc.issuer", "DENDRO_OIDC_ISSUER", "", false, false, "URL",
     "provider that users sign in with (OpenID Connect): its address, letter by letter; see below; default none",
     &set_text<DENDRO_MEMBER(identity.oidc.tokens.issuer)>},
    {"auth.oidc.client_id", "DENDRO_OIDC_CLIENT_ID", "", false, false, "ID", "what the provider calls this server",
     &set_text<DENDRO_MEMBER(identity.oidc.tokens.audience)>},
    {"auth.oidc.client_secret", "DENDRO_OIDC_CLIENT_SECRET", "", false, false, "SECRET",
     "what proves it; default none = a public client, protected by PKCE alone",
     &set_text<DENDRO_MEMBER(identity.oidc.client_secret)>},
    {"auth.oidc.client_secret_file", "DENDRO_OIDC_CLIENT_SECRET_FILE", "", false, false, "FILE",
     "the same in a file, without the line feed at its end; default none", &set_text<DENDRO_MEMBER(oidc_secret_file)>},
    {"auth.oidc.scopes", "DENDRO_OIDC_SCOPES", "", false, false, "SCOPES",
     "what is asked for, blanks between; default 'openid profile email'",
     &set_text<DENDRO_MEMBER(identity.oidc.scopes)>},
    {"auth.oidc.tenants_claim", "DENDRO_OIDC_TENANTS_CLAIM", "", false, false, "CLAIM",
     "where ID tokens name tenants; default tenant_ids", &set_text<DENDRO_MEMBER(identity.oidc.tokens.tenants_claim)>},
    {"auth.oidc.roles_claim", "DENDRO_OIDC_ROLES_CLAIM", "", false, false, "CLAIM",
     "where ID tokens name roles; default roles", &set_text<DENDRO_MEMBER(identity.oidc.tokens.roles_claim)>},
    {"auth.oidc.tenants_max", "DENDRO_OIDC_TENANTS_MAX", "", false, true, "TENANT",
     "tenants that its users may hold at most; default * = every one",
     &set_list<DENDRO_MEMBER(identity.oidc.tokens.tenants_max)>},
    {"auth.oidc.default_tenants", "DENDRO_OIDC_DEFAULT_TENANTS", "", false, true, "TENANT",
     "of users whose ID token names none; default none",
     &set_list<DENDRO_MEMBER(identity.oidc.tokens.default_tenants)>},
    {"auth.oidc.default_roles", "DENDRO_OIDC_DEFAULT_ROLES", "", false, true, "ROLE",
     "of users whose ID token names none; default none", &set_list<DENDRO_MEMBER(identity.oidc.tokens.default_roles)>},
    {"roles", "", "", false, true, "ROLE",
     "roles beside the built-in ones, or instead of them; see below; default none", &set_roles},
    {"privacy.key", "DENDRO_PRIVACY_KEY", "", false, false, "SECRET",
     "encrypts the keys that tenants' values are hashed and tokenized with, at least 32 bytes; default none",
     &set_text<DENDRO_MEMBER(privacy_keys.current)>, "", true},
    {"privacy.key_file", "DENDRO_PRIVACY_KEY_FILE", "", false, false, "FILE",
     "the same in a file, without the line feed at its end; default none", &set_text<DENDRO_MEMBER(privacy_key_file)>},
    {"privacy.key_previous", "DENDRO_PRIVACY_KEY_PREVIOUS", "", false, false, "SECRET",
     "what it encrypted is encrypted with privacy.key at the next start; default none",
     &set_text<DENDRO_MEMBER(privacy_keys.previous)>, "", true},
    {"privacy.key_previous_file", "DENDRO_PRIVACY_KEY_PREVIOUS_FILE", "", false, false, "FILE",
     "the same in a file; default none", &set_text<DENDRO_MEMBER(privacy_key_previous_file)>},
    {"privacy.masking", "", "", false, true, "RULE",
     "what is masked before it is stored, of tenants without rules of their own; docs/privacy.md; default none",
     &set_masking},
    {"memory.limit", "DENDRO_MEMORY_LIMIT", "--memory-limit", false, false, "SIZE",
     "memory that all parts together keep to, within 64MiB; default 40 % of the machine's or container's, at most 8GiB",
     &set_size<DENDRO_MEMBER(memory_limit_bytes)>},
    {"query.memory_bytes_max", "DENDRO_QUERY_MEMORY_BYTES_MAX", "", false, false, "SIZE",
     "memory of all running queries, 512MiB each at most; default 2GiB, a quarter of memory.limit if that is less",
     &set_size<DENDRO_MEMBER(query_memory_bytes)>},
    {"query.slow_after", "DENDRO_QUERY_SLOW_AFTER", "", false, false, "SPAN",
     "a query that took this long is a warning in the log and listed by /api/v1/admin/queries; 0: none; default 5s",
     &set_span<DENDRO_MEMBER(slow_query_after)>},
    {"tail.per_tenant_max", "DENDRO_TAIL_PER_TENANT_MAX", "", false, false, "N",
     "live tails of a tenant at a time; default 20", &set_count<DENDRO_MEMBER(tails_per_tenant_max)>},
    {"metrics.tenants_max", "DENDRO_METRICS_TENANTS_MAX", "", false, false, "N",
     "tenants that /metrics tells apart, the busiest; what the rest do is `other`; default 20",
     &set_count<DENDRO_MEMBER(tenant_labels_max)>},
    {"server.loop_threads", "DENDRO_LOOP_THREADS", "", false, false, "N", "network threads; default 0 = one a core",
     &set_count<DENDRO_MEMBER(server.loop_threads)>},
    {"server.worker_threads", "DENDRO_WORKER_THREADS", "", false, false, "N",
     "threads for queries and decoding; default 0 = one a core, at least 2", &set_count<DENDRO_MEMBER(worker_threads)>},
    {"server.worker_queue_tasks_max", "DENDRO_WORKER_QUEUE_TASKS_MAX", "", false, false, "N",
     "tasks that may wait for them; a further request gets 429; default 1024",
     &set_count<DENDRO_MEMBER(worker_queue_tasks_max)>},
    {"server.drain_timeout", "DENDRO_DRAIN_TIMEOUT", "", false, false, "TIME",
     "how long a stop waits for requests in flight; default 20s", &set_span<DENDRO_MEMBER(drain_timeout)>},
    {"server.connections_max", "DENDRO_CONNECTIONS_MAX", "", false, false, "N",
     "open connections; a further one gets 503; default 10000",
     &set_count<DENDRO_MEMBER(server.limits.connections_max)>},
    {"server.connections_per_address_max", "DENDRO_CONNECTIONS_PER_ADDRESS_MAX", "", false, false, "N",
     "of them from one address or IPv6 /64, server.trusted_proxies excepted; 0: no bound; default 1000",
     &set_count<DENDRO_MEMBER(server.limits.connections_per_address_max)>},
    {"server.handshakes_max", "DENDRO_HANDSHAKES_MAX", "", false, false, "N",
     "TLS connections not agreed on yet; a further one is closed; default 512",
     &set_count<DENDRO_MEMBER(server.limits.handshakes_max)>},
    {"server.handshake_timeout", "DENDRO_HANDSHAKE_TIMEOUT", "", false, false, "TIME",
     "for agreeing on TLS; default 10s", &set_span<DENDRO_MEMBER(server.limits.handshake_timeout)>},
    {"server.head_bytes_max", "DENDRO_HEAD_BYTES_MAX", "", false, false, "SIZE",
     "request line and headers; over it 431; default 32KiB", &set_size<DENDRO_MEMBER(server.limits.head_bytes_max)>},
    {"server.body_bytes_in_flight_max", "DENDRO_BODY_BYTES_IN_FLIGHT_MAX", "", false, false, "SIZE",
     "body bytes of all requests at work; over it 429; default 512MiB",
     &set_size<DENDRO_MEMBER(server.limits.body_bytes_in_flight_max)>},
    {"server.head_timeout", "DENDRO_HEAD_TIMEOUT", "", false, false, "TIME", "for a whole header; default 10s",
     &set_span<DENDRO_MEMBER(server.limits.head_timeout)>},
    {"server.body_stall_timeout", "DENDRO_BODY_STALL_TIMEOUT", "", false, false, "TIME",
     "without a byte of a body; default 60s", &set_span<DENDRO_MEMBER(server.limits.body_stall_timeout)>},
    {"server.body_bytes_per_s_min", "DENDRO_BODY_BYTES_PER_S_MIN", "", false, false, "SIZE",
     "of a body that comes for longer than that, on average; under it 408; 0: no bound; default 128",
     &set_size<DENDRO_MEMBER(server.limits.body_bytes_per_s_min)>},
    {"server.idle_timeout", "DENDRO_IDLE_TIMEOUT", "", false, false, "TIME",
     "between requests; must exceed a load balancer's; default 75s",
     &set_span<DENDRO_MEMBER(server.limits.idle_timeout)>},
    {"server.write_stall_timeout", "DENDRO_WRITE_STALL_TIMEOUT", "", false, false, "TIME",
     "without the peer taking a byte of a reply; default 60s",
     &set_span<DENDRO_MEMBER(server.limits.write_stall_timeout)>},
    {"storage.memtable_bytes_max", "DENDRO_MEMTABLE_BYTES_MAX", "", false, false, "SIZE",
     "a tenant's records in memory, then they are flushed; default 64MiB",
     &set_size<DENDRO_MEMBER(store.memtable_bytes_max)>},
    {"storage.memtable_age_max", "DENDRO_MEMTABLE_AGE_MAX", "", false, false, "TIME",
     "age of records in memory, then they are flushed; default 60s", &set_span<DENDRO_MEMBER(store.memtable_age_max)>},
    {"storage.wal_backlog_bytes_max", "DENDRO_WAL_BACKLOG_BYTES_MAX", "", false, false, "SIZE",
     "memory of records not flushed yet; over it requests wait, 10 s at most, then 429; default 1GiB",
     &set_size<DENDRO_MEMBER(store.wal_backlog_bytes_max)>},
    {"storage.queue_bytes_max", "DENDRO_QUEUE_BYTES_MAX", "", false, false, "SIZE",
     "records waiting for the journal; over it 429; default 256MiB", &set_size<DENDRO_MEMBER(store.queue_bytes_max)>},
    {"storage.free_bytes_min", "DENDRO_FREE_BYTES_MIN", "", false, false, "SIZE",
     "free disk space below which nothing is taken (507); default 1GiB, or 5 %",
     &set_size<DENDRO_MEMBER(store.free_bytes_min)>},
    {"storage.batch_key_window", "DENDRO_BATCH_KEY_WINDOW", "", false, false, "TIME",
     "how long retry keys are known; default 24h", &set_span<DENDRO_MEMBER(store.batch_key_window)>},
    {"storage.compaction", "DENDRO_COMPACTION", "", false, false, "BOOL",
     "merge segments, drop days and carry deletions out in the background; default true",
     &set_truth<DENDRO_MEMBER(store.compacts_by_itself)>},
    {"retention.max_age", "DENDRO_RETENTION_MAX_AGE", "", false, false, "TIME",
     "a UTC day of records is deleted so long after its end; default 0s = for ever", &set_max_age},
    {"retention.max_bytes", "DENDRO_RETENTION_MAX_BYTES", "", false, false, "SIZE",
     "a tenant's segments; over it its oldest days are deleted, never its newest; default 0 = no bound",
     &set_bound<DENDRO_MEMBER(store.retention.standard.max_bytes)>},
    {"retention.total_bytes", "DENDRO_RETENTION_TOTAL_BYTES", "", false, false, "SIZE",
     "segments of all tenants; over it the oldest days are deleted, never a tenant's newest; default 0 = no bound",
     &set_bound<DENDRO_MEMBER(store.retention.total_bytes)>},
    {"retention.rules", "", "", false, true, "RULE",
     "records that match a filter are deleted so many days after the end of their UTC day; see below; default none",
     &set_stream_rules},
    {"retention.clock_jump_max", "DENDRO_RETENTION_CLOCK_JUMP_MAX", "", false, false, "TIME",
     "a clock so far ahead of what is explained is not believed by retention; default 24h, 0s = always believed",
     &set_span<DENDRO_MEMBER(store.retention.clock_jump_max)>},
    {"query.geoip_database", "DENDRO_QUERY_GEOIP_DATABASE", "", false, false, "FILE",
     "database of addresses in MaxMind's format (.mmdb) that the pipe geoip asks; default none = geoip is refused",
     &set_text<DENDRO_MEMBER(geoip_database)>},
    {"query.lookup_directory", "DENDRO_QUERY_LOOKUP_DIRECTORY", "", false, false, "DIR",
     "folder of the CSV and NDJSON tables that the pipe lookup may read, by name; default none = lookup is refused",
     &set_text<DENDRO_MEMBER(lookup_directory)>},
    {"query.spill_directory", "DENDRO_QUERY_SPILL_DIRECTORY", "", false, false, "DIR",
     "folder of the temporary files of sorts and stats that outgrow their memory; default tmp in storage.data_dir",
     &set_text<DENDRO_MEMBER(spill_directory)>},
    {"query.spill_bytes_max", "DENDRO_QUERY_SPILL_BYTES_MAX", "", false, false, "SIZE",
     "temporary files of one query, which leave storage.free_bytes_min free; 0 = none are made; default 10GiB",
     &set_size<DENDRO_MEMBER(spill_bytes_max)>},
    {"admin.backup_directory", "DENDRO_ADMIN_BACKUP_DIRECTORY", "", false, false, "DIR",
     "folder inside which POST /api/v1/admin/backup may make folders; default none = such backups are refused",
     &set_text<DENDRO_MEMBER(backup_directory)>},
    {"alerts", "", "", false, true, "RULE", "alert rules, read-only for the API; docs/alerts.md; default none",
     &set_list<DENDRO_MEMBER(alert_rules)>},
    {"receivers", "", "", false, true, "RECEIVER", "where messages about alerts may go; docs/alerts.md; default none",
     &set_list<DENDRO_MEMBER(alert_receivers)>},
    {"audit.api_prefix", "DENDRO_API_V1_STR", "", false, false, "PATH",
     "path in front of the audit log service's routes; default /api/v1", &set_api_prefix, "API_V1_STR"},
    {"audit.project_name", "DENDRO_PROJECT_NAME", "", false, false, "NAME",
     "name in the welcome of the audit profile; default dendro", &set_text<DENDRO_MEMBER(audit_project_name)>,
     "PROJECT_NAME"},
    {"audit.trail", "DENDRO_AUDIT_TRAIL", "", false, false, "WORD",
     "uses of native routes that are recorded: all, changes (and refusals), off; default auto = all while callers must "
     "show a credential, else off",
     &set_audit_trail},
    {"audit.chain", "DENDRO_AUDIT_CHAIN", "", false, false, "WORD",
     "records under a signed chain of hashes: audit (audit logs and the trail), all, off; default audit",
     &set_audit_chain},
    {"audit.chain_interval", "DENDRO_AUDIT_CHAIN_INTERVAL", "", false, false, "DURATION",
     "how long records wait for the chain at most; default 10s", &set_span<DENDRO_MEMBER(chain.interval)>},
    {"audit.chain_key_file", "DENDRO_AUDIT_CHAIN_KEY_FILE", "", false, false, "FILE",
     "private Ed25519 key (PEM) that signs chains; default chain/key.pem in the data folder, made once",
     &set_text<DENDRO_MEMBER(chain.key_file)>},
    {"audit.chain_key_previous_file", "DENDRO_AUDIT_CHAIN_KEY_PREVIOUS_FILE", "", false, false, "FILE",
     "the key until now, where it is to change; default none", &set_text<DENDRO_MEMBER(chain.previous_key_file)>},
    {"audit.anchor.file", "DENDRO_AUDIT_ANCHOR_FILE", "", false, false, "FILE",
     "heads of chains are appended to it, a line each; default none", &set_text<DENDRO_MEMBER(chain.anchor_file)>},
    {"audit.anchor.url", "DENDRO_AUDIT_ANCHOR_URL", "", false, false, "URL",
     "heads of chains are posted there; default none", &set_text<DENDRO_MEMBER(chain.anchor_url)>},
    {"audit.anchor.secret", "DENDRO_AUDIT_ANCHOR_SECRET", "", false, false, "SECRET",
     "key that signs what is posted, X-Dendro-Signature; default none = unsigned",
     &set_text<DENDRO_MEMBER(chain.anchor_secret)>, "", true},
    {"audit.anchor.bucket", "DENDRO_AUDIT_ANCHOR_BUCKET", "", false, false, "BUCKET",
     "heads of chains are objects in it, such as file:///mnt/worm; default none",
     &set_text<DENDRO_MEMBER(chain.anchor_bucket)>},
    {"audit.anchor.interval", "DENDRO_AUDIT_ANCHOR_INTERVAL", "", false, false, "DURATION",
     "time between two anchored heads of a tenant at least; default 5m",
     &set_span<DENDRO_MEMBER(chain.anchor_interval)>},
    {"analyze.allowed_buckets", "DENDRO_ANALYZE_ALLOWED_BUCKETS", "", false, true, "GLOB",
     "buckets GET /analyze may read; file:///dir must be named literally; default *",
     &set_list<DENDRO_MEMBER(analyze_allowed_buckets)>},
    {"analyze.sns_topic_arn", "DENDRO_SNS_TOPIC_ARN", "", false, false, "ARN",
     "topic that GET /notify publishes due alerts to; also as SNS_TOPIC_ARN; default none", &set_sns_topic,
     "SNS_TOPIC_ARN"},
    {"log.level", "DENDRO_LOG_LEVEL", "--log-level", false, false, "LEVEL",
     "debug, info, warning or error; default info", &set_log_level},
    {"log.format", "DENDRO_LOG_FORMAT", "", false, false, "FORMAT",
     "json, text, or auto = text on a terminal; default auto", &set_log_format},
};

}  // namespace

Result<std::chrono::milliseconds> parse_time_span(const std::string& text) {
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  for (const Unit& known : kUnits) {
    if (parsed.ec == std::errc() && number >= 0 && number <= 1'000'000'000 && unit == known.name) {
      return std::chrono::milliseconds(number * known.milliseconds);
    }
  }
  return bad_value(text, "a time such as 500ms, 60s, 5m or 24h");
}

std::span<const SettingRow> settings_table() {
  return kSettings;
}

}  // namespace dendro
