#include "server/peer.h"

#include <gtest/gtest.h>

#include "server/access_gate.h"

namespace dendro {
namespace {

HttpHeaders saying(const std::string& scheme) {
  HttpHeaders headers;
  headers.add("X-Forwarded-Proto", scheme);
  return headers;
}

TEST(Peer, SchemeIsTheConnectionsUnlessATrustedProxySays) {
  ServerOptions options;
  Peer peer{.address = "10.0.0.7"};
  EXPECT_EQ(scheme_of(options, peer, saying("https")), UrlScheme::http) << "anybody says so";
  peer.scheme = UrlScheme::https;
  EXPECT_EQ(scheme_of(options, peer, saying("http")), UrlScheme::https);
  options.trusted_proxies = *PeerNetworks::parse({"10.0.0.0/8"});
  EXPECT_EQ(scheme_of(options, peer, saying("http")), UrlScheme::http) << "its client spoke without TLS";
  EXPECT_EQ(scheme_of(options, peer, {}), UrlScheme::https);
  peer.scheme = UrlScheme::http;
  EXPECT_EQ(scheme_of(options, peer, saying("HTTPS")), UrlScheme::https);
  EXPECT_EQ(scheme_of(options, peer, {}), UrlScheme::http);
}

TEST(Peer, SecretsAreReadableWithoutTls) {
  ServerOptions options;
  options.trusted_proxies = *PeerNetworks::parse({"10.0.0.0/8"});
  Peer peer{.address = "192.0.2.7"};
  EXPECT_TRUE(is_readable_on_the_way(options, peer, saying("https")));
  peer.scheme = UrlScheme::https;
  EXPECT_FALSE(is_readable_on_the_way(options, peer, {}));
  EXPECT_FALSE(is_readable_on_the_way(options, peer, saying("http"))) << "no proxy of ours says so";
  const Peer proxy{.address = "10.1.2.3", .scheme = UrlScheme::https};
  EXPECT_TRUE(is_readable_on_the_way(options, proxy, saying("http"))) << "it was, in front of the proxy";
  const Peer loopback{.address = "127.0.0.1", .is_loopback = true};
  EXPECT_FALSE(is_readable_on_the_way(options, loopback, {}));
}

TEST(Peer, CountsByAddressOrNetwork) {
  EXPECT_EQ(place_of_address("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(place_of_address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  EXPECT_EQ(place_of_address("2001:db8:1:2::9"), "2001:db8:1:2::");
  EXPECT_EQ(place_of_address("2001:db8:1:3::9"), "2001:db8:1:3::");
}

}  // namespace
}  // namespace dendro
