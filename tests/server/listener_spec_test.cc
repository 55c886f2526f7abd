#include "server/listener_spec.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(ListenerSpec, ReadsAddressPortAndProfile) {
  const auto plain = parse_listener_spec("127.0.0.1:8080");
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, (ListenerSpec{.address = "127.0.0.1", .port = 8080, .profile = Profile::platform}));
  const auto v6 = parse_listener_spec("[::1]:8080=audit");
  ASSERT_TRUE(v6);
  EXPECT_EQ(*v6, (ListenerSpec{.address = "::1", .port = 8080, .profile = Profile::audit}));
  EXPECT_EQ(v6->address_text(), "[::1]:8080");
  EXPECT_EQ(parse_listener_spec("localhost:0")->address, "127.0.0.1");
  EXPECT_EQ(parse_listener_spec("0.0.0.0:65535=ingest")->port, 65535);
}

TEST(ListenerSpec, RefusesWhatItCannotRead) {
  for (const char* text : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
                           "::1:8080", "[::1:8080", "example.org:80", "256.0.0.1:80", ":8080", "127.0.0.1:80="}) {
    const auto spec = parse_listener_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().code(), ErrorCode::invalid_argument) << text;
  }
}

TEST(ListenerSpec, UnknownProfileNamesAllOfThem) {
  const auto spec = parse_listener_spec("127.0.0.1:80=web");
  ASSERT_FALSE(spec);
  EXPECT_NE(spec.error().message().find("platform, analytics, ingest, audit, access, diagnose"), std::string::npos);
}

TEST(ListenerSpec, RefusesOneAddressTwice) {
  EXPECT_TRUE(parse_listener_specs({"127.0.0.1:80", "127.0.0.1:81", "127.0.0.1:0", "127.0.0.1:0=ingest"}));
  const auto same = parse_listener_specs({"[::1]:80", "[0:0:0:0:0:0:0:1]:80=ingest"});
  ASSERT_FALSE(same);
  EXPECT_NE(same.error().message().find("platform, analytics"), std::string::npos);
}

TEST(ListenerSpec, TellsWhereItListens) {
  EXPECT_EQ(listening_text({.address = "127.0.0.1", .port = 41234}), "listening on 127.0.0.1:41234 (platform)");
  EXPECT_EQ(listening_text({.address = "::1", .port = 1, .profile = Profile::ingest}), "listening on [::1]:1 (ingest)");
}

TEST(ListenerSpec, OpenOffLoopbackNeedsInsecure) {
  const std::vector<ListenerSpec> loopback = {{.address = "127.0.0.1"}, {.address = "127.9.9.9"}, {.address = "::1"}};
  EXPECT_TRUE(check_listeners(loopback, {}));
  for (const char* address : {"0.0.0.0", "::", "192.168.1.1", "128.0.0.1"}) {
    const std::vector<ListenerSpec> open = {{.address = address}};
    const Status refused = check_listeners(open, {});
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(refused.error().message().find("--insecure"), std::string::npos);
    EXPECT_TRUE(check_listeners(open, {.insecure = true}));
    EXPECT_TRUE(check_listeners(open, {.has_auth = true}));
  }
}

TEST(ListenerSpec, KnownButUnbuiltProfilesAreRefusedByName) {
  const Status refused = check_listeners({{.profile = Profile::access}}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::unimplemented);
  EXPECT_NE(refused.error().message().find("access"), std::string::npos);
}

}  // namespace
}  // namespace dendro
