#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "server/tls/tls_watch.h"
#include "tests/server/tls/tls_fixture.h"

namespace dendro {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct TlsReload : TlsFixture {
  TestCertificate renewed() const {
    TestCertificate wanted = server_certificate;
    wanted.common_name = "renewed";
    wanted.serial = 2;
    return wanted;
  }
  std::string shown_name() const { return TlsClient(server.port(), trusting()).server_name(); }
};

TEST_F(TlsReload, NewConnectionsGetTheNewCertificateAndOpenOnesGoOn) {
  start();
  TlsClient before(server.port(), trusting());
  EXPECT_EQ(before.ask(get("/hello")).status, 200);
  look();
  EXPECT_EQ(state().reloads, 0u) << "nothing changed";
  write_pair(authority.sign(renewed()));
  EXPECT_EQ(shown_name(), "logs.example.org") << "until somebody looks";
  look();
  EXPECT_EQ(shown_name(), "renewed");
  EXPECT_EQ(before.ask(get("/hello")).body, "hello");
  EXPECT_EQ(before.server_name(), "logs.example.org");
  EXPECT_EQ(state().reloads, 1u);
  EXPECT_FALSE(state().is_behind);
}

TEST_F(TlsReload, AKeyThatDoesNotFitYetIsWaitedFor) {
  start();
  const TestPair pair = authority.sign(renewed());
  replace("server.pem", pair.certificate);
  look();
  EXPECT_EQ(shown_name(), "logs.example.org");
  EXPECT_TRUE(state().is_behind);
  EXPECT_EQ(state().reload_failures, 1u);
  look();
  EXPECT_EQ(state().reload_failures, 1u) << "once for each change";
  replace("server.key", pair.key);
  look();
  EXPECT_EQ(shown_name(), "renewed");
  EXPECT_FALSE(state().is_behind);
}

TEST_F(TlsReload, WhatIsNoBetterIsNotTaken) {
  start();
  TestCertificate expired = renewed();
  expired.last_s = -60;
  const TestPair old = authority.sign(expired);
  const TestPair good = authority.sign(renewed());
  const std::vector<std::pair<std::string, std::function<void()>>> cases = {
      {"expired", [&] { write_pair(old); }},
      {"empty", [&] { replace("server.pem", ""); }},
      {"garbage", [&] { replace("server.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"); }},
      {"absent", [&] { std::filesystem::remove(folder.path("server.key")); }},
      {"a folder", [&] { std::filesystem::create_directory(folder.path("server.key")); }},
  };
  std::uint64_t failures = 0;
  for (const auto& [name, spoil] : cases) {
    spoil();
    look();
    EXPECT_EQ(state().reload_failures, ++failures) << name;
    EXPECT_EQ(shown_name(), "logs.example.org") << name;
  }
  std::filesystem::remove(folder.path("server.key"));
  write_pair(good);
  look();
  EXPECT_EQ(shown_name(), "renewed");
}

TEST_F(TlsReload, ALinkThatIsSetAnewIsAChange) {
  write_pair(authority.sign(renewed()), "archive2");
  std::filesystem::rename(folder.path("server.pem"), folder.path("archive1.pem"));
  std::filesystem::rename(folder.path("server.key"), folder.path("archive1.key"));
  for (const std::string end : {".pem", ".key"}) {
    std::filesystem::create_symlink(folder.path("archive1" + end), folder.path("server" + end));
  }
  start();
  EXPECT_EQ(shown_name(), "logs.example.org");
  for (const std::string end : {".pem", ".key"}) {
    std::filesystem::remove(folder.path("server" + end));
    std::filesystem::create_symlink(folder.path("archive2" + end), folder.path("server" + end));
  }
  look();
  EXPECT_EQ(shown_name(), "renewed");
}

TEST_F(TlsReload, AnExpiredCertificateIsBetterThanNoneAtStart) {
  TestCertificate expired = renewed();
  expired.last_s = -60;
  write_pair(authority.sign(expired));
  start();
  EXPECT_TRUE(TlsClient(server.port()).is_open()) << "of clients that do not look";
  EXPECT_FALSE(TlsClient(server.port(), trusting()).is_open());
  EXPECT_THAT(server.tls->trouble(), HasSubstr("the certificate of logs.example.org ran out on 2"));
}

TEST_F(TlsReload, TheThreadLooks) {
  start();
  server.tls->start(std::chrono::milliseconds(1));
  write_pair(authority.sign(renewed()));
  TestEvent pause;
  for (int i = 0; i < 2'000 && state().reloads == 0; ++i) pause.wait_briefly();
  EXPECT_EQ(shown_name(), "renewed");
  server.tls->stop();
  server.tls->stop();
}

TEST_F(TlsReload, TellsOfItsTroublesAndNumbers) {
  start();
  EXPECT_EQ(server.tls->trouble(), "");
  std::string metrics;
  server.tls->append_metrics(metrics);
  const std::string labels = "{listener=\"127.0.0.1:0\",certificate=\"logs.example.org\",index=\"0\"} ";
  const std::string seconds = std::to_string(state().certificates.front().expires.number() / kNanosPerSecond);
  EXPECT_THAT(metrics, HasSubstr("dendro_tls_certificate_expiry_timestamp_seconds" + labels + seconds + "\n"));
  EXPECT_THAT(metrics, HasSubstr("dendro_tls_reloads_total{listener=\"127.0.0.1:0\"} 0\n"));
  EXPECT_THAT(metrics, Not(HasSubstr("dendro_tls_crl_expiry_timestamp_seconds{")));
  replace("server.key", "no key");
  look();
  EXPECT_THAT(server.tls->trouble(), HasSubstr("could not be taken"));
  metrics.clear();
  server.tls->append_metrics(metrics);
  EXPECT_THAT(metrics, HasSubstr("dendro_tls_reload_failures_total{listener=\"127.0.0.1:0\"} 1\n"));
  server.advance(std::chrono::hours(24 * 89 + 20));
  EXPECT_THAT(server.tls->trouble(), HasSubstr("runs out in 0 days"));
}

TEST_F(TlsReload, FaultsNameTheFileAndNothingInIt) {
  const auto fault = [](const TlsSettings& wanted) {
    const auto loaded = TlsContext::load(wanted);
    EXPECT_FALSE(loaded.has_value());
    return loaded ? std::string() : loaded.error().message();
  };
  const TestPair other = authority.sign(renewed());
  TlsSettings wanted = settings;
  wanted.keys = {folder.write("other.key", other.key)};
  EXPECT_THAT(fault(wanted), AllOf(HasSubstr("tls key '" + wanted.keys[0] + "'"), HasSubstr("key values mismatch")));
  wanted = settings;
  wanted.certificates = {folder.path("absent.pem")};
  EXPECT_THAT(fault(wanted), HasSubstr("absent.pem"));
  wanted = settings;
  wanted.keys = {folder.write(
      "locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nsecretsecret\n-----END ENCRYPTED PRIVATE KEY-----\n")};
  EXPECT_THAT(fault(wanted), AllOf(HasSubstr("locked.key"), Not(HasSubstr("secretsecret"))));
  wanted = settings;
  wanted.ciphers = "NOSUCH";
  EXPECT_THAT(fault(wanted), HasSubstr("ciphers 'NOSUCH'"));
  wanted = settings;
  wanted.client_ca = folder.write("ca.pem", other.certificate);
  EXPECT_THAT(fault(wanted), HasSubstr("may not sign others"));
  wanted.client_ca = folder.write("ca.pem", "nothing");
  EXPECT_THAT(fault(wanted), HasSubstr("no certificate in PEM"));
  wanted.client_ca = folder.write("ca.pem", authority.certificate());
  wanted.client_crl = folder.write("crl.pem", "nothing");
  EXPECT_THAT(fault(wanted), HasSubstr("no revocation list in PEM"));
  wanted.client_crl = folder.path("absent.crl");
  EXPECT_THAT(fault(wanted), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace dendro
