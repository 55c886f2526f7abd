#include "identity/certificate_rules.h"

#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

struct CertificateRulesTest : IdentityFixture {
  void open_with(std::vector<CertificateRule> rules) {
    settings.certificates = std::move(rules);
    open();
  }
  /// The principal's id; the refusal's text.
  std::string who(const std::string& names) {
    const auto principal = parts->authenticator().authenticate({Credential::Kind::certificate, names});
    return principal ? (*principal)->id : principal.error().message();
  }
};

constexpr const char* kNobody = "Could not validate credentials";

TEST_F(CertificateRulesTest, GrantWhatTheySay) {
  open_with({{"URI:spiffe://example.org/agent/*", {"shop", "bank"}, {"ingest"}, {"auditor"}}});
  const auto principal =
      parts->authenticator()
          .authenticate({Credential::Kind::certificate, "URI:spiffe://example.org/agent/7\nDNS:x\nsubject:CN=x\nCN:x"})
          .value();
  EXPECT_EQ(principal->kind, Principal::Kind::certificate);
  EXPECT_EQ(principal->id, "certificate:URI:spiffe://example.org/agent/7");
  EXPECT_EQ(principal->grants.size(), 2u);
  const Access* const access = principal->access_to(tenant("bank"));
  EXPECT_TRUE(access->permissions.has(Permission::ingest));
  EXPECT_TRUE(access->permissions.has(Permission::audit_trail)) << "of the role";
  EXPECT_FALSE(access->permissions.has(Permission::admin));
  EXPECT_EQ(principal->access_to(tenant("other")), nullptr);
}

TEST_F(CertificateRulesTest, AStarIsAPartOfAName) {
  open_with({{"DNS:*.agents.example.org", {"shop"}, {"ingest"}, {}},
             {"URI:spiffe://example.org/*/web-*", {"shop"}, {"ingest"}, {}},
             {"email:*@example.org", {"shop"}, {"ingest"}, {}},
             {"subject:CN=*,O=ours", {"shop"}, {"ingest"}, {}},
             {"CN:exact", {"shop"}, {"ingest"}, {}}});
  for (const char* good : {"DNS:a7.agents.example.org", "URI:spiffe://example.org/prod/web-1", "email:sue@example.org",
                           "subject:CN=a7,O=ours", "CN:exact", "DNS:other\nCN:exact"}) {
    EXPECT_EQ(who(good).substr(0, 12), "certificate:") << good;
  }
  for (const char* bad :
       {"DNS:.agents.example.org", "DNS:a.b.agents.example.org", "DNS:agents.example.org",
        "DNS:a.agents.example.org.evil", "CN:a7.agents.example.org", "URI:spiffe://example.org/prod/x/web-1",
        "URI:spiffe://example.org/prod/web-", "email:sue@evil@example.org", "email:@example.org",
        "subject:CN=a,OU=b,O=ours", "CN:exactly", "CN:exac", ""}) {
    EXPECT_EQ(who(bad), kNobody) << bad;
  }
}

TEST_F(CertificateRulesTest, AKeyThatNamesTheCertificateComesFirst) {
  open_with({{"DNS:*.example.org", {"*"}, {"admin"}, {}}});
  ApiKeyRequest request = key_request();
  request.certificate = "DNS:a7.example.org";
  const MadeApiKey made = parts->keys().create(request).value();
  EXPECT_EQ(who("DNS:a7.example.org"), "key:" + made.row.id);
  EXPECT_EQ(who("DNS:a8.example.org"), "certificate:DNS:a8.example.org");
  ASSERT_TRUE(parts->keys().revoke(made.row.id).has_value());
  EXPECT_EQ(who("DNS:a7.example.org"), "certificate:DNS:a7.example.org") << "the rule goes on to hold";
}

TEST_F(CertificateRulesTest, AnExpiredKeyIsNotWidenedByARule) {
  open_with({{"DNS:*.example.org", {"*"}, {"admin"}, {}}});
  ApiKeyRequest request = key_request();
  request.certificate = "DNS:a7.example.org";
  request.expires = Timestamp(clock.now().number() + kNanosPerSecond);
  ASSERT_TRUE(parts->keys().create(request).has_value());
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(who("DNS:a7.example.org"), "Token has expired");
}

TEST_F(CertificateRulesTest, TheFirstRuleThatTakesAnyNameCounts) {
  open_with({{"CN:a", {"shop"}, {"ingest"}, {}}, {"DNS:a", {"bank"}, {"ingest"}, {}}});
  EXPECT_EQ(who("DNS:a\nCN:a"), "certificate:CN:a");
}

TEST_F(CertificateRulesTest, AskingForCertificatesTurnsAuthOn) {
  reopen();
  EXPECT_FALSE(parts->is_auth_configured());
  settings.takes_certificates = true;
  reopen();
  EXPECT_TRUE(parts->is_auth_configured());
}

TEST(CertificateRuleBlock, NamesItsFault) {
  const auto fault = [](const char* json) {
    const auto rule = parse_certificate_rule(*parse_json_document(json));
    return rule ? std::string("taken") : rule.error().message();
  };
  EXPECT_EQ(fault(R"({"name":"CN:a","tenants":["*"],"scopes":["ingest"]})"), "taken");
  for (const auto& [json, named] : {
           std::pair(R"({"tenants":["shop"],"scopes":["ingest"]})", "name:"),
           {R"({"name":"agent","tenants":["shop"],"scopes":["ingest"]})", "KIND:NAME"},
           {R"({"name":"CN:*-*-*","tenants":["shop"],"scopes":["ingest"]})", "two stars"},
           {R"({"name":"CN:a","scopes":["ingest"]})", "tenants:"},
           {R"({"name":"CN:a","tenants":"shop","scopes":["ingest"]})", "tenants: must be a list"},
           {R"({"name":"CN:a","tenants":[1],"scopes":["ingest"]})", "tenants: must be a list"},
           {R"({"name":"CN:a","tenants":["shop"]})", "scopes:"},
           {R"({"name":"CN:a","tenants":["shop"],"scopes":["read"]})", "\"read\""},
           {R"({"name":"CN:a","tenants":["shop"],"scope":["ingest"]})", "scope: there is no such"},
       }) {
    EXPECT_NE(fault(json).find(named), std::string::npos) << json << ": " << fault(json);
  }
}

}  // namespace
}  // namespace dendro
