#include "parse/analyze/count_lines.h"

#include <gtest/gtest.h>

#include "tests/parse/analyze/count_fixture.h"

namespace dendro {
namespace {

const std::string kApi = R"({"service":"api","level":"ERROR"})";
const std::string kDb = R"({"service":"db","level":"ERROR"})";

std::string counted(const std::string& text) {
  return summary(count_text(text));
}

std::string deep(std::size_t levels) {
  return R"({"level":"ERROR","x":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
}

std::string utf16(std::string_view ascii, bool little) {
  std::string out = little ? "\xFF\xFE" : "\xFE\xFF";
  for (const char c : ascii) {
    if (!little) out.push_back('\0');
    out.push_back(c);
    if (little) out.push_back('\0');
  }
  return out;
}

TEST(CountLines, CountsErrorsByServiceInOrderOfFirstAppearance) {
  EXPECT_EQ(counted(kDb + "\n" + kApi + "\n" + kDb + "\n"), "total 3 db=2 api=1 lines 3");
  EXPECT_EQ(counted(""), "total 0 lines 0");
}

TEST(CountLines, TakesTheLastLineWithoutLineFeedAndCarriageReturns) {
  EXPECT_EQ(counted(kApi + "\r\n\r\n  \t" + kDb + " \r\n" + kApi), "total 3 api=2 db=1 lines 3");
}

TEST(CountLines, TrimsUnicodeWhiteSpaceAndDropsBlankLines) {
  EXPECT_EQ(counted("\u00a0\u2003" + kApi + "\u3000\x1f\n\u2028\n\x0b\x0c\n"), "total 1 api=1 lines 1");
}

TEST(CountLines, SkipsAndCountsWhatIsNoObject) {
  EXPECT_EQ(counted("plain text\n\n[1,2]\n42\nnull\n\"ERROR\"\n" + kApi + "\n"),
            "total 1 api=1 lines 6 not_json=1 not_object=4");
}

TEST(CountLines, LevelMustBeExactlyErrorAtTheTop) {
  EXPECT_EQ(counted(R"({"level":"error"}
{"level":"ERROR "}
{"level":["ERROR"]}
{"x":{"level":"ERROR"}}
{"level":null}
{"level":"ERR\u004fR"}
{"lev\u0065l":"ERROR","service":"escaped key"}
{"level" : "ERROR" , "service" : "spaced" }
)"),
            "total 3 unknown=1 escaped key=1 spaced=1 lines 8");
}

TEST(CountLines, TheLastOfDuplicateKeysWins) {
  EXPECT_EQ(counted(R"({"level":"ERROR","level":"INFO"}
{"level":"INFO","level":"ERROR","service":"a","service":"b"}
{"level":"INFO","l\u0065vel":"ERROR","service":"c"}
)"),
            "total 2 b=1 c=1 lines 3");
}

TEST(CountLines, NamesServicesByTheirRules) {
  const auto service = [](const std::string& value) {
    const CountResult result = count_text(R"({"level":"ERROR","service":)" + value + "}\n");
    return result.by_service.empty() ? std::string("(none)") : result.by_service[0].first;
  };
  for (const char* falsy : {"null", "\"\"", "0", "-0", "0.00", "0e7", "false", "[]", "{}", "[ ]", "{ }"}) {
    EXPECT_EQ(service(falsy), "unknown") << falsy;
  }
  EXPECT_EQ(service("\" \""), " ");
  EXPECT_EQ(service("7"), "7");
  EXPECT_EQ(service("-7.50"), "-7.50");
  EXPECT_EQ(service("true"), "true");
  EXPECT_EQ(service("[ \"x\" , 1 ]"), "[\"x\",1]");
  EXPECT_EQ(service("{ \"a b\" : [ ] }"), "{\"a b\":[]}");
  EXPECT_EQ(service("NaN"), "NaN");
  EXPECT_EQ(service("-Infinity"), "-Infinity");
  EXPECT_EQ(service(R"("a\u00e9\n\ud83d\ude00\ud800")"), "a\u00e9\n\U0001F600\uFFFD");
  EXPECT_EQ(service(std::string(5000, '9')), std::string(5000, '9'));
  EXPECT_EQ(counted(R"({"level":"ERROR"})"), "total 1 unknown=1 lines 1");
}

TEST(CountLines, ChecksTheWholeLine) {
  for (const char* bad : {R"({"level":"ERROR"} x)",         R"({"level":"ERROR",})",
                          R"({"level":"ERROR" "a":1})",     R"({"level":"ERROR","a":01})",
                          R"({"level":"ERROR","a":.5})",    R"({"level":"ERROR","a":1.})",
                          R"({"level":"ERROR","a":"\x"})",  R"({"level":"ERROR","a":"\u12g4"})",
                          R"({"level":"ERROR","a":tru})",   R"({"level":"ERROR","a":[1,]})",
                          R"({"level":"ERROR","a":[1 2]})", R"({"level":"ERROR","a":{"b"}})",
                          R"({"level":"ERROR","a":+1})",    R"({"level":"ERROR","a":nan})",
                          R"({"level":"ERROR","a":-NaN})",  "{\"level\":\"ERROR\",\"a\":\"\x01\"}",
                          R"({"level":"ERROR","a":1]})",    R"({'level':'ERROR'})",
                          R"({"level":"ERROR"}})",          R"("a":1,"level":"ERROR"})"}) {
    EXPECT_EQ(counted(std::string(bad) + "\n"), "total 0 lines 1 not_json=1") << bad;
  }
  for (const char* good : {R"({"a":NaN,"level":"ERROR","b":[Infinity,-Infinity],"c":1e400,"d":-0.5E+7,"e":"\ud800"})",
                           R"({"":"","a":{},"b":[],"c":[[[{"x":[null,true,false]}]]],"level":"ERROR"})"}) {
    EXPECT_EQ(counted(good), "total 1 unknown=1 lines 1") << good;
  }
}

TEST(CountLines, BadUtf8CostsItsLineOnly) {
  EXPECT_EQ(
      counted(kApi + "\n{\"level\":\"ERROR\",\"m\":\"\xC3\x28\"}\n" + kDb +
              "\n\xFF\n{\"level\":\"ERROR\",\"m\":\"\xE2\x82\"}\n" + kApi + "\n{\"level\":\"ERROR\",\"m\":\"\u20ac\"}"),
      "total 4 api=2 db=1 unknown=1 lines 7 not_utf8=3");
}

TEST(CountLines, DepthOf1024IsTheLast) {
  EXPECT_EQ(counted(deep(1024)), "total 1 unknown=1 lines 1");
  EXPECT_EQ(counted(deep(1025) + "\n" + kApi), "total 1 api=1 lines 2 too_deep=1");
  EXPECT_EQ(counted(std::string(200000, '[')), "total 0 lines 1 too_deep=1");
}

TEST(CountLines, ALineOf16MiBIsTheLongest) {
  const std::string head = R"({"level":"ERROR","m":")";
  const std::string longest = head + std::string(kCountLineBytesMax - head.size() - 2, 'x') + "\"}";
  EXPECT_EQ(counted(kDb + "\n" + longest + "\n" + kApi), "total 3 db=1 unknown=1 api=1 lines 3");
  EXPECT_EQ(counted(kDb + "\n " + longest + " \r\n" + kApi), "total 3 db=1 unknown=1 api=1 lines 3");
  EXPECT_EQ(counted(kDb + "\n" + "{\"a\":1," + longest.substr(1) + "\n" + kApi),
            "total 2 db=1 api=1 lines 3 too_long=1");
  EXPECT_EQ(counted(kDb + "\n" + longest.substr(0, longest.size() - 2) + longest + longest + "\n" + kApi),
            "total 2 db=1 api=1 lines 3 too_long=1");
}

TEST(CountLines, SeveralObjectsOnALine) {
  EXPECT_EQ(counted(kDb + kApi + " " + kApi + "\n"), "total 3 db=1 api=2 lines 1");
  EXPECT_EQ(counted(kDb + " 5\n" + kDb + kApi + "{\n"), "total 0 lines 2 not_json=2");
}

TEST(CountLines, JoinsPrettyPrintedObjects) {
  EXPECT_EQ(
      counted("{\n  \"service\": \"api\",\n\n  \"tags\": [\n    1,\n    \"b\"\n  ],\n  \"level\": \"ERROR\"\n}\n" +
              kDb + "\n{\n\"level\":\"ERROR\"\n} {\n\"level\"\n:\n\"ERROR\"}"),
      "total 4 api=1 db=1 unknown=2 lines 15");
}

TEST(CountLines, AnUnfinishedObjectDoesNotSwallowTheNextRecord) {
  EXPECT_EQ(counted("{\"level\":\"ERROR\",\n" + kApi + "\n"), "total 1 api=1 lines 2 not_json=1");
  EXPECT_EQ(counted("{\"a\":[\n" + kApi + "\n]}\n"), "total 1 api=1 lines 3 not_json=2");
  EXPECT_EQ(counted("{\"a\":\n{\n\"level\":\"ERROR\"\n}\n"), "total 1 unknown=1 lines 4 not_json=1");
  EXPECT_EQ(counted("{\n{\n\"level\":\"ERROR\"\n}\n"), "total 1 unknown=1 lines 4 not_json=1");
}

TEST(CountLines, OneArrayOfObjects) {
  EXPECT_EQ(counted("[" + kApi + "," + kDb + "," + kApi + "]"), "total 3 api=2 db=1 lines 1");
  EXPECT_EQ(counted("\n [" + kApi + "]\n\n\0"), "total 1 api=1 lines 1");
  EXPECT_EQ(counted("[\n" + kApi + ",\n" + kDb + "\n]\n"), "total 2 api=1 db=1 lines 4");
  EXPECT_EQ(
      counted("[\n  {\n    \"level\": \"ERROR\",\n    \"a\": [{},\"]\"]\n  },\n  {\n    \"level\": \"INFO\"\n  }\n]\n"),
      "total 1 unknown=1 lines 9");
  EXPECT_EQ(counted("[" + kApi + ",5," + kDb + "]"), "total 2 api=1 db=1 lines 1 not_object=1");
}

TEST(CountLines, AnArrayAmongLinesIsALine) {
  EXPECT_EQ(counted("[" + kApi + "]\n" + kDb), "total 1 db=1 lines 2 not_object=1");
  EXPECT_EQ(counted("[1]\n" + kDb), "total 1 db=1 lines 2 not_object=1");
  EXPECT_EQ(counted("[]"), "total 0 lines 1 not_object=1");
  EXPECT_EQ(counted("[2025-09-15] " + kApi + "\n" + kDb), "total 1 db=1 lines 2 not_json=1");
  EXPECT_EQ(counted("[\n" + kApi + "\n" + kDb + "\n"), "total 2 api=1 db=1 lines 3 not_json=1");
}

TEST(CountLines, ADamagedArrayCostsItsDamage) {
  EXPECT_EQ(counted("[\n" + kApi + ",\n{\"a\":\"cut\n" + kDb + ",\n" + kApi + "\n]\n"),
            "total 3 api=2 db=1 lines 6 not_json=1");
  EXPECT_EQ(counted("[\n" + kApi + ",\n" + kDb + ",\n"), "total 2 api=1 db=1 lines 3 not_json=1");
}

TEST(CountLines, ByteOrderMarksAndUtf16) {
  EXPECT_EQ(counted("\xEF\xBB\xBF" + kApi + "\n"), "total 1 api=1 lines 1");
  for (const bool little : {true, false}) {
    EXPECT_EQ(counted(utf16(kApi + "\r\n" + kDb + "\n", little)), "total 2 api=1 db=1 lines 2");
  }
  EXPECT_EQ(counted(utf16(kApi + "\n", true) + std::string("\x00\xD8\n\x00", 4) + utf16(kDb, true).substr(2)),
            "total 2 api=1 db=1 lines 3 not_utf8=1");
  EXPECT_EQ(counted(utf16(kApi + "\n", true) + "x"), "total 1 api=1 lines 2 not_utf8=1");
}

TEST(CountLines, NulStretchesAreBlank) {
  const std::string nuls(100000, '\0');
  EXPECT_EQ(counted(nuls + kApi + "\n" + nuls + "\n" + kDb + nuls + kApi + "\n" + kDb + nuls),
            "total 4 api=2 db=2 lines 3");
  EXPECT_EQ(counted(std::string(40 << 20, '\0') + kApi + std::string(40 << 20, '\0')), "total 1 api=1 lines 1");
  EXPECT_EQ(counted(kApi + "\n{\"level\":\"torn" + nuls + kDb + "\n"), "total 2 api=1 db=1 lines 2 not_json=1");
  EXPECT_EQ(counted(std::string("{\"level\":\"ERROR\",\"a\":\"b\0c\"}", 28)), "total 0 lines 1 not_json=1");
}

TEST(CountLines, SinceComparesTheFirstTimeFieldThatIsThere) {
  CountOptions options;
  options.since = parse_rfc3339("2025-09-15T14:00:00Z");
  const auto total = [&](const std::string& fields) {
    return count_text("{\"level\":\"ERROR\"," + fields + "}", options).total;
  };
  EXPECT_EQ(total(R"("ts":"2025-09-15T14:00:00Z")"), 1u);
  EXPECT_EQ(total(R"("ts":"2025-09-15T13:59:59.999Z")"), 0u);
  EXPECT_EQ(total(R"("ts":"2025-09-15T14:00:00")"), 1u);
  EXPECT_EQ(total(R"("ts":"2025-09-15T15:00:00+02:00")"), 0u);
  EXPECT_EQ(total(R"("time":"2025-09-15T13:00:00Z","timestamp":"2025-09-15T15:00:00Z")"), 1u);
  EXPECT_EQ(total(R"("@timestamp":1757944800)"), 1u);
  EXPECT_EQ(total(R"("time":1757944799999)"), 0u);
  EXPECT_EQ(total(R"("ts":null,"msg":"no time")"), 0u);
}

TEST(CountLines, LevelsGroupsAndCase) {
  const std::string text = R"({"level":"error","host":"a"}
{"level":"FATAL","host":"b"}
{"level":"ERROR","host":["c"]}
)";
  EXPECT_EQ(summary(count_text(text, {.levels = {"ERROR", "FATAL"}, .group_field = "host"})),
            "total 2 b=1 [\"c\"]=1 lines 3");
  EXPECT_EQ(summary(count_text(text, {.ignore_case = true, .group_field = "level"})),
            "total 2 error=1 ERROR=1 lines 3");
}

TEST(CountLines, CancelIsAnError) {
  CountRun run;
  run.cancel.cancel();
  const auto result = count_lines(std::make_unique<MemoryByteSource>(kApi), {}, run);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace dendro
