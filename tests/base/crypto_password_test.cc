#include "base/crypto_password.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

TEST(Password, IsKnownByItsHashOnly) {
  const auto hash = hash_password("correct horse battery");
  ASSERT_TRUE(hash.has_value());
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_EQ(hash->find("horse"), std::string::npos);
  EXPECT_TRUE(*is_password("correct horse battery", *hash));
  for (const char* wrong : {"", "correct horse batter", "correct horse battery ", "Correct horse battery"}) {
    EXPECT_FALSE(*is_password(wrong, *hash)) << wrong;
  }
  EXPECT_NE(*hash_password("correct horse battery"), *hash) << "each has its own salt";
}

TEST(Password, DamagedHashesTakeNobody) {
  const std::string hash = *hash_password("correct horse battery");
  for (const std::string& damaged :
       {std::string(), std::string("$argon2id$"), hash.substr(0, hash.size() - 1), hash + "x", std::string(500, '$')}) {
    EXPECT_FALSE(*is_password("correct horse battery", damaged)) << damaged;
  }
}

TEST(Password, WipedTextIsEmpty) {
  std::string text = "secret";
  wipe(text);
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace dendro
