#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/io/temporary_folder.h"
#include "tests/server/test_server.h"
#include "tests/server/tls/test_certificates.h"
#include "tests/server/tls/tls_client.h"

namespace dendro {

/// A server with TLS on its first listener, GET /hello, POST /echo; certificates in files of the test's own.
struct TlsFixture : testing::Test {
  TlsFixture() {
    settings.certificates = {folder.path("server.pem")};
    settings.keys = {folder.path("server.key")};
    write_pair(authority.sign(server_certificate));
    server.add_usual();
    server.clock.set_now(SystemClock().now());  // the certificates are of today
  }

  static inline const TestCertificate server_certificate{.common_name = "logs.example.org",
                                                         .alternative_names = "DNS:logs.example.org",
                                                         .usage = "serverAuth",
                                                         .last_s = 90 * 86'400};

  /// Puts another file into the place of one, as programs that renew certificates do: its time alone need not tell.
  std::string replace(const std::string& name, const std::string& bytes) const {
    std::filesystem::rename(folder.write(name + ".new", bytes), folder.path(name));
    return folder.path(name);
  }
  void write_pair(const TestPair& pair, const std::string& name = "server") const {
    replace(name + ".pem", pair.certificate);
    replace(name + ".key", pair.key);
  }
  void start(Profile profile = Profile::platform) {
    server.listeners.push_back({.address = "127.0.0.1", .port = 0, .profile = profile, .tls = settings});
    server.start();
  }
  TlsClientOptions trusting() const { return {.authority = authority.certificate()}; }
  TlsClientOptions with(const TestPair& pair) const {
    return {.authority = authority.certificate(), .certificate = pair.certificate, .key = pair.key};
  }
  /// Looks at the files as the thread of TlsWatch does.
  void look() const { server.tls->keeper_of(0)->look(); }
  TlsKeeper::State state() const { return server.tls->keeper_of(0)->state(); }

  TestAuthority authority;
  TemporaryFolder folder;
  TlsSettings settings;
  TestServer server;
};

}  // namespace dendro
