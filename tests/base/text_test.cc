#include <gtest/gtest.h>

#include <map>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/utf8.h"

namespace dendro {
namespace {

TEST(Utf8, KnowsWellFormedText) {
  EXPECT_TRUE(is_valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const char* bad : {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

TEST(Utf8, ReplacesEachIllFormedPartOnce) {
  const auto repaired = [](std::string_view bytes) {
    std::string out;
    append_utf8_lossy(out, bytes);
    return out;
  };
  EXPECT_EQ(repaired("a\xff"
                     "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(repaired("\xe2\x82"
                     "x"),
            "\xef\xbf\xbdx");  // a truncated character is one part
  EXPECT_EQ(repaired("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(repaired("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(Utf8, TrimsUnicodeSpace) {
  EXPECT_EQ(trim_unicode_space(" \t\n x y\xc2\xa0\xe3\x80\x80"), "x y");
  EXPECT_EQ(trim_unicode_space("\xe2\x80\xa8"), "");
  EXPECT_EQ(trim_unicode_space("\xe2\x80\x8b"), "\xe2\x80\x8b");  // a zero-width space is no white space
}

TEST(Utf8, CountsAndAppendsCodePoints) {
  std::string text;
  for (const char32_t c : {U'a', U'é', U'€', U'😀'}) append_utf8(text, c);
  EXPECT_EQ(count_code_points(text), 4u);
  EXPECT_TRUE(is_valid_utf8(text));
}

TEST(Base64Url, TakesTheStrictFormOnly) {
  for (const auto& [plain, packed] :
       {std::pair{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff", "-_8"}}) {
    std::string out = "=";
    append_base64url(out, plain);
    EXPECT_EQ(out, "=" + std::string(packed));
    EXPECT_EQ(decode_base64url(packed), plain);
  }
  for (const char* bad : {"Z", "Zg==", "Zg=", "Zh", "+_8", "-/8", "Zm 9", "Zm9v\n", "Zm9vZ"}) {
    EXPECT_EQ(decode_base64url(bad), std::nullopt) << bad;
  }
}

TEST(Random, Base62IsEvenAndAsLongAsAsked) {
  SystemRandom random;
  const std::string text = random_base62(random, 62'000);
  EXPECT_EQ(text.size(), 62'000u);
  std::map<char, int> counts;
  for (const char c : text) ++counts[c];
  EXPECT_EQ(counts.size(), 62u);
  for (const auto& [c, count] : counts) EXPECT_NEAR(count, 1'000, 250) << c;  // 8 standard deviations
}

TEST(Base64, GoesBothWays) {
  for (const auto& [plain, packed] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    std::string out;
    append_base64(out, plain);
    EXPECT_EQ(out, packed);
    EXPECT_EQ(decode_base64(packed), plain);
  }
  for (const char* bad : {"Z", "Zg=", "Zg==Zg==", "Zh==", "Z*==", "===="})
    EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
}

TEST(ByteReader, ReadsWhatWasWrittenAndNothingBeyond) {
  std::string bytes;
  append_varint(bytes, 0);
  append_varint(bytes, UINT64_MAX);
  append_varint(bytes, zigzag_encode(INT64_MIN));
  append_le(bytes, std::uint32_t{7});
  append_sized(bytes, "abc");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_varint(), 0u);
  EXPECT_EQ(reader.read_varint(), UINT64_MAX);
  EXPECT_EQ(zigzag_decode(reader.read_varint()), INT64_MIN);
  EXPECT_EQ(reader.read_le<std::uint32_t>(), 7u);
  EXPECT_EQ(reader.read_sized(), "abc");
  EXPECT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(reader.read_le<std::uint8_t>(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, RefusesAVarintOfElevenBytesOrBeyond64Bits) {
  EXPECT_FALSE([] {
    ByteReader r(std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11));
    r.read_varint();
    return r.ok();
  }());
  EXPECT_FALSE([] {
    ByteReader r(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
    r.read_varint();
    return r.ok();
  }());
}

TEST(Checksum, DependsOnPlaceAndBytes) {
  EXPECT_NE(xxh3("abc", HashSeed(1)), xxh3("abc", HashSeed(2)));
  EXPECT_EQ(xxh3("ab", "c", HashSeed(1)), xxh3("abc", HashSeed(1)));
}

TEST(Uuid, HasVersionAndVariantOfVersion4) {
  SystemRandom random;
  const std::string uuid = uuid_v4(random.bytes16());
  ASSERT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string_view("89ab").find(uuid[19]), std::string_view::npos);
  EXPECT_NE(uuid, uuid_v4(random.bytes16()));
}

TEST(TenantId, TakesNamesAndRefusesOthers) {
  EXPECT_TRUE(TenantId::parse("acme").has_value());
  EXPECT_TRUE(TenantId::parse("Größe 7").has_value());
  for (const std::string& bad : {std::string(), std::string(129, 'a'), std::string("a\nb"), std::string("\xff")}) {
    EXPECT_FALSE(TenantId::parse(bad).has_value());
  }
}

}  // namespace
}  // namespace dendro
