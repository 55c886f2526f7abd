#include "base/url.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(Url, EncodesAllButUnreservedBytes) {
  EXPECT_EQ(percent_encoded("aZ9-._~ /?&=%\xc3\xa9"), "aZ9-._~%20%2F%3F%26%3D%25%C3%A9");
}

TEST(Url, OwnPathsLeadNowhereElse) {
  for (const char* good : {"/", "/explore?q=error&start=now-1h", "/a//b", "/#x"})
    EXPECT_TRUE(is_own_path(good)) << good;
  for (const char* bad : {"", "explore", "//evil.example", "/\\evil.example", "/a\\b", "https://evil.example", "/a b",
                          "/a\r\nSet-Cookie: x", "/\t/evil.example", "\\/evil.example", "/a\x7f"}) {
    EXPECT_FALSE(is_own_path(bad)) << bad;
  }
}

}  // namespace
}  // namespace dendro
