#include "server/peer.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

HttpHeaders saying(const std::string& scheme) {
  HttpHeaders headers;
  headers.add("X-Forwarded-Proto", scheme);
  return headers;
}

TEST(Peer, CameByTlsIfItsConnectionDidUnlessATrustedProxySays) {
  ServerOptions options;
  Peer peer{.address = "10.0.0.7"};
  EXPECT_EQ(wire_of(options, peer, saying("https")), Wire::readable) << "anybody says so";
  peer.is_tls = true;
  EXPECT_EQ(wire_of(options, peer, saying("http")), Wire::https) << "no proxy of ours says so";
  options.trusted_proxies = *PeerNetworks::parse({"10.0.0.0/8"});
  EXPECT_EQ(wire_of(options, peer, saying("http")), Wire::readable) << "it was, in front of the proxy";
  EXPECT_EQ(wire_of(options, peer, {}), Wire::https);
  peer.is_tls = false;
  EXPECT_EQ(wire_of(options, peer, saying("HTTPS")), Wire::https);
  EXPECT_EQ(wire_of(options, peer, {}), Wire::readable);
}

TEST(Peer, IsNotReadableWithinTheMachine) {
  EXPECT_EQ(wire_of({}, {.address = "127.0.0.1", .is_loopback = true}, {}), Wire::loopback);
}

}  // namespace
}  // namespace dendro
