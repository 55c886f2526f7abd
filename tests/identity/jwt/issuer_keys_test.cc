#include "identity/jwt/issuer_keys.h"

#include "tests/identity/identity_fixture.h"
#include "tests/identity/jwt/token_forge.h"

namespace dendro {
namespace {

using namespace std::chrono_literals;

/// Gives one key after the other by name; "" = away.
struct ScriptedSource final : KeySource {
  explicit ScriptedSource(std::string first) : id(std::move(first)) {}
  Result<FetchedKeys> fetch() override {
    ++fetches;
    if (during) during();
    if (id.empty()) return Error(ErrorCode::unavailable, "refused");
    return FetchedKeys{R"({"keys":[)" + TestIssuer::instance().ed_jwk(id) + "]}", max_age};
  }
  std::string id;
  std::chrono::seconds max_age{1'000};
  int fetches = 0;
  std::function<void()> during;
};

struct IssuerKeysTest : testing::Test {
  ManualClock clock{Timestamp(0)};
  ScriptedSource* source = new ScriptedSource("k1");
  IssuerKeys keys{"https://issuer.example", std::unique_ptr<KeySource>(source), clock};

  /// "good", or the name of the error.
  std::string find(const std::string& id) {
    const auto key = keys.find(id, SignatureAlgorithm::eddsa);
    return key ? "good" : std::string(error_code_name(key.error().code()));
  }
};

TEST_F(IssuerKeysTest, AreFetchedWhenTheyAreFirstAskedFor) {
  EXPECT_EQ(find("k1"), "good");
  EXPECT_EQ(find("k1"), "good");
  EXPECT_EQ(source->fetches, 1);
}

TEST_F(IssuerKeysTest, AreRenewedFromFourFifthsOfTheirAge) {
  keys.renew_if_due();
  EXPECT_EQ(source->fetches, 1);
  clock.advance(799s);
  keys.renew_if_due();
  EXPECT_EQ(source->fetches, 1);
  clock.advance(1s);
  source->id = "k2";
  EXPECT_EQ(keys.generation(), 0u);
  keys.renew_if_due();
  keys.renew_if_due();
  EXPECT_EQ(source->fetches, 2);
  EXPECT_EQ(keys.generation(), 1u) << "what the old key vouched for is to be judged again";
  EXPECT_EQ(find("k2"), "good");
  EXPECT_EQ(find("k1"), "unauthenticated");
}

TEST_F(IssuerKeysTest, TheSameKeysAreNoNewGeneration) {
  keys.renew_if_due();
  clock.advance(900s);
  keys.renew_if_due();
  EXPECT_EQ(source->fetches, 2);
  EXPECT_EQ(keys.generation(), 0u);
}

TEST_F(IssuerKeysTest, AnUnknownKeyFetchesOnceAMinute) {
  EXPECT_EQ(find("k1"), "good");
  source->id = "k2";
  EXPECT_EQ(find("k2"), "unauthenticated") << "the first fetch was not a minute ago";
  clock.advance(60s);
  EXPECT_EQ(find("k2"), "good");
  EXPECT_EQ(source->fetches, 2);
  for (int i = 0; i < 59; ++i) {
    EXPECT_EQ(find("forged" + std::to_string(i)), "unauthenticated");
    clock.advance(1s);
  }
  EXPECT_EQ(source->fetches, 2);
  clock.advance(1s);
  EXPECT_EQ(find("forged"), "unauthenticated");
  EXPECT_EQ(source->fetches, 3);
}

TEST_F(IssuerKeysTest, AnOutageKeepsTheOldKeysForAnHourMore) {
  EXPECT_EQ(find("k1"), "good");
  source->id.clear();
  clock.advance(1'000s + 1h - 1ns);
  keys.renew_if_due();
  EXPECT_EQ(find("k1"), "good");
  EXPECT_EQ(find("k2"), "unavailable") << "it may be a new one: nobody can say";
  clock.advance(1ns);
  EXPECT_EQ(find("k1"), "unavailable") << "not unauthenticated";
  source->id = "k1";
  clock.advance(9s);
  keys.renew_if_due();
  EXPECT_EQ(source->fetches, 2) << "not that often";
  clock.advance(1s);
  keys.renew_if_due();
  EXPECT_EQ(find("k1"), "good");
}

TEST_F(IssuerKeysTest, WithoutAnyKeysNobodyCanSay) {
  source->id.clear();
  EXPECT_EQ(find("k1"), "unavailable");
  EXPECT_EQ(find("k1"), "unavailable");
  EXPECT_EQ(source->fetches, 1);
  source->id = "k1";
  clock.advance(60s);
  EXPECT_EQ(find("k1"), "good");
}

TEST_F(IssuerKeysTest, WhoAsksDuringAFetchDoesNotWait) {
  source->during = [&] {
    source->during = nullptr;
    EXPECT_EQ(find("k1"), "unavailable");
    keys.renew_if_due();
  };
  EXPECT_EQ(find("k1"), "good");
  EXPECT_EQ(source->fetches, 1);
}

struct KeySourceTest : testing::Test {
  ScriptedHttp http;
  static constexpr const char* kUrl = "https://issuer.example/keys";
};

TEST_F(KeySourceTest, ADocumentIsKeptAsItsServerSays) {
  const auto source = make_url_key_source(http, kUrl);
  for (const auto& [cache_control, seconds] : {std::pair{"public, max-age=7200, must-revalidate", 7'200},
                                               {"", 3'600},
                                               {"max-age=0", 60},
                                               {"no-store", 60},
                                               {"max-age=5", 60},
                                               {"max-age=99999999999999999999", 86'400},
                                               {"max-age=x", 3'600},
                                               {"no-cache, max-age=900", 60}}) {
    http.answer(kUrl, "text", cache_control);
    const auto fetched = source->fetch();
    ASSERT_TRUE(fetched.has_value());
    EXPECT_EQ(fetched->text, "text");
    EXPECT_EQ(fetched->max_age, std::chrono::seconds(seconds)) << cache_control;
  }
  http.answer(kUrl, "text", "", 404);
  EXPECT_EQ(source->fetch().error().message(), std::string(kUrl) + ": answered 404");
  http.answers.clear();
  EXPECT_EQ(source->fetch().error().code(), ErrorCode::unavailable);
}

TEST_F(KeySourceTest, AnIssuersDescriptionLeadsToItsKeys) {
  const std::string described = "https://issuer.example/realm/.well-known/openid-configuration";
  http.answer(kUrl, "keys", "max-age=100");
  http.answer(described, R"({"issuer":"https://issuer.example/realm","jwks_uri":"https://issuer.example/keys"})");
  const auto source = make_discovery_key_source(http, "https://issuer.example/realm");
  EXPECT_EQ(source->fetch()->text, "keys");
  EXPECT_EQ(source->fetch()->max_age, 100s);
  for (const char* wrong :
       {R"({"issuer":"https://issuer.example/realm/","jwks_uri":"https://issuer.example/keys"})",
        R"({"jwks_uri":"https://issuer.example/keys"})", R"({"issuer":"https://issuer.example/realm"})",
        R"({"issuer":"https://issuer.example/realm","jwks_uri":"http://issuer.example/keys"})", "<html>"}) {
    http.answer(described, wrong);
    const auto fetched = source->fetch();
    ASSERT_FALSE(fetched.has_value()) << wrong;
    EXPECT_EQ(fetched.error().code(), ErrorCode::unavailable);
  }
}

TEST_F(KeySourceTest, AFileIsReadAgain) {
  const TemporaryFolder folder;
  const auto files = make_posix_file_system();
  const auto source = make_file_key_source(*files, folder.path("keys.json"));
  EXPECT_EQ(source->fetch().error().code(), ErrorCode::not_found);
  folder.write("keys.json", "one");
  EXPECT_EQ(source->fetch()->text, "one");
  folder.write("keys.json", "two");
  EXPECT_EQ(source->fetch()->text, "two");
  folder.write("keys.json", std::string(KeySet::kTextBytesMax + 1, 'x'));
  EXPECT_EQ(source->fetch().error().code(), ErrorCode::too_large);
}

}  // namespace
}  // namespace dendro
