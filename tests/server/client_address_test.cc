#include "server/client_address.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(ClientAddress, IsWhatTheOutermostTrustedProxySaw) {
  const PeerNetworks proxies = *PeerNetworks::parse({"10.0.0.0/8", "::1"});
  const auto address = [&](std::string_view peer, const std::vector<std::string>& forwarded) {
    HttpHeaders headers;
    for (const std::string& value : forwarded) headers.add("X-Forwarded-For", value);
    return client_address(proxies, peer, headers);
  };
  EXPECT_EQ(address("203.0.113.9", {}), "203.0.113.9");
  EXPECT_EQ(address("203.0.113.9", {"198.51.100.1"}), "203.0.113.9") << "anybody can write that";
  EXPECT_EQ(address("10.1.2.3", {"198.51.100.1, 203.0.113.9"}), "203.0.113.9")
      << "what stands left of it is the client's";
  EXPECT_EQ(address("10.1.2.3", {"198.51.100.1", "203.0.113.9, 10.9.9.9"}), "203.0.113.9") << "two proxies";
  EXPECT_EQ(address("::1", {"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(address("10.1.2.3", {}), "10.1.2.3");
  EXPECT_EQ(address("10.1.2.3", {"unknown"}), "10.1.2.3");
  EXPECT_EQ(address("10.1.2.3", {"203.0.113.9, unknown"}), "10.1.2.3");
  EXPECT_EQ(address("10.1.2.3", {"10.4.4.4"}), "10.4.4.4") << "a client within the proxies' network";
}

TEST(ClientAddress, AClientHoldsAWholeNetworkOfIPv6) {
  EXPECT_EQ(client_network("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:2:ffff::9"));
  EXPECT_NE(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:3::1"));
  EXPECT_NE(client_network("::ffff:203.0.113.9"), client_network("::ffff:203.0.113.10"));
}

}  // namespace
}  // namespace dendro
