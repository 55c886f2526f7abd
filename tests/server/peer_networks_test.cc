#include "server/peer_networks.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(PeerNetworks, HoldsAddressesOfBothFamilies) {
  const auto networks = PeerNetworks::parse({"10.0.0.0/8", "192.168.1.7", "fd00:1::/20", "172.16.0.0/12", "::1"});
  ASSERT_TRUE(networks.has_value()) << networks.error().message();
  for (const char* inside :
       {"10.255.0.1", "192.168.1.7", "fd00:fff::1", "172.31.255.255", "::1", "[::1]", "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(networks->contains(inside)) << inside;
  }
  for (const char* outside :
       {"11.0.0.1", "192.168.1.8", "fd00:1000::1", "172.32.0.0", "::2", "", "localhost", "10.0.0.1:80"}) {
    EXPECT_FALSE(networks->contains(outside)) << outside;
  }
}

TEST(PeerNetworks, ZeroBitsHoldAFamily) {
  const auto networks = PeerNetworks::parse({"0.0.0.0/0"});
  ASSERT_TRUE(networks.has_value());
  EXPECT_TRUE(networks->contains("8.8.8.8"));
  EXPECT_FALSE(networks->contains("2001:db8::1"));
}

TEST(PeerNetworks, NamesWhatItCannotRead) {
  for (const char* bad : {"", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/8x", "proxy", "10.0.0/8"}) {
    const auto networks = PeerNetworks::parse({"10.0.0.0/8", bad});
    ASSERT_FALSE(networks.has_value()) << bad;
    EXPECT_NE(networks.error().message().find("\"" + std::string(bad) + "\""), std::string::npos);
  }
}

}  // namespace
}  // namespace dendro
