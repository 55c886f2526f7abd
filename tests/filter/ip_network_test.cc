#include "filter/ip_network.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

bool stands_in(std::string_view network, std::string_view text) {
  const auto parsed = IpNetwork::parse(network);
  EXPECT_TRUE(parsed.has_value()) << network;
  return parsed.has_value() && parsed->stands_in(text);
}

TEST(IpNetwork, ReadsAddressesAndPrefixes) {
  for (const char* good : {"10.0.0.0/24", "10.0.0.1", "0.0.0.0/0", "fe80::/10", "::1", "::/0", "10.1.2.3/32"})
    EXPECT_TRUE(IpNetwork::parse(good).has_value()) << good;
  for (const char* bad :
       {"", "x", "10.0.0.0/33", "10.0.0/8", "fe80::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8"})
    EXPECT_FALSE(IpNetwork::parse(bad).has_value()) << bad;
}

TEST(IpNetwork, HoldsWhatItsPrefixSays) {
  EXPECT_TRUE(stands_in("10.0.0.0/24", "10.0.0.255"));
  EXPECT_FALSE(stands_in("10.0.0.0/24", "10.0.1.0"));
  EXPECT_TRUE(stands_in("10.0.0.128/25", "10.0.0.200"));
  EXPECT_FALSE(stands_in("10.0.0.128/25", "10.0.0.127"));
  EXPECT_TRUE(stands_in("10.9.9.9/8", "10.0.0.1")) << "bits behind the prefix do not matter";
  EXPECT_TRUE(stands_in("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(stands_in("0.0.0.0/0", "::1")) << "one family";
  EXPECT_TRUE(stands_in("fe80::/10", "febf::1"));
  EXPECT_FALSE(stands_in("fe80::/10", "fec0::1"));
  EXPECT_TRUE(stands_in("::1", "::1"));
}

TEST(IpNetwork, FindsAddressesInText) {
  EXPECT_TRUE(stands_in("10.0.0.0/8", "from 10.1.2.3:443 to db"));
  EXPECT_TRUE(stands_in("10.0.0.0/8", "1.1.1.1,10.1.2.3"));
  EXPECT_TRUE(stands_in("10.0.0.0/8", "refused by 10.1.2.3."));
  EXPECT_TRUE(stands_in("::1/128", "listening on [::1]:443"));
  EXPECT_TRUE(stands_in("fe80::/10", "peer fe80::, gone"));
  EXPECT_FALSE(stands_in("1.2.3.4", "version 1.2.3.4.5"));
  EXPECT_FALSE(stands_in("1.2.3.4", "v1.2.3.4"));
  EXPECT_FALSE(stands_in("1.2.3.4", "11.2.3.4"));
  EXPECT_FALSE(stands_in("0.0.0.0/0", "12:34:56"));
}

}  // namespace
}  // namespace dendro
