#include "server/tls/client_certificate.h"

#include <gtest/gtest.h>

#include "tests/server/fake_authenticator.h"
#include "tests/server/tls/tls_fixture.h"

namespace dendro {
namespace {

/// GET /who needs the right to search and says who asks; POST /change needs the one to write.
struct ClientCertificatesTest : TlsFixture {
  ClientCertificatesTest() {
    settings.client_ca = folder.write("clients.pem", clients.certificate());
    const auto who = [](const HttpRequest& request) {
      return plain_text(request.principal ? request.principal->id : "nobody");
    };
    server.add_plain("GET", "/who", who).permission = Permission::search;
    server.add_plain("POST", "/change", who).permission = Permission::ingest;
    server.add_plain("GET", "/free", who);
    server.access.authenticator = &authenticator;
    for (const char* name : {"agent", "other"}) {
      authenticator.add(names_of(name), "shop", {Permission::search, Permission::ingest});
    }
    authenticator.add("key", "shop", {Permission::search, Permission::ingest});
  }

  static TestCertificate client_named(const std::string& name) {
    return {.common_name = name, .alternative_names = "DNS:" + name + ".example.org"};
  }
  static std::string names_of(const std::string& name) {
    return "DNS:" + name + ".example.org\nsubject:CN=" + name + ",O=dendro tests\nCN:" + name;
  }
  RawReply ask(const TlsClientOptions& options, const std::string& request) const {
    return TlsClient(server.port(), options).ask(request);
  }
  /// Whether a request gets through; TLS 1.3 tells a client only when it reads.
  bool is_let_in(const TestPair& pair) const {
    const auto is_in = [&](int version) {
      TlsClientOptions options = with(pair);
      options.version = version;
      return TlsClient(server.port(), options).ask(get("/free")).status == 200;
    };
    const bool is_by_1_2 = is_in(0x0303);
    EXPECT_EQ(is_in(0x0304), is_by_1_2);
    return is_by_1_2;
  }

  TestAuthority clients{"clients"};
  FakeAuthenticator authenticator;
};

TEST_F(ClientCertificatesTest, AnswerWhoCalls) {
  start();
  const TestPair pair = clients.sign(client_named("agent"));
  EXPECT_EQ(ask(with(pair), get("/who")).body, "key:" + names_of("agent"));
  EXPECT_EQ(ask(trusting(), get("/who")).status, 401) << "optional: asked, and need not be there";
  EXPECT_EQ(ask(trusting(), get("/free")).status, 200);
}

TEST_F(ClientCertificatesTest, MayBeRequired) {
  settings.client_certificates = ClientCertificates::required;
  start();
  EXPECT_TRUE(is_let_in(clients.sign(client_named("agent"))));
  EXPECT_NE(ask(trusting(), get("/free")).status, 200);
}

TEST_F(ClientCertificatesTest, BadOnesAreRefusedThoughNoneIsNeeded) {
  start();
  EXPECT_TRUE(is_let_in(clients.sign(client_named("agent"))));
  TestCertificate expired = client_named("agent");
  expired.last_s = -60;
  EXPECT_FALSE(is_let_in(clients.sign(expired)));
  TestCertificate early = client_named("agent");
  early.first_s = 3'600;
  EXPECT_FALSE(is_let_in(clients.sign(early)));
  TestCertificate of_servers = client_named("agent");
  of_servers.usage = "serverAuth";
  EXPECT_FALSE(is_let_in(clients.sign(of_servers)));
  EXPECT_FALSE(is_let_in(authority.sign(client_named("agent")))) << "another authority's";
  EXPECT_FALSE(is_let_in(TestAuthority("clients").sign(client_named("agent")))) << "one that calls itself the same";
  TestCertificate any_use = client_named("agent");
  any_use.usage = "";
  EXPECT_TRUE(is_let_in(clients.sign(any_use)));
}

TEST_F(ClientCertificatesTest, RevokedOnesAreRefused) {
  settings.client_crl = replace("clients.crl", clients.revoke({7}));
  start();
  TestCertificate revoked = client_named("agent");
  revoked.serial = 7;
  EXPECT_FALSE(is_let_in(clients.sign(revoked)));
  EXPECT_TRUE(is_let_in(clients.sign(client_named("agent"))));
}

TEST_F(ClientCertificatesTest, AListOutOfDateLetsNobodyIn) {
  settings.client_crl = replace("clients.crl", clients.revoke({}, -60));
  start();
  EXPECT_FALSE(is_let_in(clients.sign(client_named("agent"))));
  EXPECT_NE(server.tls->trouble().find("the revocation list ran out on"), std::string::npos);
  EXPECT_EQ(ask(trusting(), get("/free")).status, 200) << "others have another credential";
  replace("clients.crl", clients.revoke({}));
  look();
  EXPECT_TRUE(is_let_in(clients.sign(client_named("agent"))));
}

TEST_F(ClientCertificatesTest, RevocationEndsOpenConnections) {
  settings.client_crl = replace("clients.crl", clients.revoke({}));
  start();
  TestCertificate wanted = client_named("agent");
  wanted.serial = 7;
  TlsClient lost(server.port(), with(clients.sign(wanted)));
  TlsClient kept(server.port(), with(clients.sign(client_named("other"))));
  TlsClient anonymous(server.port(), trusting());
  EXPECT_EQ(lost.ask(get("/who")).status, 200);
  EXPECT_EQ(kept.ask(get("/who")).status, 200);
  EXPECT_EQ(anonymous.ask(get("/free")).status, 200);
  replace("clients.crl", clients.revoke({7}));
  look();
  EXPECT_TRUE(lost.is_closed_by_peer());
  EXPECT_EQ(kept.ask(get("/who")).status, 200);
  EXPECT_EQ(anonymous.ask(get("/free")).status, 200);
}

TEST_F(ClientCertificatesTest, ConnectionsEndWithTheirCertificate) {
  start();
  TestCertificate wanted = client_named("agent");
  wanted.last_s = 600;
  TlsClient client(server.port(), with(clients.sign(wanted)));
  EXPECT_EQ(client.ask(get("/who")).status, 200);
  server.advance(std::chrono::seconds(60));
  EXPECT_EQ(client.ask(get("/who")).status, 200);
  server.clock.set_now(Timestamp(server.clock.now().number() + 600 * kNanosPerSecond));
  EXPECT_TRUE(client.is_closed_by_peer());
}

TEST_F(ClientCertificatesTest, AnotherCredentialIsTakenAloneAndWidensNothing) {
  start();
  const TlsClientOptions options = with(clients.sign(client_named("agent")));
  authenticator.add(names_of("agent"), "bank", PermissionSet::all());
  const std::string key = "Authorization: Bearer key\r\n";
  EXPECT_EQ(ask(options, get("/who", key)).body, "key:key");
  EXPECT_EQ(ask(options, get("/who", key + "X-Tenant-ID: bank\r\n")).status, 403) << "of the certificate only";
  EXPECT_EQ(ask(options, get("/who", "Authorization: Bearer wrong\r\n")).status, 401) << "not the certificate instead";
  EXPECT_EQ(ask(options, get("/who", "Authorization: nonsense\r\n")).status, 401);
}

TEST_F(ClientCertificatesTest, APageOfAnotherSiteCannotUseThem) {
  start();
  const TlsClientOptions options = with(clients.sign(client_named("agent")));
  EXPECT_EQ(ask(options, post("/change", "")).status, 200) << "programs send no such header";
  for (const std::string header :
       {"Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-origin\r\n"}) {
    EXPECT_EQ(ask(options, post("/change", "", header)).status, 403) << header;
  }
  EXPECT_EQ(ask(options, post("/change", "", "Sec-Fetch-Site: same-origin\r\nX-Dendro-UI: 1\r\n")).status, 200);
}

TEST_F(ClientCertificatesTest, UnknownNamesAreNobody) {
  start();
  EXPECT_EQ(ask(with(clients.sign(client_named("stranger"))), get("/who")).status, 401);
}

TEST_F(ClientCertificatesTest, AreNotForgedByHeaders) {
  start();
  EXPECT_EQ(ask(trusting(), get("/who", "X-Client-Cert: " + std::string("CN=agent\r\n"))).status, 401);
}

TEST(ClientCertificateNames, HaveTheirKindsAndOneLineEach) {
  const TestAuthority authority;
  const auto names = [&](const TestCertificate& wanted) {
    const TestPair pair = authority.sign(wanted);
    BIO* const bio = BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size()));
    X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    const std::string text = describe_client_certificate(certificate).names;
    X509_free(certificate);
    return text;
  };
  EXPECT_EQ(names({.common_name = "a,b",
                   .alternative_names = "email:x@example.org,DNS:one.example,URI:spiffe://d/x,DNS:two.example"}),
            "URI:spiffe://d/x\nDNS:one.example\nDNS:two.example\nemail:x@example.org\nsubject:CN=a\\,b,O=dendro "
            "tests\nCN:a,b");
  EXPECT_EQ(names({.common_name = "evil\nCN:admin"}), "subject:CN=evil\\0ACN:admin,O=dendro tests")
      << "a name is one line, or is not there";
  EXPECT_EQ(names({.common_name = "grün"}), "subject:CN=grün,O=dendro tests\nCN:grün");
}

}  // namespace
}  // namespace dendro
