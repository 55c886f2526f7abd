#include "parse/lines/trace_lines.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "parse/lines/format_detector.h"
#include "parse/lines/line_format.h"
#include "tests/parse/decoding.h"

namespace dendro {
namespace {

using Texts = std::vector<std::string>;

DecoderOptions joining(ParseFormat format, std::vector<ParseFormat> others = {}) {
  DecoderOptions options;
  options.format = format;
  options.others = std::move(others);
  options.joins_traces = true;
  return options;
}
/// The bodies of a log's records; the same whatever pieces it comes in.
Texts bodies(std::string_view text, const DecoderOptions& options) {
  const auto bodies_in = [&](std::size_t piece_bytes) {
    const Decoded decoded = decode_text(text, options, piece_bytes);
    Texts texts;
    for (const RecordView& record : decoded.records()) texts.push_back(leaf_text(record, "body"));
    return texts;
  };
  Texts whole = bodies_in(0);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{40}})
    EXPECT_EQ(bodies_in(piece), whole) << "in pieces of " << piece;
  return whole;
}
Texts text_bodies(std::string_view text) {
  return bodies(text, joining(ParseFormat::text));
}
Texts log4j_bodies(std::string_view text) {
  return bodies(text, joining(ParseFormat::log4j));
}

constexpr std::string_view kJava =
    "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:12)\n\tat a.D.e(D.java:5)\n"
    "Caused by: java.io.IOException: gone\n\tat a.F.g(F.java:1)\n\t... 2 more\n\tSuppressed: java.lang.Error: z\n"
    "\t\tat a.H.i(H.java:3)";
constexpr std::string_view kPython =
    "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\n    ~^^\nKeyError: 'x'\n\n"
    "During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n"
    "  File \"a.py\", line 9, in <module>\n    f()\napp.errors.Refused: no";
constexpr std::string_view kGo =
    "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.run({0x1, 0x2})\n"
    "\t/app/main.go:12 +0x1d\nmain.main()\n\t/app/main.go:5 +0x20\ncreated by main.start\n\t/app/main.go:2 +0x9\n"
    "exit status 2";
constexpr std::string_view kNode =
    "TypeError: x is not a function\n    at f (/app/a.js:3:5)\n    at Object.<anonymous> (/app/a.js:9:1) {\n"
    "  code: 'ERR_X'\n}\n\nNode.js v18.19.0";
constexpr std::string_view kDotnet =
    "Unhandled exception. System.InvalidOperationException: no\n ---> System.IO.IOException: gone\n"
    "   at A.B.C() in /src/B.cs:line 5\n   --- End of inner exception stack trace ---\n   at A.Program.Main()\n"
    "--- End of stack trace from previous location ---\n   at A.Z()";

TEST(TraceLines, ATraceInPlainTextIsOneRecord) {
  for (const std::string_view trace : {kJava, kPython, kGo, kNode, kDotnet}) {
    const std::string text = "starting\n" + std::string(trace) + "\nstopped\n";
    EXPECT_EQ(text_bodies(text), (Texts{"starting", std::string(trace), "stopped"})) << trace;
  }
  EXPECT_EQ(text_bodies("Exception in thread \"main\" java.lang.Error: x\n\tat a.B(B.java:1)\nnext\n").size(), 2U);
}

TEST(TraceLines, ATraceJoinsTheRecordInFrontOfIt) {
  for (const std::string_view trace : {kJava, kPython, kGo, kNode, kDotnet}) {
    const std::string text = "2026-11-20 10:00:00,123 ERROR [main] a.B - broke\n" + std::string(trace) +
                             "\n2026-11-20 10:00:01,123 INFO [main] a.B - on\n";
    EXPECT_EQ(log4j_bodies(text), (Texts{"broke\n" + std::string(trace), "on"})) << trace;
    const std::string klog = "E1120 10:00:00.123456       1 main.go:5] broke\n" + std::string(trace) +
                             "\nI1120 10:00:01.123456       1 main.go:5] on\n";
    EXPECT_EQ(bodies(klog, joining(ParseFormat::klog)), (Texts{"broke\n" + std::string(trace), "on"})) << trace;
    const std::string plain = "ERROR: broke\n" + std::string(trace) + "\nall is well\n";
    EXPECT_EQ(text_bodies(plain), (Texts{"ERROR: broke\n" + std::string(trace), "all is well"})) << trace;
  }
}

TEST(TraceLines, TracesBehindEachOtherAreRecordsOfTheirOwn) {
  for (const std::string_view trace : {kJava, kPython, kNode}) {
    const std::string text = std::string(trace) + "\n" + std::string(trace) + "\n";
    EXPECT_EQ(text_bodies(text), (Texts{std::string(trace), std::string(trace)}));
  }
  EXPECT_EQ(text_bodies("a.Error: x\n\tat a.B\nCaused by: y\nc.Error: z\n").size(), 2U)
      << "only Python says that another one follows";
}

TEST(TraceLines, WhatIsIndentedBehindARecordBelongsToIt) {
  const std::string_view text =
      "2026-11-20 10:00:00,123 INFO [main] a.B - settings:\n  a = 1\n\n  b = 2\nno indent\n"
      "2026-11-20 10:00:01,123 INFO [main] a.B - on\n";
  EXPECT_EQ(log4j_bodies(text), (Texts{"settings:\n  a = 1\n\n  b = 2", "no indent", "on"}));
  EXPECT_EQ(text_bodies("poem\n  of two lines\n"), (Texts{"poem", "  of two lines"})) << "of text nothing is known";
  EXPECT_EQ(text_bodies("  indented\n\tat the start\n").size(), 1U) << "a frame of a trace joins what there is";
  EXPECT_EQ(bodies("Nov 20 10:00:00 web1 app[1]: x\n  more\n", joining(ParseFormat::syslog)), (Texts{"x", "  more"}))
      << "syslog has a header a line";
}

TEST(TraceLines, LinesThatOnlyLookAlikeStayAlone) {
  const Texts lines = {"Error rates are up",       "... and so on",          "Caused by: nobody", "goroutines leak",
                       "the ValueError: was here", "panic attack",           "at noon",           "- at last",
                       "Traceback is off",         "created by hand (twice)"};
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  EXPECT_EQ(text_bodies(text), lines);
}

TEST(TraceLines, KeepsTimeSeverityAndFieldsOfTheRecord) {
  const std::string text = "2026-11-20 10:00:00,123 WARN [w-1] a.B - broke\r\n" + std::string(kJava) + "\r\nlast\n";
  const Decoded decoded = decode_text(text, joining(ParseFormat::log4j));
  ASSERT_EQ(decoded.records().size(), 2U);
  EXPECT_EQ(decoded.batches[0]->timestamp(0), *parse_rfc3339("2026-11-20T10:00:00.123Z"));
  EXPECT_EQ(leaf_text(decoded.records()[0], "thread.name"), "w-1");
  EXPECT_EQ(leaf_text(decoded.records()[0], "body"), "broke\r\n" + std::string(kJava));
  EXPECT_EQ(decoded.batches[0]->timestamp(1), decoded.batches[0]->timestamp(0)) << "text has the time before it";
}

TEST(TraceLines, FormatsThatAreTriedLineByLine) {
  const std::string text =
      "{\"msg\":\"a\"}\n" + std::string(kJava) + "\n2026-11-20 10:00:00,123 ERROR [main] a.B - broke\n\tat x(y)\n";
  const Decoded decoded = decode_text(text, joining(ParseFormat::text, {ParseFormat::json, ParseFormat::log4j}));
  const auto records = decoded.records();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(leaf_text(records[1], "body"), kJava) << "a line of JSON has no further ones";
  EXPECT_EQ(leaf_text(records[2], "body"), "broke\n\tat x(y)");
}

TEST(TraceLines, ABodyThatIsNotTheEndOfItsLineIsCopied) {
  LineFields fields;
  const std::string_view line = "x";
  fields.add_text("body", "kept elsewhere");
  const std::string whole = "x\n  y";
  fields.extend_body(std::string_view(whole).substr(0, 1), whole);
  EXPECT_EQ(fields.nodes().front().value.text, "kept elsewhere\n  y");
  fields.clear();
  fields.add_text("a", line);
  fields.extend_body(std::string_view(whole).substr(0, 1), whole);
  EXPECT_EQ(fields.nodes().back().value.text, whole) << "one that had none has all of it";
}

TEST(TraceLines, ALongTraceIsCutAndSaysSo) {
  std::string text = "2026-11-20 10:00:00,123 ERROR [main] a.B - deep\n";
  for (std::size_t i = 0; i < kJoinedLinesMax + 10; ++i) text += "\tat a.B(B.java:1)\n";
  const auto by_lines = decode_text(text, joining(ParseFormat::log4j));
  ASSERT_EQ(by_lines.records().size(), 2U);
  EXPECT_EQ(leaf_text(by_lines.records()[0], kTruncatedField), "true");
  EXPECT_EQ(leaf_text(by_lines.records()[1], kTruncatedField), "<none>") << "its end is there";
  const std::string first = leaf_text(by_lines.records()[0], "body");
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), static_cast<std::ptrdiff_t>(kJoinedLinesMax) - 1);
  const std::string rest = leaf_text(by_lines.records()[1], "body");
  EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n') + 1, 11) << "nothing is lost";

  text = "ERROR x\n\tat " + std::string(kJoinedBytesMax - 100, 'x') + "\n\tat " + std::string(200, 'y') + "\n";
  const auto by_bytes = decode_text(text, joining(ParseFormat::text));
  ASSERT_EQ(by_bytes.records().size(), 2U);
  EXPECT_EQ(leaf_text(by_bytes.records()[0], kTruncatedField), "true");
}

TEST(TraceLines, CountsLinesOfEveryKind) {
  const std::string text = "ERROR x\n\n" + std::string(kJava) + "\nlast";
  for (const std::size_t piece : {std::size_t{0}, std::size_t{5}}) {
    BatchFiller filler(kTestNow);
    const auto decoder = *make_record_decoder(joining(ParseFormat::text), filler, {});
    std::size_t first = 0;
    for (std::size_t last = piece; piece > 0 && last < text.size(); last += piece)
      first += decoder->decode(std::string_view(text).substr(first, last - first), InputEnd::more_follows);
    decoder->decode(std::string_view(text).substr(first), InputEnd::last);
    EXPECT_EQ(decoder->lines(), static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')) + 1);
    EXPECT_EQ(decoder->accepted(), 2U);
  }
}

/// Lines that are not blank, without what ends them.
Texts lines_of(std::string_view text) {
  Texts lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

TEST(TraceLines, LosesNothingWhateverComesInWhateverPieces) {
  const Texts vocabulary = {"",
                            "  ",
                            "plain",
                            "ERROR: broke",
                            "java.lang.Error: x",
                            "\tat a.B(B.java:1)",
                            "\t... 2 more",
                            "Caused by: y.Exception",
                            "Traceback (most recent call last):",
                            "  File \"a.py\", line 1",
                            "ValueError: z",
                            "KeyboardInterrupt",
                            "During handling of the above exception, another",
                            "panic: gone",
                            "goroutine 1 [running]:",
                            "main.f(0x1)",
                            "\t/a.go:5 +0x1d",
                            "exit status 2",
                            "Uncaught TypeError: q",
                            "    at f (a.js:1:2) {",
                            "}",
                            "--- End of trace",
                            "indented",
                            "2026-11-20 10:00:00,123 ERROR [main] a.B - begun",
                            "{\"msg\":\"json\"}"};
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t left = 1 + random() % 30; left > 0; --left)
      text += vocabulary[random() % vocabulary.size()] + (random() % 8 == 0 ? "\r\n" : "\n");
    if (random() % 2 == 0) text.pop_back();
    Texts lines;
    for (const std::string& body : bodies(text, joining(ParseFormat::text))) {
      const Texts own = lines_of(body);
      lines.insert(lines.end(), own.begin(), own.end());
    }
    ASSERT_EQ(lines, lines_of(text)) << "DENDRO_SEED=" << seed << "\n" << text;
    bodies(text, joining(ParseFormat::log4j));
    bodies(text, joining(ParseFormat::text, {ParseFormat::json, ParseFormat::log4j, ParseFormat::klog}));
    ASSERT_FALSE(HasFailure()) << "DENDRO_SEED=" << seed << "\n" << text;
  }
}

TEST(TraceLines, RealLogsKeepARecordALine) {
  const std::filesystem::path folder = "../shared/data/loghub";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no loghub files";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string system = entry.path().filename().string();
    std::ifstream file(entry.path() / (system + "_2k.log"), std::ios::binary);
    if (!file) continue;
    std::stringstream log;
    log << file.rdbuf();
    const DetectedFormat detected = detect_log_format(log.str(), SampleEnd::whole, {kTestNow, 0});
    const Decoded decoded = decode_text(log.str(), joining(detected.format, detected.others));
    EXPECT_EQ(decoded.accepted, 2'000U) << system << " has no traces, and what looks like one is a record";
  }
}

}  // namespace
}  // namespace dendro
