// What a real provider never answers; sign-in with one is in tests/system/session_test.py.
#include "identity/oidc_sign_in.h"

#include "identity/credential_error.h"
#include "tests/identity/identity_fixture.h"
#include "tests/identity/jwt/token_forge.h"

namespace dendro {
namespace {

const std::string kProvider = "https://login.example";
const std::string kDescriptionUrl = kProvider + "/.well-known/openid-configuration";
const std::string kTokenUrl = kProvider + "/token";
const std::string kCallback = "https://logs.example/api/v1/session/oidc/callback";
constexpr std::int64_t kNowSeconds = 1'790'000'000;

struct OidcTest : IdentityFixture {
  const TestIssuer& keys = TestIssuer::instance();

  void SetUp() override {
    http.answer(kDescriptionUrl, description());
    http.answer(kProvider + "/keys", keys.jwks(), "max-age=3600");
    settings.oidc.tokens.issuer = kProvider;
    settings.oidc.tokens.audience = "dendro";
    settings.oidc.tokens.default_tenants = {"shop"};
    settings.oidc.tokens.default_roles = {"reader"};
    settings.oidc.client_secret = "s/1";
    open();
  }
  static std::string description(const std::string& token_endpoint = kTokenUrl) {
    return R"({"issuer":"https://login.example","authorization_endpoint":"https://login.example/auth?tenant=x",)"
           R"("jwks_uri":"https://login.example/keys","token_endpoint":")" +
           token_endpoint + "\"}";
  }
  static std::string param(const std::string& url, const std::string& name) {
    const std::size_t at = url.find("&" + name + "=") + name.size() + 2;
    return url.substr(at, url.find('&', at) - at);
  }
  OidcSignIn::Started begin(const std::string& next = "/explore") {
    auto started = parts->oidc()->begin(kCallback, next);
    EXPECT_TRUE(started.has_value()) << started.error().message();
    return started ? *started : OidcSignIn::Started();
  }
  /// The token endpoint gives an ID token of these claims beside the usual ones, the nonce among them.
  void give(const OidcSignIn::Started& started, const std::string& claims = "", const std::string& nonce = "",
            const std::string& issuer = kProvider) {
    const std::string text = R"({"iss":")" + issuer + R"(","aud":"dendro","sub":"anna","email":"anna@example.org",)" +
                             claims + R"("iat":)" + std::to_string(kNowSeconds) + R"(,"exp":)" +
                             std::to_string(kNowSeconds + 300) + R"(,"nonce":")" +
                             (nonce.empty() ? param(started.location, "nonce") : nonce) + "\"}";
    http.answer(kTokenUrl, R"({"access_token":"a","token_type":"Bearer","id_token":")" +
                               forge_token(R"({"alg":"RS256","kid":"r1"})", text, keys.rs256) + "\"}");
  }
  Result<OidcSignIn::Finished> finish(const OidcSignIn::Started& started, const std::string& state = "") {
    return parts->oidc()->finish(
        {started.memory, state.empty() ? param(started.location, "state") : state, "code", {}, {}}, "192.0.2.7");
  }
  ErrorCode refusal(const OidcSignIn::Started& started) {
    const auto finished = finish(started);
    EXPECT_FALSE(finished.has_value());
    return finished ? ErrorCode::internal : finished.error().code();
  }
};

TEST_F(OidcTest, LeadsToTheProviderAndBack) {
  const auto started = begin("/explore?q=a%20b");
  EXPECT_TRUE(started.location.starts_with("https://login.example/auth?tenant=x&response_type=code&client_id=dendro&"));
  EXPECT_EQ(param(started.location, "redirect_uri"),
            "https%3A%2F%2Flogs.example%2Fapi%2Fv1%2Fsession%2Foidc%2Fcallback");
  EXPECT_EQ(param(started.location, "code_challenge_method"), "S256");
  EXPECT_EQ(param(started.location, "code_challenge").size(), 43u);
  give(started);
  const auto finished = finish(started);
  ASSERT_TRUE(finished.has_value()) << finished.error().message();
  EXPECT_EQ(finished->next, "/explore?q=a%20b");
  EXPECT_EQ(finished->session.principal->id, "sub:https://login.example|anna");
  EXPECT_EQ(finished->session.principal->name, "anna@example.org");
  EXPECT_NE(finished->session.principal->access_to(tenant("shop")), nullptr);
  EXPECT_EQ(finished->session.row.peer, "192.0.2.7");
  const auto live = parts->sessions().authenticate(finished->session.secret);
  ASSERT_TRUE(live.has_value());
  EXPECT_EQ(live->principal->name, "anna@example.org") << "a session remembers it";
  EXPECT_EQ(http.calls[kDescriptionUrl], 2) << "once for the endpoints, once for the keys";
}

TEST_F(OidcTest, NothingOfTwoSignInsIsTheSame) {
  const auto first = begin(), second = begin();
  for (const char* name : {"state", "nonce", "code_challenge"}) {
    EXPECT_NE(param(first.location, name), param(second.location, name)) << name;
  }
  give(first);
  EXPECT_FALSE(finish(second, param(first.location, "state")).has_value());
  EXPECT_FALSE(finish({first.location, second.memory}).has_value()) << "somebody else's browser";
}

TEST_F(OidcTest, AnIdTokenMustBeOfThisSignIn) {
  const auto started = begin();
  give(started, "", "another-nonce");
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated);
  give(started, R"("azp":"somebody",)");
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated);
  give(started, "", "", "https://other.example");
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated);
  give(started, R"("auth_time":9000000000,)");
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated) << "the verifier's own checks hold";
  give(started, R"("azp":"dendro",)");
  EXPECT_TRUE(finish(started).has_value());
}

TEST_F(OidcTest, WhatComesBackIsJudgedBeforeTheProviderIsAsked) {
  const auto started = begin();
  give(started);
  const std::string state = param(started.location, "state");
  const auto refused = [&](OidcSignIn::Answer answer) {
    const auto finished = parts->oidc()->finish(answer, "p");
    return finished ? std::string("taken") : std::string(error_code_name(finished.error().code()));
  };
  EXPECT_EQ(refused({"", state, "code", {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({"!", state, "code", {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({base64url("[]"), state, "code", {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({base64url(R"({"t":1})"), "", "code", {}, {}}), "unauthenticated") << "no state is no state";
  EXPECT_EQ(refused({std::string(5'000, 'A'), state, "code", {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({started.memory, "", "code", {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({started.memory, state, "", {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({started.memory, state, std::string(3'000, 'c'), {}, {}}), "unauthenticated");
  EXPECT_EQ(refused({started.memory, state, "code", {}, "https://other.example"}), "unauthenticated");
  EXPECT_EQ(refused({started.memory, state, "code", "access_denied", {}}), "permission_denied");
  clock.advance(OidcSignIn::kLifetime + std::chrono::seconds(1));
  EXPECT_EQ(refused({started.memory, state, "code", {}, {}}), "unauthenticated") << "it took too long";
  EXPECT_EQ(http.calls[kTokenUrl], 0);
}

TEST_F(OidcTest, AForgedMemoryLeadsNowhereElse) {
  const std::string memory =
      base64url(R"({"s":"st","n":"no","v":"ve","t":1790000000000000000,"r":"https://x","p":"//evil.example"})");
  EXPECT_FALSE(parts->oidc()->finish({memory, "st", "code", {}, {}}, "p").has_value());
  for (const char* next : {"//evil.example", "https://evil.example", "", "/\\evil.example"}) {
    EXPECT_EQ(parts->oidc()->begin(kCallback, next).error().code(), ErrorCode::invalid_argument) << next;
  }
}

TEST_F(OidcTest, AProviderThatIsAwayIsNoRefusal) {
  const auto started = begin();
  http.answer(kTokenUrl, "", "", 503);
  EXPECT_EQ(refusal(started), ErrorCode::unavailable);
  http.answers.erase(kTokenUrl);
  EXPECT_EQ(refusal(started), ErrorCode::unavailable);
  http.answer(kTokenUrl, R"({"error":"invalid_grant"})", "", 400);
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated);
  http.answer(kTokenUrl, "no json");
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated);
  http.answer(kTokenUrl, R"({"access_token":"a"})");
  EXPECT_EQ(refusal(started), ErrorCode::unauthenticated);
  clock.advance(std::chrono::hours(2));  // the description is old
  http.answers.erase(kDescriptionUrl);
  EXPECT_EQ(parts->oidc()->begin(kCallback, "/").error().code(), ErrorCode::unavailable);
  http.answer(kDescriptionUrl, description("http://login.example/token"));
  EXPECT_EQ(parts->oidc()->begin(kCallback, "/").error().code(), ErrorCode::unavailable) << "not over plain HTTP";
}

TEST_F(OidcTest, OneIssuerHasOneSetOfRules) {
  settings.issuers = {settings.oidc.tokens};
  EXPECT_EQ(IdentityParts::open(settings, from()).error().code(), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace dendro
