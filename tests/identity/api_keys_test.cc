#include "identity/api_keys.h"

#include "identity/credential_error.h"
#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

struct ApiKeysTest : IdentityFixture {
  void SetUp() override { open(); }
  ApiKeys& keys() { return parts->keys(); }
};

TEST_F(ApiKeysTest, HaveTheirFormAndStandNowhere) {
  const MadeApiKey made = keys().create(key_request()).value();
  EXPECT_EQ(made.key.size(), 3u + 12 + 1 + 32);
  EXPECT_TRUE(made.key.starts_with("dk_" + made.row.id + "_")) << made.key;
  const std::string stored_files = [&] {
    std::string bytes;
    for (const char* name : {"meta.db", "meta.db-wal"}) {
      if (auto text = read_whole_file(*files, folder.path(name), 100 << 20)) bytes += *text;
    }
    return bytes;
  }();
  EXPECT_NE(stored_files.find(made.row.id), std::string::npos);
  EXPECT_EQ(stored_files.find(made.key.substr(16)), std::string::npos) << "the secret is on the disk";
}

TEST_F(ApiKeysTest, GrantWhatTheyWereMadeFor) {
  ApiKeyRequest request{"agent 7", {"shop", "bank"}, {"ingest", "search"}, {}, "", std::nullopt};
  const MadeApiKey made = keys().create(request).value();
  const PrincipalPtr principal = keys().authenticate(made.key).value();
  EXPECT_EQ(principal->kind, Principal::Kind::api_key);
  EXPECT_EQ(principal->id, "key:" + made.row.id);
  EXPECT_EQ(principal->name, "agent 7");
  EXPECT_EQ(principal->token_id, made.row.id);
  EXPECT_EQ(principal->expires, std::nullopt);
  const Access* const access = principal->access_to(tenant("bank"));
  ASSERT_NE(access, nullptr);
  EXPECT_EQ(access->permissions,
            (PermissionSet{Permission::ingest, Permission::search, Permission::stats, Permission::stream}));
  EXPECT_EQ(access->roles, std::vector<std::string>());
  EXPECT_EQ(principal->access_to(tenant("other")), nullptr);
}

TEST_F(ApiKeysTest, MayHaveRolesWithFilters) {
  ASSERT_TRUE(parts->roles().put({"red", {Permission::search}, "team:red", {"email"}, {}}).has_value());
  ApiKeyRequest request{"reader", {"shop"}, {"ingest"}, {"red"}, "", std::nullopt};
  const PrincipalPtr principal = keys().authenticate(keys().create(request)->key).value();
  const Access* const access = principal->access_to(tenant("shop"));
  EXPECT_EQ(access->permissions, (PermissionSet{Permission::ingest, Permission::search}));
  EXPECT_EQ(access->row_filters, std::vector<std::string>{"team:red"});
  EXPECT_EQ(access->hidden_fields, std::vector<std::string>{"email"});
  EXPECT_EQ(access->roles, std::vector<std::string>{"red"});
}

TEST_F(ApiKeysTest, AnyOtherTextIsRefused) {
  const std::string key = keys().create(key_request())->key;
  const std::string other = keys().create(key_request())->key;
  std::vector<std::string> texts = {"",
                                    "dk_",
                                    key.substr(1),
                                    key + "x",
                                    key.substr(0, 16) + other.substr(16),
                                    std::string(48, 'x'),
                                    "dk_" + std::string(45, '_')};
  for (std::size_t i = 0; i < key.size(); ++i) {
    texts.push_back(key);
    texts.back()[i] = texts.back()[i] == 'a' ? 'b' : 'a';
  }
  for (const std::string& text : texts) {
    const auto answer = keys().authenticate(text);
    ASSERT_FALSE(answer.has_value()) << text;
    EXPECT_EQ(answer.error().code(), ErrorCode::unauthenticated);
    EXPECT_EQ(answer.error().message(), kBadCredentialText);
  }
}

TEST_F(ApiKeysTest, EndByExpiryAndRevocation) {
  ApiKeyRequest request = key_request();
  request.expires = Timestamp(kStart.number() + kNanosPerSecond);
  const std::string brief = keys().create(request)->key;
  const MadeApiKey lasting = keys().create(key_request()).value();
  EXPECT_EQ(keys().authenticate(brief).value()->expires, request.expires);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(keys().authenticate(brief).error().message(), kExpiredTokenText);
  ASSERT_TRUE(keys().revoke(lasting.row.id).has_value());
  EXPECT_EQ(keys().authenticate(lasting.key).error().message(), kRevokedTokenText);
  std::string guessed = lasting.key;
  guessed.back() = guessed.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(keys().authenticate(guessed).error().message(), kBadCredentialText)
      << "who has not the secret learns nothing";
  EXPECT_EQ(keys().revoke("nosuchkey").error().code(), ErrorCode::not_found);
}

TEST_F(ApiKeysTest, ACertificateStandsForItsKey) {
  ApiKeyRequest request = key_request();
  request.certificate = "DNS:agent-7.example.org";
  const MadeApiKey made = keys().create(request).value();
  const PrincipalPtr principal =
      keys().authenticate_certificate("URI:x\nDNS:agent-7.example.org\nsubject:CN=a\nCN:a").value();
  EXPECT_EQ(principal->kind, Principal::Kind::certificate);
  EXPECT_EQ(principal->id, "key:" + made.row.id);
  EXPECT_EQ(keys().create(request).error().message(), "certificate: another key has it");
  for (const char* name : {"", "DNS:agent-8.example.org", "agent-7.example.org", "CN:agent-7.example.org"}) {
    EXPECT_EQ(keys().authenticate_certificate(name).error().code(), ErrorCode::unauthenticated) << name;
  }
  ASSERT_TRUE(keys().revoke(made.row.id).has_value());
  EXPECT_FALSE(keys().authenticate_certificate("DNS:agent-7.example.org").has_value());
}

TEST_F(ApiKeysTest, WrongRequestsNameTheirFault) {
  const auto fault = [&](const std::function<void(ApiKeyRequest&)>& change) {
    ApiKeyRequest request = key_request();
    change(request);
    const auto made = keys().create(request);
    return made ? std::string("taken") : made.error().message();
  };
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.name = ""; }).find("name:"), std::string::npos);
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.name = std::string(201, 'n'); }).find("name:"), std::string::npos);
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.scopes = {}; }).find("scopes:"), std::string::npos);
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.scopes = {"read"}; }).find("\"read\""), std::string::npos);
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.roles = {"nobody"}; }).find("\"nobody\""), std::string::npos);
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.tenants = {}; }).find("tenants:"), std::string::npos);
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.certificate = std::string(513, 'c'); }).find("certificate:"),
            std::string::npos);
  for (const char* name : {"agent-7.example.org", "DNS:", "CN=agent", "dns:x"}) {
    EXPECT_NE(fault([&](ApiKeyRequest& r) { r.certificate = name; }).find("KIND:NAME"), std::string::npos) << name;
  }
  EXPECT_NE(fault([](ApiKeyRequest& r) { r.expires = kStart; }).find("expires:"), std::string::npos);
}

}  // namespace
}  // namespace dendro
