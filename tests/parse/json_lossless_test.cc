// Losslessness against an oracle: what goes in as one JSON object comes back from append_record_json as the same
// document, to nlohmann's eyes, in the same order; on random hostile objects and on real logs.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/parse/decoding.h"

namespace dendro {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::uint64_t test_seed() {
  const char* given = std::getenv("DENDRO_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// Writes random JSON objects that are as awkward as senders can make them.
class HostileJson {
 public:
  explicit HostileJson(std::uint64_t seed) : random_(seed) {}
  std::string object(int depth = 0) {
    std::string out = "{";
    space(out);
    const std::size_t members = pick(7);
    for (std::size_t i = 0; i < members; ++i) {
      if (i > 0) out += ",";
      space(out);
      key(out);
      space(out);
      out += ":";
      space(out);
      value(out, depth + 1);
      space(out);
    }
    return out + "}";
  }

 private:
  std::size_t pick(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  void space(std::string& out) {
    if (pick(4) == 0) out += std::string(1, " \t\r"[pick(3)]);
  }
  void key(std::string& out) {
    static const std::vector<std::string> kKeys = {"_time",
                                                   "timestamp",
                                                   "ts",
                                                   "time",
                                                   "message",
                                                   "msg",
                                                   "body",
                                                   "log",
                                                   "log.level",
                                                   "level",
                                                   "severity",
                                                   "status",
                                                   "PRIORITY",
                                                   "severity_number",
                                                   "trace_id",
                                                   "span_id",
                                                   "service",
                                                   "service.name",
                                                   "host",
                                                   "k8s",
                                                   "a",
                                                   "b",
                                                   "a.b",
                                                   "",
                                                   ".",
                                                   "dendro.source",
                                                   "dendro.time_text",
                                                   "dendro.more",
                                                   "event.original",
                                                   "event",
                                                   "original",
                                                   "\\u0061",
                                                   "caf\xC3\xA9",
                                                   "q\\\"uote",
                                                   "back\\\\slash"};
    out += "\"" + kKeys[pick(kKeys.size())] + "\"";
  }
  void string(std::string& out) {
    static const std::vector<std::string> kParts = {"x",
                                                    "plain text ",
                                                    "\\n",
                                                    "\\u0000",
                                                    "\\u00e9",
                                                    "\\ud83d\\ude00",
                                                    "\xF0\x9F\x98\x80",
                                                    "\\/",
                                                    "\\\\",
                                                    "\\\"",
                                                    "\x7f",
                                                    "2023-01-29T08:48:42.5Z",
                                                    "ERROR",
                                                    "[warn]",
                                                    "{}",
                                                    "a longer run of text that fills more than one vector register",
                                                    "0af7651916cd43dd8448eb211c80319c",
                                                    "b7ad6b7169203331",
                                                    "\xEF\xBB\xBF"};
    out += "\"";
    for (std::size_t n = pick(4); n > 0; --n) out += kParts[pick(kParts.size())];
    out += "\"";
  }
  void value(std::string& out, int depth) {
    static const std::vector<std::string> kScalars = {"0",
                                                      "-0",
                                                      "1",
                                                      "-1",
                                                      "1.0",
                                                      "0.1",
                                                      "1e3",
                                                      "1E+2",
                                                      "-1.5e-7",
                                                      "9223372036854775807",
                                                      "9223372036854775808",
                                                      "18446744073709551615",
                                                      "18446744073709551616",
                                                      "123456789012345678901234567890",
                                                      "1700000000",
                                                      "1700000000.25",
                                                      "1e999",
                                                      "5e-324",
                                                      "null",
                                                      "true",
                                                      "false",
                                                      "{}",
                                                      "[]",
                                                      "17"};
    switch (pick(depth > 40 ? 4 : 6)) {
      case 0:
      case 1:
        string(out);
        return;
      case 2:
      case 3:
        out += kScalars[pick(kScalars.size())];
        return;
      case 4:
        out += object(depth);
        return;
      default: {
        out += "[";
        for (std::size_t n = pick(4); n > 0; --n) {
          space(out);
          value(out, depth + 1);
          space(out);
          if (n > 1) out += ",";
        }
        out += "]";
      }
    }
  }
  std::mt19937_64 random_;
};

/// nlohmann reads numbers as doubles where they are no integers, and cannot read 1e999: compare what both can say.
bool oracle_reads(std::string_view text) {
  return OrderedJson::accept(text);
}

TEST(JsonLossless, GivesRandomHostileObjectsBack) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("DENDRO_TEST_SEED=" + std::to_string(seed));
  HostileJson hostile(seed);
  int compared = 0;
  for (int i = 0; i < 8'000; ++i) {
    const std::string line = hostile.object();
    if (!oracle_reads(line)) continue;
    const Decoded decoded = decode_text(line);
    if (!decoded.refusals.empty()) {
      // Times out of bounds are the one reason to refuse such an object.
      ASSERT_EQ(decoded.refusals[0].reason, RejectReason::too_new) << line << "\n" << decoded.refusals[0].detail;
      continue;
    }
    ASSERT_EQ(decoded.accepted, 1u) << line;
    const std::string back = decoded.jsons()[0];
    ASSERT_EQ(OrderedJson::parse(back).dump(), OrderedJson::parse(line).dump()) << line << "\n" << back;
    ++compared;
  }
  EXPECT_GT(compared, 2'000);
}

TEST(JsonLossless, KeepsNumeralsToTheLetter) {
  for (const char* numeral :
       {"1.0", "1e3", "-0", "-0.0", "0.10", "1E5", "123456789012345678901234567890", "1e999", "0.1", "5e-324",
        "18446744073709551615", "-9223372036854775808", "-9223372036854775809"}) {
    const std::string line = std::string("{\"n\":") + numeral + ",\"l\":[" + numeral + "]}";
    EXPECT_EQ(decode_text(line).jsons(), std::vector<std::string>{line});
  }
}

TEST(JsonLossless, GivesDeepObjectsBack) {
  std::string deep;
  for (int i = 0; i < 5'000; ++i) deep += "{\"k\":";
  deep += "1" + std::string(5'000, '}');
  EXPECT_EQ(decode_text(deep).jsons(), std::vector<std::string>{deep});
}

TEST(JsonLossless, LastOfDoublesWinsAtThePlaceOfTheFirst) {
  EXPECT_EQ(decode_text(R"({"a":1,"b":2,"a":{"c":3,"c":4}})").jsons(),
            std::vector<std::string>{R"({"a":{"c":4},"b":2})"});
}

class CorpusLossless : public testing::TestWithParam<const char*> {};

TEST_P(CorpusLossless, GivesEveryRecordBack) {
  const char* data = std::getenv("DENDRO_TEST_DATA");
  const std::string path =
      std::string(data != nullptr ? data : "../shared/data") + "/corpora/" + GetParam() + ".ndjson.zst";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no corpus at " << path << " (set DENDRO_TEST_DATA)";
  // Every 40th line: the whole corpora take minutes under sanitizers.
  const std::string command = "zstd -dc --long=27 " + path + " | awk 'NR % 40 == 1'";
  std::FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  std::vector<char> buffer(1 << 20);
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  ASSERT_EQ(pclose(pipe), 0);

  const Decoded decoded = decode_text(text);
  EXPECT_TRUE(decoded.refusals.empty());
  const std::vector<std::string> jsons = decoded.jsons();
  std::size_t index = 0;
  for (std::size_t first = 0; first < text.size(); ++index) {
    const std::size_t last = text.find('\n', first);
    const std::string_view line(text.data() + first, last - first);
    ASSERT_LT(index, jsons.size());
    ASSERT_EQ(OrderedJson::parse(jsons[index]), OrderedJson::parse(line));
    first = last + 1;
  }
  EXPECT_EQ(index, jsons.size());
  EXPECT_GT(index, 3'000u);
}

INSTANTIATE_TEST_SUITE_P(Corpora, CorpusLossless, testing::Values("nezha", "zeek"));

}  // namespace
}  // namespace dendro
