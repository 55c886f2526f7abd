// Tokens against a whole installation: one own secret, one other issuer with a key of each kind.
#include "identity/credential_error.h"
#include "identity/foreign_issuer.h"
#include "tests/identity/identity_fixture.h"
#include "tests/identity/jwt/token_forge.h"

namespace dendro {
namespace {

constexpr std::int64_t kNowSeconds = 1'790'000'000;
const std::string kIssuerName = "https://issuer.example";
const std::string kKeysUrl = "https://issuer.example/keys";

/// Claims that are good, with one member written anew ("": left out).
std::string claims_with(const std::string& name = "", const std::string& json = "") {
  std::vector<std::pair<std::string, std::string>> members = {{"iss", "\"https://issuer.example\""},
                                                              {"aud", "\"dendro\""},
                                                              {"sub", "\"sue\""},
                                                              {"jti", "\"t-1\""},
                                                              {"iat", std::to_string(kNowSeconds)},
                                                              {"exp", std::to_string(kNowSeconds + 600)},
                                                              {"tenant_ids", R"(["shop"])"},
                                                              {"roles", R"(["reader"])"}};
  bool is_known = false;
  for (auto& [member, value] : members) {
    if (member == name) value = json, is_known = true;
  }
  if (!is_known && !name.empty()) members.emplace_back(name, json);
  std::string text = "{";
  for (const auto& [member, value] : members) {
    if (!value.empty()) text += (text.size() == 1 ? "\"" : ",\"") + member + "\":" + value;
  }
  return text + "}";
}
std::string seconds_from_now(std::int64_t seconds) {
  return std::to_string(kNowSeconds + seconds);
}

struct ForeignTokens : IdentityFixture {
  const TestIssuer& issuer = TestIssuer::instance();
  std::string good_header = R"({"alg":"RS256","kid":"r1","typ":"JWT"})";

  void SetUp() override {
    http.answer(kKeysUrl, issuer.jwks(), "max-age=3600");
    IssuerSettings one;
    one.issuer = kIssuerName;
    one.audience = "dendro";
    one.keys_url = kKeysUrl;
    settings.issuers = {one};
    open();
  }
  std::string token(const std::string& claims) const { return forge_token(good_header, claims, issuer.rs256); }
  std::string with_header(const std::string& header) const { return forge_token(header, claims_with(), issuer.rs256); }
  SignatureKey own_key() const { return SignatureKey::from_secret(SignatureAlgorithm::hs256, kSecret).value(); }
  /// Claims of an own token whose row is stored.
  std::string own_claims() {
    const MadeToken made = parts->tokens().create(token_request()).value();
    const std::size_t first = made.jwt.find('.') + 1;
    return *decode_base64url(made.jwt.substr(first, made.jwt.rfind('.') - first));
  }
};

TEST_F(ForeignTokens, GoodOnesAreTaken) {
  const std::string own = own_claims();
  const std::vector<std::pair<const char*, std::string>> good = {
      {"RS256", token(claims_with())},
      {"ES256", forge_token(R"({"alg":"ES256","kid":"e1"})", claims_with(), issuer.es256)},
      {"EdDSA", forge_token(R"({"alg":"EdDSA","kid":"d1"})", claims_with(), issuer.eddsa)},
      {"own HS256", forge_token(R"({"alg":"HS256"})", own, own_key())},
      {"own, a key id that nobody needs", forge_token(R"({"alg":"HS256","kid":"x"})", own, own_key())},
      {"no key id, one key of the algorithm", with_header(R"({"alg":"RS256"})")},
      {"access token", with_header(R"({"alg":"RS256","kid":"r1","typ":"at+jwt"})")},
      {"embedded keys are not looked at", with_header(R"({"alg":"RS256","kid":"r1","jwk":{"kty":"oct"},"jku":"x"})")},
      {"one of several audiences", token(claims_with("aud", R"(["other","dendro"])"))},
      {"expired within the skew", token(claims_with("exp", seconds_from_now(-59)))},
      {"issued ahead within the skew", token(claims_with("iat", seconds_from_now(60)))},
      {"begun", token(claims_with("nbf", seconds_from_now(0)))},
      {"fractions of a second", token(claims_with("iat", seconds_from_now(0) + ".25"))},
      {"far end", token(claims_with("exp", "99999999999999"))},
      {"a subject of 128 characters", token(claims_with(
                                          "sub", "\"" +
                                                     [] {
                                                       std::string text;
                                                       for (int i = 0; i < 128; ++i) text += "\xc3\xa9";
                                                       return text;
                                                     }() +
                                                     "\""))},
      {"claims that nobody asked for", token(claims_with("groups", R"([["a"],{"b":null}])"))},
  };
  for (const auto& [what, text] : good) {
    const auto principal = parts->authenticator().authenticate(secret(text));
    ASSERT_TRUE(principal.has_value()) << what << ": " << principal.error().message();
    ASSERT_NE((*principal)->access_to(tenant("shop")), nullptr) << what;
    EXPECT_TRUE((*principal)->access_to(tenant("shop"))->permissions.has(Permission::search)) << what;
    EXPECT_EQ((*principal)->access_to(tenant("bank")), nullptr) << what;
  }
}

TEST_F(ForeignTokens, HostileOnesAreRefused) {
  const std::string own = own_claims();
  const std::string good = token(claims_with());
  const std::size_t first_dot = good.find('.');
  const std::size_t last_dot = good.rfind('.');
  const std::string signature = good.substr(last_dot);
  const auto unsigned_with = [&](const std::string& algorithm, const std::string& end) {
    return base64url(R"({"alg":")" + algorithm + R"(","kid":"r1"})") + "." + base64url(claims_with()) + end;
  };
  const auto flipped = [&](std::size_t place) {
    std::string text = good;
    text[place] = text[place] == 'A' ? 'B' : 'A';
    return text;
  };
  const auto hmac_with = [&](const std::string& text) {  // a public text as the secret
    return forge_token(R"({"alg":"HS256","kid":"r1"})", claims_with(),
                       SignatureKey::from_secret(SignatureAlgorithm::hs256, text).value());
  };
  const auto stranger = SignatureKey::from_pem(OpenSslKey::p256().private_pem).value();
  std::string own_with_audience = own;
  own_with_audience.insert(1, R"("aud":"dendro",)");
  std::string own_with_future = own;
  own_with_future.replace(own_with_future.find("\"iat\":1790000000"), 16, "\"iat\":1790000001");
  std::string own_without_id = own;
  own_without_id.replace(own_without_id.find("\"jti\""), 5, "\"jtj\"");
  const std::vector<std::pair<const char*, std::string>> hostile = {
      {"empty", ""},
      {"dots only", ".."},
      {"alg none, no signature", unsigned_with("none", ".")},
      {"alg None", unsigned_with("None", ".")},
      {"alg NONE", unsigned_with("NONE", ".")},
      {"alg nOnE, with a signature", unsigned_with("nOnE", signature)},
      {"alg none, own claims", base64url(R"({"alg":"none"})") + "." + base64url(own) + "."},
      {"no signature", good.substr(0, last_dot + 1)},
      {"HS256 with the RSA key's PEM as secret", hmac_with(issuer.rsa.public_pem)},
      {"HS256 with the certificate as secret", hmac_with(issuer.rsa.certificate_pem)},
      {"HS256 with the modulus as secret", hmac_with(issuer.rsa.n)},
      {"HS256 with our secret, in the issuer's name", forge_token(R"({"alg":"HS256"})", claims_with(), own_key())},
      {"own claims by the issuer's key", forge_token(good_header, own, issuer.rs256)},
      {"own claims, another secret",
       forge_token(R"({"alg":"HS256"})", own,
                   SignatureKey::from_secret(SignatureAlgorithm::hs256, std::string(40, 'x')).value())},
      {"own claims, HS384",
       forge_token(R"({"alg":"HS384"})", own, SignatureKey::from_secret(SignatureAlgorithm::hs384, kSecret).value())},
      {"own, for an audience", forge_token(R"({"alg":"HS256"})", own_with_audience, own_key())},
      {"own, issued a second ahead", forge_token(R"({"alg":"HS256"})", own_with_future, own_key())},
      {"own, without jti", forge_token(R"({"alg":"HS256"})", own_without_id, own_key())},
      {"RS256 said of the EC key", forge_token(R"({"alg":"RS256","kid":"e1"})", claims_with(), issuer.rs256)},
      {"ES256 said of the RSA key", forge_token(R"({"alg":"ES256","kid":"r1"})", claims_with(), issuer.es256)},
      {"RS512", with_header(R"({"alg":"RS512","kid":"r1"})")},
      {"a stranger's key", forge_token(R"({"alg":"ES256","kid":"e1"})", claims_with(), stranger)},
      {"unknown kid", with_header(R"({"alg":"RS256","kid":"r2"})")},
      {"kid of a path", with_header(R"({"alg":"RS256","kid":"../../dev/null"})")},
      {"kid no text", with_header(R"({"alg":"RS256","kid":["r1"]})")},
      {"crit", with_header(R"({"alg":"RS256","kid":"r1","crit":["exp"],"exp":1})")},
      {"alg twice", with_header(R"({"alg":"RS256","kid":"r1","alg":"RS256"})")},
      {"logout token", with_header(R"({"alg":"RS256","kid":"r1","typ":"logout+jwt"})")},
      {"flipped bit in the header", flipped(3)},
      {"flipped bit in the claims", flipped(first_dot + 20)},
      {"flipped bit in the signature", flipped(last_dot + 20)},
      {"cut signature", good.substr(0, good.size() - 4)},
      {"another token's signature", token(claims_with("sub", "\"eve\"")).substr(0, last_dot) + signature},
      {"padding", good + "=="},
      {"blank behind it", good + " "},
      {"line feed inside", good.substr(0, 10) + "\n" + good.substr(10)},
      {"four parts", good + ".x"},
      {"plain base64 digits", "+/" + good.substr(2)},
      {"9 KiB", token(claims_with("filler", "\"" + std::string(6'700, 'x') + "\""))},
      {"nested arrays", token(claims_with("deep", std::string(2'500, '[') + std::string(2'500, ']')))},
      {"claims are an array", token("[" + claims_with() + "]")},
      {"wrong aud", token(claims_with("aud", "\"other\""))},
      {"aud left out", token(claims_with("aud", ""))},
      {"aud a list without us", token(claims_with("aud", R"(["other","dendr"])"))},
      {"aud a nested list", token(claims_with("aud", R"([["dendro"]])"))},
      {"wrong iss", token(claims_with("iss", "\"https://evil.example\""))},
      {"iss with a slash more", token(claims_with("iss", "\"https://issuer.example/\""))},
      {"iss no text", token(claims_with("iss", R"(["https://issuer.example"])"))},
      {"iss left out: an own token it is not", token(claims_with("iss", ""))},
      {"exp left out", token(claims_with("exp", ""))},
      {"exp a text", token(claims_with("exp", "\"1790000600\""))},
      {"exp null", token(claims_with("exp", "null"))},
      {"exp below zero", token(claims_with("exp", "-1"))},
      {"future iat", token(claims_with("iat", seconds_from_now(61)))},
      {"iat of the year 9999", token(claims_with("iat", "253402300799"))},
      {"iat a text", token(claims_with("iat", "\"now\""))},
      {"future nbf", token(claims_with("nbf", seconds_from_now(61)))},
      {"future auth_time", token(claims_with("auth_time", seconds_from_now(61)))},
      {"sub empty", token(claims_with("sub", "\"\""))},
      {"sub left out", token(claims_with("sub", ""))},
      {"sub a number", token(claims_with("sub", "7"))},
      {"sub of 129 characters", token(claims_with("sub", "\"" + std::string(129, 's') + "\""))},
      {"sub twice", token(claims_with("extra", "1,\"sub\":\"admin\""))},
      {"a member twice, deep down", token(claims_with("extra", R"([{"a":1,"\u0061":2}])"))},
      {"jti no text", token(claims_with("jti", "7"))},
      {"tenant_ids a text", token(claims_with("tenant_ids", "\"shop\""))},
      {"tenant_ids an object", token(claims_with("tenant_ids", R"({"shop":true})"))},
      {"tenant_ids of numbers", token(claims_with("tenant_ids", "[7]"))},
      {"tenant_ids nested", token(claims_with("tenant_ids", R"([["shop"]])"))},
      {"tenant_ids no name of a tenant", token(claims_with("tenant_ids", R"(["shop","a\nb"])"))},
      {"roles a text", token(claims_with("roles", "\"admin\""))},
  };
  EXPECT_GE(hostile.size(), 40u);
  for (const auto& [what, text] : hostile) EXPECT_EQ(refusal(secret(text)), kBadCredentialText) << what;
  EXPECT_EQ(refusal(secret(token(claims_with("exp", seconds_from_now(-60))))), kExpiredTokenText);
  EXPECT_EQ(parts->authenticator().authenticate(secret(good)).value()->name, "sue") << "and the good one is good";
  EXPECT_LE(http.calls[kKeysUrl], 2) << "forged key ids keep nobody busy";
}

TEST_F(ForeignTokens, AreWhoTheirIssuerSays) {
  const PrincipalPtr principal = parts->authenticator().authenticate(secret(token(claims_with()))).value();
  EXPECT_EQ(principal->kind, Principal::Kind::token);
  EXPECT_EQ(principal->id, "sub:https://issuer.example|sue");
  EXPECT_EQ(principal->name, "sue");
  EXPECT_EQ(principal->token_id, "t-1");
  EXPECT_EQ(principal->expires, Timestamp((kNowSeconds + 660) * kNanosPerSecond)) << "with the skew";
  EXPECT_EQ(principal->access_to(tenant("shop"))->roles, std::vector<std::string>{"reader"});
}

TEST_F(ForeignTokens, HoldNoMoreThanTheSettingsAllow) {
  settings.issuers[0].tenants_max = {"shop", "bank"};
  settings.issuers[0].default_tenants = {"bank"};
  settings.issuers[0].default_roles = {"reader"};
  reopen();
  const auto grants = [&](const std::string& claims) {
    std::string text;
    const auto principal = parts->authenticator().authenticate(secret(token(claims)));
    if (!principal) return principal.error().message();
    for (const Grant& grant : (*principal)->grants) text += (grant.tenant ? grant.tenant->text() : "*") + " ";
    return text;
  };
  EXPECT_EQ(grants(claims_with("tenant_ids", R"(["other","shop"])")), "shop ");
  EXPECT_EQ(grants(claims_with("tenant_ids", R"(["*"])")), "shop bank ");
  EXPECT_EQ(grants(claims_with("tenant_ids", "")), "bank ");
  EXPECT_EQ(grants(claims_with("tenant_ids", "[]")), "");
  const auto principal = parts->authenticator().authenticate(secret(token(claims_with("roles", "")))).value();
  EXPECT_EQ(principal->access_to(tenant("shop"))->roles, std::vector<std::string>{"reader"});
  std::string many = "[";
  for (int i = 0; i < 201; ++i) many += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + "\"";
  EXPECT_EQ(grants(claims_with("roles", many + "]")), kBadCredentialText);
}

TEST_F(ForeignTokens, OtherNamesOfClaims) {
  settings.issuers[0].tenants_claim = "https://dendro/tenants";
  settings.issuers[0].roles_claim = "groups";
  reopen();
  std::string claims = claims_with("https://dendro/tenants", R"(["bank"])");
  claims.insert(claims.size() - 1, R"(,"groups":["writer","cleaners"])");
  const auto principal = parts->authenticator().authenticate(secret(token(claims))).value();
  EXPECT_EQ(principal->access_to(tenant("shop")), nullptr);
  EXPECT_EQ(principal->access_to(tenant("bank"))->roles, std::vector<std::string>{"writer"});
}

TEST_F(ForeignTokens, AlgorithmsThatAreNotTakenAreNotTried) {
  settings.issuers[0].algorithms = {SignatureAlgorithm::es256};
  reopen();
  EXPECT_EQ(refusal(secret(token(claims_with()))), kBadCredentialText);
  EXPECT_EQ(http.calls[kKeysUrl], 0) << "judged before any key is taken";
  EXPECT_TRUE(parts->authenticator()
                  .authenticate(secret(forge_token(R"({"alg":"ES256","kid":"e1"})", claims_with(), issuer.es256)))
                  .has_value());
}

TEST_F(ForeignTokens, AreUnavailableNotUnauthenticatedWhileKeysAreAway) {
  http.answers.clear();
  const auto answer = parts->authenticator().authenticate(secret(token(claims_with())));
  EXPECT_EQ(answer.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(refusal(secret(token(claims_with()).substr(1))), kBadCredentialText) << "this one is bad anyway";
}

TEST_F(ForeignTokens, OfAWithdrawnKeyEndAtItsRenewal) {
  const std::string text = token(claims_with("exp", seconds_from_now(90'000)));
  const PrincipalPtr principal = parts->authenticator().authenticate(secret(text)).value();
  ASSERT_NE(parts->authenticator().known(secret(text)), std::nullopt);
  http.answer(kKeysUrl, R"({"keys":[)" + issuer.ec_jwk("e1") + "]}");
  clock.advance(std::chrono::seconds(2'880));
  parts->renew_issuer_keys();
  EXPECT_EQ(parts->authenticator().known(secret(text)), std::nullopt);
  EXPECT_FALSE(parts->authenticator().still_holds(secret(text), *principal));
}

TEST(IssuerSettings, AreReadFromTheirBlock) {
  const auto read = [](const std::string& json) { return parse_issuer_settings(*parse_json_document(json)); };
  const auto all = read(R"({"issuer":"i","audience":"a","keys_file":"/k","algorithms":["ES256"],"roles_claim":"r",
    "tenants_claim":"t","tenants_max":["shop"],"default_tenants":["shop"],"default_roles":["reader"]})");
  ASSERT_TRUE(all.has_value()) << all.error().message();
  EXPECT_EQ(all->keys_file, "/k");
  EXPECT_EQ(all->algorithms, std::vector<SignatureAlgorithm>{SignatureAlgorithm::es256});
  EXPECT_EQ(all->roles_claim, "r");
  EXPECT_EQ(all->default_roles, std::vector<std::string>{"reader"});
  EXPECT_TRUE(read(R"({"issuer":"https://i","audience":"a"})").has_value()) << "by discovery";
  const std::vector<std::pair<const char*, std::string>> wrong = {
      {"issuer", R"({"audience":"a"})"},
      {"issuer", R"({"issuer":"http://i","audience":"a"})"},
      {"audience", R"({"issuer":"https://i"})"},
      {"keys_file", R"({"issuer":"i","audience":"a","keys_file":"/k","keys_url":"https://k"})"},
      {"keys_url", R"({"issuer":"i","audience":"a","keys_url":"http://k"})"},
      {"algorithms", R"({"issuer":"https://i","audience":"a","algorithms":["HS256"]})"},
      {"algorithms", R"({"issuer":"https://i","audience":"a","algorithms":[]})"},
      {"algorithms", R"({"issuer":"https://i","audience":"a","algorithms":"RS256"})"},
      {"tenants_max", R"({"issuer":"https://i","audience":"a","tenants_max":[]})"},
      {"default_tenants", R"({"issuer":"https://i","audience":"a","default_tenants":["\n"]})"},
      {"default_roles", R"({"issuer":"https://i","audience":"a","default_roles":[7]})"},
      {"audience", R"({"issuer":"https://i","audience":7})"},
      {"secret", R"({"issuer":"https://i","audience":"a","secret":"s"})"}};
  for (const auto& [member, json] : wrong) {
    const auto answer = read(json);
    ASSERT_FALSE(answer.has_value()) << json;
    EXPECT_NE(answer.error().message().find(std::string(": ") + member + ": "), std::string::npos)
        << answer.error().message();
  }
}

TEST_F(ForeignTokens, KeysOfTheNetworkNeedAClient) {
  IdentityParts::From without = from();
  without.http = nullptr;
  EXPECT_EQ(IdentityParts::open(settings, without).error().code(), ErrorCode::invalid_argument);
  settings.issuers[0].keys_url.clear();
  settings.issuers[0].keys_file = folder.write("keys.json", issuer.jwks());
  auto opened = IdentityParts::open(settings, without);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE((*opened)->authenticator().authenticate(secret(token(claims_with()))).has_value());
}

}  // namespace
}  // namespace dendro
