#include "server/tls/tls_settings.h"

#include <gtest/gtest.h>

#include "server/listener_spec.h"

namespace dendro {
namespace {

TlsSettings usual() {
  TlsSettings settings;
  settings.certificates = {"a.pem"};
  settings.keys = {"a.key"};
  return settings;
}

std::string fault(const std::string& text, const TlsSettings& tls = {}) {
  const auto spec = parse_listener_spec(text, tls);
  EXPECT_FALSE(spec) << text;
  return spec ? std::string() : spec.error().message();
}

TEST(TlsListeners, SpeakTlsAsSoonAsThereIsACertificate) {
  EXPECT_FALSE(parse_listener_spec("127.0.0.1:1")->tls);
  EXPECT_EQ(parse_listener_spec("127.0.0.1:1", usual())->tls, usual());
  EXPECT_EQ(parse_listener_spec("127.0.0.1:1=ingest+tls", usual())->tls, usual());
  EXPECT_EQ(parse_listener_spec("127.0.0.1:1=ingest+tls", usual())->profile, Profile::ingest);
  EXPECT_FALSE(parse_listener_spec("127.0.0.1:1+plain", usual())->tls);
  EXPECT_FALSE(parse_listener_spec("127.0.0.1:1=redirect", usual())->tls);
  EXPECT_NE(fault("127.0.0.1:1+tls").find("certificate"), std::string::npos);
  EXPECT_NE(fault("127.0.0.1:1=redirect+tls", usual()).find("redirect"), std::string::npos);
  EXPECT_NE(fault("127.0.0.1:1+ssl", usual()).find("tls or plain"), std::string::npos);
}

TEST(TlsListeners, BlocksSayMore) {
  const auto spec = parse_listener_spec(
      R"({"address":"127.0.0.1:1","profile":"audit","certificate":["b.pem","c.pem"],"key":["b.key","c.key"],)"
      R"("client_ca":"ca.pem","client_crl":"crl.pem","client_certificates":"required","min_version":"1.3","ciphers":"X"})",
      usual());
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->profile, Profile::audit);
  EXPECT_EQ(spec->tls->certificates, (std::vector<std::string>{"b.pem", "c.pem"}));
  EXPECT_EQ(spec->tls->keys, (std::vector<std::string>{"b.key", "c.key"}));
  EXPECT_EQ(spec->tls->client_ca, "ca.pem");
  EXPECT_EQ(spec->tls->client_crl, "crl.pem");
  EXPECT_EQ(spec->tls->client_certificates, ClientCertificates::required);
  EXPECT_EQ(spec->tls->min_version, TlsVersion::v1_3);
  EXPECT_EQ(spec->tls->ciphers, "X");
  EXPECT_FALSE(parse_listener_spec(R"({"address":"127.0.0.1:1","tls":false})", usual())->tls);
  EXPECT_EQ(parse_listener_spec(R"({"address":"127.0.0.1:1","certificate":"b.pem","key":"b.key"})")->tls->keys[0],
            "b.key");
}

TEST(TlsListeners, BlocksNameTheirFaults) {
  for (const auto& [block, named] : {
           std::pair(R"({"profile":"audit"})", "address"),
           {R"({"address":"127.0.0.1:1","profil":"audit"})", "profil"},
           {R"({"address":"127.0.0.1:1","profile":"web"})", "platform"},
           {R"({"address":"127.0.0.1:1","tls":"yes"})", "true or false"},
           {R"({"address":"127.0.0.1:1","certificate":[1]})", "certificate"},
           {R"({"address":"127.0.0.1:1","key":{}})", "key"},
           {R"({"address":"127.0.0.1:1","key":["a","b"]})", "there are 2 for 1"},
           {R"({"address":"127.0.0.1:1","min_version":"1.1"})", "1.2 or 1.3"},
           {R"({"address":"127.0.0.1:1","min_version":1.3})", "min_version"},
           {R"({"address":"127.0.0.1:1","client_certificates":"maybe"})", "optional or required"},
           {R"({"address":"127.0.0.1:1","client_certificates":"required"})", "client_ca"},
           {R"({"address":"127.0.0.1:1","client_crl":"x"})", "client_ca"},
           {R"({"address":"1","tls":true})", "no port"},
           {R"({"address")", "JSON"},
       }) {
    EXPECT_NE(fault(block, usual()).find(named), std::string::npos) << block << ": " << fault(block, usual());
  }
}

TEST(TlsListeners, AreNamedWhenTheyListen) {
  ListenerSpec spec{.address = "127.0.0.1", .port = 8443, .profile = Profile::audit, .tls = usual()};
  EXPECT_EQ(listening_text(spec), "listening on 127.0.0.1:8443 (audit, tls)");
}

TEST(TlsListeners, ARedirectionNeedsAPlaceToLeadTo) {
  const ListenerSpec redirect{.address = "0.0.0.0", .port = 80, .profile = Profile::redirect};
  const ListenerSpec secure{.address = "127.0.0.1", .port = 8443, .tls = usual()};
  EXPECT_FALSE(check_listeners({redirect}, {}));
  EXPECT_FALSE(check_listeners({redirect}, {.public_url = "http://logs.example.org"}));
  EXPECT_TRUE(check_listeners({redirect}, {.public_url = "https://logs.example.org"}));
  EXPECT_TRUE(check_listeners({redirect, secure}, {})) << "it shows nothing, so it asks nobody";
}

}  // namespace
}  // namespace dendro
