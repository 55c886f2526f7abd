#include "server/shown_credential.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace dendro {
namespace {

std::string base64(std::string_view text) {
  std::string packed;
  append_base64(packed, text);
  return packed;
}

/// "secret:K", "session:S", "none", or the error's text.
std::string shown(std::initializer_list<std::pair<std::string, std::string>> rows) {
  HttpHeaders headers;
  for (const auto& [name, value] : rows) headers.add(name, value);
  const auto result = read_shown_credential(headers, Wire::loopback);
  if (!result) return result.error().message();
  if (!*result) return "none";
  const bool is_session = (*result)->credential.kind == Credential::Kind::session;
  EXPECT_EQ(is_session, (*result)->is_cookie);
  return (is_session ? "session:" : "secret:") + (*result)->credential.text;
}

TEST(ShownCredential, ReadsEveryFormThatClientsSend) {
  EXPECT_EQ(shown({{"Authorization", "Bearer dk_1_x"}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"authorization", "bearer   dk_1_x "}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"Authorization", "Splunk dk_1_x"}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"Authorization", "Basic " + base64("anyone:dk_1_x")}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"Authorization", "Basic " + base64(":dk:1")}}), "secret:dk:1") << "the first colon parts";
  EXPECT_EQ(shown({{"Authorization", "ApiKey " + base64("id:dk_1_x")}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"Authorization", "ApiKey " + base64("dk_1_x")}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"DD-API-KEY", "dk_1_x"}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"X-Amz-Firehose-Access-Key", "dk_1_x"}}), "secret:dk_1_x");
  EXPECT_EQ(shown({{"Cookie", "a=b; sid=S1"}}), "session:S1");
  EXPECT_EQ(shown({{"Cookie", "sid=S1; __Host-sid=S2"}}), "session:S2");
}

TEST(ShownCredential, ByTlsOnlyTheCookieOfThisHostCounts) {
  HttpHeaders headers;
  headers.add("Cookie", "sid=S1");
  EXPECT_FALSE(read_shown_credential(headers, Wire::https)->has_value());
  headers.add("Cookie", "__Host-sid=S2");
  EXPECT_EQ((*read_shown_credential(headers, Wire::https))->credential.text, "S2");
}

TEST(ShownCredential, ABadHeaderIsARefusalNeverNobody) {
  for (const char* value : {"", "Bearer", "Bearer ", "Token x", "Basic", "Basic !!!", "Basic eA==", "ApiKey =", "x"}) {
    EXPECT_EQ(shown({{"Authorization", value}}), "Could not validate credentials") << value;
  }
  EXPECT_EQ(shown({{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}), "Could not validate credentials");
  EXPECT_EQ(shown({{"Authorization", "x"}, {"Cookie", "sid=S1"}}), "Could not validate credentials")
      << "a cookie does not repair it";
}

TEST(ShownCredential, NothingIsNobody) {
  EXPECT_EQ(shown({}), "none");
  EXPECT_EQ(shown({{"Cookie", "xsid=S1; sid"}}), "none");
  EXPECT_EQ(shown({{"Cookie", "sid="}}), "none");
}

}  // namespace
}  // namespace dendro
