#include "base/crypto_siv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/base32.h"

namespace dendro {
namespace {

std::string bytes_from(unsigned first, unsigned count) {
  std::string bytes;
  for (unsigned i = 0; i < count; ++i) bytes.push_back(static_cast<char>(first + i));
  return bytes;
}
std::string hex_of(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

/// Of the Python package cryptography 38, AESSIV(bytes(range(64))).encrypt(b"hello, world", [b"context"]).
TEST(SivKey, SealsAsOthersDo) {
  const SivKey key(bytes_from(0, 64));
  EXPECT_EQ(hex_of(key.seal("hello, world", "context")), "d9aa4a41902d3af6144f74deed6718ec35ae00b924fc50ff3d0abb08");
}

TEST(SivKey, OpensWhatItSealedAndNothingElse) {
  const SivKey key(bytes_from(0, 64)), other(bytes_from(1, 64));
  for (const std::size_t size : {1U, 15U, 16U, 17U, 4'096U}) {
    const std::string plain(size, 'x');
    const std::string sealed = key.seal(plain, "a");
    EXPECT_EQ(sealed, key.seal(plain, "a"));
    EXPECT_EQ(key.open(sealed, "a"), plain);
    EXPECT_FALSE(key.open(sealed, "b").has_value());
    EXPECT_FALSE(key.open(sealed, "").has_value());
    EXPECT_FALSE(other.open(sealed, "a").has_value());
    EXPECT_FALSE(key.open(sealed.substr(0, sealed.size() - 1), "a").has_value());
  }
  const std::string sealed = key.seal("secret", "a");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(key.open(changed, "a").has_value()) << i;
  }
  EXPECT_FALSE(key.open("", "a").has_value());
  EXPECT_FALSE(key.open(std::string(SivKey::kTagBytes, '\0'), "a").has_value());
}

/// Made with Python's hmac, by RFC 5869 with the salt "dendro".
TEST(DeriveKey, IsHkdf) {
  EXPECT_EQ(hex_of(derive_key("secret", "purpose", 40)),
            "3bfc369a0d5a1edced485a6d8acbbbd53b06277190632c6fc6122cc7c8a3054dcfe75cb333651f3e");
  EXPECT_NE(derive_key("secret", "a", 32), derive_key("secret", "b", 32));
}

/// RFC 4648, section 10, in lower case and without padding.
TEST(Base32, IsThatOfTheRfc) {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"", ""},
                                                                  {"f", "my"},
                                                                  {"fo", "mzxq"},
                                                                  {"foo", "mzxw6"},
                                                                  {"foob", "mzxw6yq"},
                                                                  {"fooba", "mzxw6ytb"},
                                                                  {"foobar", "mzxw6ytboi"}};
  for (const auto& [plain, text] : pairs) {
    std::string encoded;
    append_base32(encoded, plain);
    EXPECT_EQ(encoded, text);
    EXPECT_EQ(decode_base32(text), plain);
  }
  for (const char* wrong : {"m", "MY", "my======", "mz", "mzx", "m1", "my a", "mzxw6y"}) {
    EXPECT_FALSE(decode_base32(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace dendro
