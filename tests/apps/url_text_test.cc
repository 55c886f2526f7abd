#include "apps/url_text.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(UrlText, TakesAddressesAsPeopleTypeThem) {
  EXPECT_EQ(normalised_server_url("127.0.0.1:8080").value(), "http://127.0.0.1:8080");
  EXPECT_EQ(normalised_server_url("https://logs.example.org/").value(), "https://logs.example.org");
  EXPECT_EQ(normalised_server_url("http://host/prefix//").value(), "http://host/prefix");
  for (const char* bad : {"ftp://host", "http://", "http://user@host", "http://host?x=1", "http://a b"}) {
    EXPECT_FALSE(normalised_server_url(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace dendro
