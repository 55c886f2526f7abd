#include "filter/sensitive/sensitive_finder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"

namespace dendro {
namespace {

using Texts = std::vector<std::string>;

/// What a finder of these names takes out of a text.
Texts found_in(std::string_view text, std::string_view kinds) {
  const SensitiveFinder finder(parse_sensitive_kinds(kinds).value());
  std::vector<SensitiveSpan> spans;
  finder.find(text, spans);
  Texts texts;
  for (const SensitiveSpan& span : spans) texts.emplace_back(text.substr(span.first, span.size));
  return texts;
}

std::uint64_t sensitive_test_seed() {
  const char* text = std::getenv("DENDRO_SEED");
  return text == nullptr ? std::random_device()() : std::strtoull(text, nullptr, 10);
}

TEST(SensitiveKindNames, AreThereAndBack) {
  for (std::size_t i = 0; i < kSensitiveKindCount; ++i) {
    const auto kind = static_cast<SensitiveKind>(i);
    EXPECT_EQ(parse_sensitive_kinds(sensitive_kind_name(kind)), SensitiveKinds{kind});
  }
  EXPECT_EQ(parse_sensitive_kinds("ip"), (SensitiveKinds{SensitiveKind::ipv4, SensitiveKind::ipv6}));
  EXPECT_FALSE(parse_sensitive_kinds("Card").has_value());
  EXPECT_FALSE(parse_sensitive_kinds("").has_value());
}

struct Case {
  std::string_view kinds, text;
  Texts found;
};

void expect_cases(const std::vector<Case>& cases) {
  for (const Case& one : cases) EXPECT_EQ(found_in(one.text, one.kinds), one.found) << one.kinds << ": " << one.text;
}

TEST(SensitiveFinder, TakesPaymentCards) {
  // Numbers that the networks publish for tests.
  expect_cases({
      {"card", "4111111111111111", {"4111111111111111"}},
      {"card", "pay 4111 1111 1111 1111 now", {"4111 1111 1111 1111"}},
      {"card", "pan=4111-1111-1111-1111;", {"4111-1111-1111-1111"}},
      {"card", "5555555555554444", {"5555555555554444"}},
      {"card", "2223003122003222", {"2223003122003222"}},
      {"card", "378282246310005", {"378282246310005"}},
      {"card", "3782 822463 10005", {"3782 822463 10005"}},
      {"card", "3056 930902 5904", {"3056 930902 5904"}},
      {"card", "6011111111111117", {"6011111111111117"}},
      {"card", "3530111333300000", {"3530111333300000"}},
      {"card", "6200000000000005", {"6200000000000005"}},
      {"card", "4222222222222", {"4222222222222"}},
      {"card", "\"4111111111111111\",\"5105105105105100\"", {"4111111111111111", "5105105105105100"}},
      {"card", "card_4111111111111111.", {"4111111111111111"}},
      {"card", "12 4111 1111 1111 1111 12/27", {"4111 1111 1111 1111"}},
      {"card",
       "\xD0\xBA\xD0\xB0\xD1\x80\xD1\x82\xD0\xB0"
       "4111111111111111\xE2\x82\xAC",
       {"4111111111111111"}},
  });
}

TEST(SensitiveFinder, LeavesOtherNumbers) {
  expect_cases({
      {"card", "4111111111111112", {}},                      // Luhn
      {"card", "1111111111111117", {}},                      // no issuer
      {"card", "41111111111111111111", {}},                  // twenty digits
      {"card", "ab4111111111111111", {}},                    // inside a word
      {"card", "4111111111111111ab", {}},                    // inside a word
      {"card", "0.4111111111111111", {}},                    // a fraction
      {"card", "4111 1111-1111 1111", {}},                   // two separators
      {"card", "1700000000000 1763715661000000000", {}},     // times in ms and ns
      {"card", "2026-11-20T10:00:00.000000000Z 12345", {}},  // a time
      {"phone", "2026-11-20 10:00:00 +0100 +01:00 v1.2.3", {}},
      {"phone", "123-456-7890 415-155-2671 1415-555-2671 415-555-26711", {}},
      {"phone", "415 555 2671 columns of a table", {}},
      {"ssn", "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000 1123-45-6789 123-45-67890", {}},
      {"iban", "DE89370400440532013001 XX82WEST12345698765432 GB82WEST1234569876543", {}},
  });
}

TEST(SensitiveFinder, TakesNumbersOfPeople) {
  expect_cases({
      {"phone", "call +49 170 1234567.", {"+49 170 1234567"}},
      {"phone", "tel:+14155552671", {"+14155552671"}},
      {"phone", "+1 (415) 555-2671", {"+1 (415) 555-2671"}},
      {"phone", "(415) 555-2671 or 415-555-2671", {"(415) 555-2671", "415-555-2671"}},
      {"ssn", "ssn 078-05-1120,", {"078-05-1120"}},
      {"iban", "DE89370400440532013000", {"DE89370400440532013000"}},
      {"iban", "to GB82 WEST 1234 5698 7654 32.", {"GB82 WEST 1234 5698 7654 32"}},
      {"iban", "NO9386011117947", {"NO9386011117947"}},
  });
}

TEST(SensitiveFinder, TakesAddresses) {
  expect_cases({
      {"email", "to ann.lee+x@mail.example.org, now", {"ann.lee+x@mail.example.org"}},
      {"email", "user=bob@example.com", {"bob@example.com"}},
      {"email", "<bob@example.com>.", {"bob@example.com"}},
      {"email", "GET /u?mail=bob%40example.com&x=1", {"bob%40example.com"}},
      {"email",
       "j\xC3\xBCrgen@b\xC3\xBC"
       "cher.de",
       {"j\xC3\xBCrgen@b\xC3\xBC"
        "cher.de"}},
      {"email", "a@b.org.2 at", {"a@b.org"}},
      {"email", "root@localhost @x.org a@.org a.@b.org foo@ 3@4.5", {}},
      {"ipv4", "from 10.0.0.1:80 to 192.168.1.255/24", {"10.0.0.1", "192.168.1.255"}},
      {"ipv4", "ip-10.0.0.1, [1.2.3.4].", {"10.0.0.1", "1.2.3.4"}},
      {"ipv4", "1.2.3 1.2.3.4.5 256.1.1.1 v1.2.3.4 1.2.3.4a 1.2.3.04", {}},
      {"ipv6", "[2001:db8::1]:443 fe80::1%eth0", {"2001:db8::1", "fe80::1"}},
      {"ipv6", "2001:0db8:0000:0000:0000:ff00:0042:8329", {"2001:0db8:0000:0000:0000:ff00:0042:8329"}},
      {"ipv6", "::ffff:10.0.0.1.", {"::ffff:10.0.0.1"}},
      {"ipv6", "std::string a::b ace::bad 12:34:56 10:20:30:40:50:60:70 x::1", {}},
      {"ip", "::ffff:10.0.0.1", {"::ffff:10.0.0.1", "10.0.0.1"}},
      {"mac", "00:1A:2b:3c:4D:5e, 00-1a-2b-3c-4d-5f", {"00:1A:2b:3c:4D:5e", "00-1a-2b-3c-4d-5f"}},
      {"mac", "00:1A:2b:3c:4D:5e:00 00:1A-2b:3c:4D:5e 00:1A:2b:3c:4D", {}},
      {"uuid", "id=123e4567-e89b-12d3-a456-426614174000.", {"123e4567-e89b-12d3-a456-426614174000"}},
      {"uuid", "123e4567-e89b-12d3-a456-42661417400 0123e4567-e89b-12d3-a456-426614174000", {}},
      {"url_password", "postgres://app:s3cr3t@db:5432/x", {"s3cr3t"}},
      {"url_password", "http://host:80/path@2 http://user@host ://a:b@c", {}},
  });
}

TEST(SensitiveFinder, TakesCredentials) {
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x";
  const std::string github = "ghp_" + std::string(36, 'a'), google = "AIza" + std::string(35, 'b');
  const std::string dendro = "dk_" + std::string(12, 'A') + "_" + std::string(32, 'z');
  const std::string pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----";
  expect_cases({
      {"jwt", "t=" + jwt + ".", {jwt}},
      {"jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi", {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi"}},
      {"jwt", "eyJ eyJhbGciOiJIUzI1NiJ9 xeyJhbGciOiJIUzI1NiJ9.eyJzdWIi", {}},
      {"aws_key", "AKIAIOSFODNN7EXAMPLE ASIAIOSFODNN7EXAMPLE", {"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"}},
      {"aws_key", "AKIAIOSFODNN7EXAMPLEX AKIAIOSFODNN7 BAKIAIOSFODNN7EXAMPLE", {}},
      {"github_token",
       "x " + github + " github_pat_" + std::string(22, '1'),
       {github, "github_pat_" + std::string(22, '1')}},
      {"gitlab_token", "glpat-" + std::string(20, 'x'), {"glpat-" + std::string(20, 'x')}},
      {"slack_token", "xoxb-123456789012-abc", {"xoxb-123456789012-abc"}},
      {"google_key", google + "&", {google}},
      {"google_key", google + "x", {}},
      {"stripe_key", "sk_live_0123456789abc rk_test_0123456789", {"sk_live_0123456789abc", "rk_test_0123456789"}},
      {"dendro_key", "Bearer " + dendro, {dendro}},
      {"private_key", "key: " + pem + " end", {pem}},
      {"private_key", "-----BEGIN PRIVATE KEY-----\\nMIIB\\nAAAA\"", {"-----BEGIN PRIVATE KEY-----\\nMIIB\\nAAAA"}},
      {"private_key", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", {}},
      {"bearer", "Authorization: Bearer abcdefghijklmnop1", {"abcdefghijklmnop1"}},
      {"bearer", "authorization=tok123 x=1", {"tok123"}},
      {"bearer", R"({"Authorization":"Basic dXNlcjpwYXNz","a":1})", {"dXNlcjpwYXNz"}},
      {"bearer", R"(\"authorization\":\"Bearer x.y\")", {"x.y"}},
      {"bearer", "Authorization: Digest username=\"a\", response=\"b\"\nx", {"username=\"a\", response=\"b\""}},
      {"bearer", R"({"authorization":"Digest u=1, r=2","a":1})", {"u=1, r=2"}},
      {"bearer", "bearer of bad news, basic training", {}},
      {"bearer", "sent bearer abcdefghijklmnop1 ok", {"abcdefghijklmnop1"}},
      {"bearer", "curl -H 'Authorization: Basic dXNlcjpwYXNz' -k", {"dXNlcjpwYXNz"}},
  });
}

TEST(SensitiveFinder, TakesWhatFollowsNamesOfSecrets) {
  expect_cases({
      {"password", "user=ann password=hunter2 ok", {"hunter2"}},
      {"password", "db_password: 'hunter 2' ok", {"hunter 2"}},
      {"password", R"({"password":"hun\"ter2","x":1})", {R"(hun\"ter2)"}},
      {"password", R"(body={\"passwd\":\"hunter2\"})", {"hunter2"}},
      {"password", "GET /login?token=abc&x=1", {"abc"}},
      {"password", "X-Api-Key: k1234567 secretAccessKey=abc/def+g", {"k1234567", "abc/def+g"}},
      {"password", "run --password hunter2 -v", {"hunter2"}},
      {"password",
       "PASSWORD=\xD0\xBF\xD0\xB0\xD1\x80\xD0\xBE\xD0\xBB\xD1\x8C)",
       {"\xD0\xBF\xD0\xB0\xD1\x80\xD0\xBE\xD0\xBB\xD1\x8C"}},
      {"password", "password=\"never ended", {"never ended"}},
      {"password", "pwd=x", {"x"}},
      {"password", "PWD=/home/ann password=*** password= token: bar tokens=5 token_type=x key=5 token=null", {}},
      {"password", "Unexpected token: bar, primary key=5, monkey=3, secret == x", {}},
      {"password", R"({"token":{"a":1}} passwordless login)", {}},
  });
}

TEST(SensitiveFinder, SaysNothingOfOrdinaryLogs) {
  for (const std::string_view line : {
           "2026-11-20T10:00:00.123Z INFO api GET /users/1234567 200 12.5ms bytes=123456 id=deadbeefcafe1234",
           "Nov 20 10:00:00 host kernel: [12345.678901] usb 1-1: new high-speed USB device number 5 using xhci_hcd",
           "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38865049064139660 "
           "done",
           "java.lang.IllegalStateException: token expected at std::vector::at (Foo.java:123) in 0x7f3a12345678",
           "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 took 1763715661000000 ns",
       }) {
    SensitiveKinds kinds = *parse_sensitive_kinds("all");
    EXPECT_EQ(found_in(line, "all"), Texts()) << line;
    EXPECT_FALSE(kinds.empty());
  }
}

/// Secrets among random text, at every distance from the blocks of 64 bytes that the scan works in.
TEST(SensitiveFinder, FindsPlantedSecretsWhereverTheyStand) {
  const std::uint64_t seed = sensitive_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Texts secrets = {"4111111111111111",
                         "378282246310005",
                         "ann@example.org",
                         "10.20.30.40",
                         "2001:db8::8a2e:370:7334",
                         "00:1A:2b:3c:4D:5e",
                         "DE89370400440532013000",
                         "+49 170 1234567",
                         "078-05-1120",
                         "AKIAIOSFODNN7EXAMPLE",
                         "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
                         "xoxb-123456789012-abc"};
  constexpr std::string_view kLetters = "abcdefgh klmnop /,;!?\"\xC3\xA4 \n\xFF";
  for (int round = 0; round < 2'000; ++round) {
    const std::string& secret = secrets[random() % secrets.size()];
    std::string text;
    for (std::size_t i = random() % 200; i > 0; --i) text.push_back(kLetters[random() % kLetters.size()]);
    text.push_back('|');
    const std::size_t place = text.size();
    text.append(secret).push_back('|');
    for (std::size_t i = random() % 200; i > 0; --i) text.push_back(kLetters[random() % kLetters.size()]);
    const SensitiveFinder finder(*parse_sensitive_kinds("all"));
    std::vector<SensitiveSpan> spans;
    finder.find(text, spans);
    ASSERT_EQ(spans.size(), 1U) << text;
    EXPECT_EQ(spans[0].first, place) << text;
    EXPECT_EQ(spans[0].size, secret.size()) << text;
  }
}

/// Whatever stands in the text: spans lie inside it and cut no character.
TEST(SensitiveFinder, NeverCutsCharacters) {
  const std::uint64_t seed = sensitive_test_seed();
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Texts pieces = {"password=",
                        "\"token\":\"",
                        "@",
                        "ann",
                        ".org",
                        "%40",
                        "4111",
                        " ",
                        "-",
                        "1111",
                        "::",
                        "\xC3\xA4",
                        "\xF0\x9F\x98\x80",
                        "eyJ",
                        ".",
                        "Bearer ",
                        "-----BEGIN PRIVATE KEY-----",
                        "\\",
                        "\"",
                        "://",
                        ":",
                        "x",
                        "Authorization: ",
                        "+49",
                        "1",
                        "10.0.0.1",
                        "DE89",
                        "\n",
                        "'",
                        "key="};
  const SensitiveFinder finder(*parse_sensitive_kinds("all"));
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t i = random() % 24; i > 0; --i) text.append(pieces[random() % pieces.size()]);
    std::vector<SensitiveSpan> spans;
    finder.find(text, spans);
    for (const SensitiveSpan& span : spans) {
      ASSERT_GT(span.size, 0U) << text;
      ASSERT_LE(span.end(), text.size()) << text;
      ASSERT_TRUE(is_valid_utf8(std::string_view(text).substr(span.first, span.size))) << text;
    }
  }
}

}  // namespace
}  // namespace dendro
