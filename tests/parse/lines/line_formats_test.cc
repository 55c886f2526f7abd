// Each format: what it gives of its lines, and lines that it leaves alone.
#include <gtest/gtest.h>

#include "parse/lines/line_format.h"
#include "tests/parse/decoding.h"

namespace dendro {
namespace {

const Timestamp kReference = *parse_rfc3339("2026-11-21T00:00:00Z");

/// The record of a line as JSON, without body severities found by others; "text" if the format does not take it.
std::string record_of(ParseFormat format, std::string_view line) {
  DecoderOptions options;
  options.format = format;
  options.reference_time = kReference;
  BatchFiller filler(kTestNow);
  auto decoder = *make_record_decoder(options, filler, {});
  decoder->decode(line, InputEnd::last);
  filler.flush();
  if (decoder->kept_as_text() > 0) return "text";
  const auto batches = filler.take_batches();
  if (batches.empty()) return "none";
  std::string json;
  append_record_json(json, batches[0]->record(0));
  const SeverityNumber severity = batches[0]->severity(0);
  return json + (severity == kSeverityUnset ? "" : " " + std::string(severity_name(severity)));
}

TEST(Logfmt, PairsKeepTheirNames) {
  EXPECT_EQ(record_of(ParseFormat::logfmt, R"(ts=2026-11-20T10:00:00Z level=warn msg="slow \"query\"" took=1.2s)"),
            R"({"ts":"2026-11-20T10:00:00Z","level":"warn","msg":"slow \"query\"","took":"1.2s"} warn)");
  EXPECT_EQ(record_of(ParseFormat::logfmt, "level=info msg=two words"),
            R"({"level":"info","msg":"two","body":"level=info msg=two words"} info)")
      << "nothing is lost";
  EXPECT_EQ(record_of(ParseFormat::logfmt, "started a=b"), "text");
  EXPECT_EQ(record_of(ParseFormat::logfmt, "= x"), "text");
}

TEST(Syslog, BothFormsAndTheirHabits) {
  EXPECT_EQ(record_of(ParseFormat::syslog, "<34>Nov 20 10:00:00 web1 su[12]: 'su root' failed"),
            R"({"syslog.facility":"auth","severity":"crit","host.name":"web1","service.name":"su","process.pid":12,)"
            R"("body":"'su root' failed","_time":"2026-11-20T10:00:00Z"} fatal)");
  EXPECT_EQ(record_of(ParseFormat::syslog, "Nov  2 10:00:00 web1 kernel: up"),
            R"({"host.name":"web1","service.name":"kernel","body":"up","_time":"2026-11-02T10:00:00Z"})");
  EXPECT_EQ(record_of(ParseFormat::syslog, "Nov  2 10:00:00 kernel: up"),
            R"({"service.name":"kernel","body":"up","_time":"2026-11-02T10:00:00Z"})");
  EXPECT_EQ(
      record_of(ParseFormat::syslog, "2026-11-20T10:00:00.5+01:00 web1 cron[7]: job"),
      R"({"host.name":"web1","service.name":"cron","process.pid":7,"body":"job","_time":"2026-11-20T09:00:00.5Z"})");
  EXPECT_EQ(record_of(ParseFormat::syslog, R"(<165>1 2026-11-20T10:00:00.003Z web1 app - ID47 [ex@1 k="v \"q\""] )"
                                           "\xEF\xBB\xBFhello"),
            R"({"syslog.facility":"local4","severity":"notice","host.name":"web1","service.name":"app",)"
            R"("syslog.msgid":"ID47","ex@1.k":"v \"q\"","body":"hello","_time":"2026-11-20T10:00:00.003Z"} info)");
  EXPECT_EQ(
      record_of(ParseFormat::syslog, "<13>1 - web1 app - - - no time"),
      R"({"syslog.facility":"user","severity":"notice","host.name":"web1","service.name":"app","body":"no time"} info)");
  for (const char* line : {"<999>Nov 20 10:00:00 h a: b", "<34>what", "1 apple a day", "Nov 31 10:00:00 h a: b",
                           "Nov 20 10:00:00 ERROR main: other format", "2026-11-20T10:00:00Z INFO main: other format",
                           "Marvin 10:00:00 said", "2026-11-20T10:00:00Z one"}) {
    EXPECT_EQ(record_of(ParseFormat::syslog, line), "text") << line;
  }
}

TEST(AccessLog, CommonAndCombined) {
  const std::string common = R"(10.0.0.1 - ann [20/Nov/2026:10:00:00 +0100] "GET /a/b?x=1 HTTP/1.1" 503 12)";
  const std::string fields =
      R"({"_time":"2026-11-20T09:00:00Z","client.address":"10.0.0.1","user.name":"ann","http.request.method":"GET",)"
      R"("url.path":"/a/b","url.query":"x=1","network.protocol.version":"1.1","severity":"error",)"
      R"("http.response.status_code":503,"http.response.body.size":12,)";
  EXPECT_EQ(record_of(ParseFormat::access, common),
            fields + R"("body":"10.0.0.1 - ann [20/Nov/2026:10:00:00 +0100] \"GET /a/b?x=1 HTTP/1.1\" 503 12"} error)");
  EXPECT_EQ(record_of(ParseFormat::access, common + R"( "-" "curl/8 \"x\"" 0.003)"),
            fields + R"("user_agent.original":"curl/8 \\\"x\\\"","body":"10.0.0.1 - ann [20/Nov/2026:10:00:00 +0100] )"
                     R"(\"GET /a/b?x=1 HTTP/1.1\" 503 12 \"-\" \"curl/8 \\\"x\\\"\" 0.003"} error)");
  EXPECT_NE(record_of(ParseFormat::access, "shop:80 " + common).find(R"("server.address":"shop:80")"),
            std::string::npos);
  EXPECT_EQ(
      record_of(ParseFormat::access, R"(::1 - - [20/Nov/2026:10:00:00 +0000] "\x16\x03" 400 -)"),
      R"({"_time":"2026-11-20T10:00:00Z","client.address":"::1","severity":"warn","http.response.status_code":400,)"
      R"("body":"::1 - - [20/Nov/2026:10:00:00 +0000] \"\\x16\\x03\" 400 -"} warn)");
  for (const char* line :
       {"10.0.0.1 - - [20/Nov/2026:10:00:00] GET / 200 1", R"(a b c [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1)",
        R"([20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1)", R"(a - - [x] "GET / HTTP/1.1" 200 1)",
        R"(a - - [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 20 1)"}) {
    EXPECT_EQ(record_of(ParseFormat::access, line), "text") << line;
  }
}

TEST(ErrorLogs, OfNginxAndApache) {
  EXPECT_EQ(
      record_of(ParseFormat::nginx_error,
                R"(2026/11/20 10:00:00 [error] 12#34: *56 open() "/x" failed, client: 10.0.0.1, server: shop)"),
      R"({"_time":"2026-11-20T10:00:00Z","severity":"error","process.pid":12,"thread.id":34,"nginx.connection":56,)"
      R"("client.address":"10.0.0.1","body":"open() \"/x\" failed, client: 10.0.0.1, server: shop"} error)");
  EXPECT_EQ(
      record_of(ParseFormat::nginx_error, "2026/11/20 10:00:00 [notice] 1#1: signal 17 received"),
      R"({"_time":"2026-11-20T10:00:00Z","severity":"notice","process.pid":1,"thread.id":1,"body":"signal 17 received"} info)");
  EXPECT_EQ(record_of(ParseFormat::nginx_error, "2026/11/20 10:00:00 started"), "text");
  EXPECT_EQ(
      record_of(ParseFormat::apache_error,
                "[Fri Nov 20 10:00:00.5 2026] [core:error] [pid 12:tid 34] [client 10.0.0.1:5] gone"),
      R"({"_time":"2026-11-20T10:00:00.5Z","severity":"error","apache.module":"core","process.pid":12,"thread.id":34,)"
      R"("client.address":"10.0.0.1:5","body":"gone"} error)");
  EXPECT_EQ(record_of(ParseFormat::apache_error, "[Fri Nov 20 10:00:00 2026] [trace4] x"),
            R"({"_time":"2026-11-20T10:00:00Z","severity":"trace","body":"x"} trace)");
  EXPECT_EQ(record_of(ParseFormat::apache_error, "[Fri Nov 20 10:00:00 2026] [loud] x"), "text");
}

TEST(Klog, LettersDatesAndPlaces) {
  EXPECT_EQ(
      record_of(ParseFormat::klog, "E1120 10:00:00.123456   1234 server.go:56] it \"broke\""),
      R"({"_time":"2026-11-20T10:00:00.123456Z","severity":"error","thread.id":1234,"code.file.path":"server.go",)"
      R"("code.line.number":56,"body":"it \"broke\""} error)");
  EXPECT_EQ(record_of(ParseFormat::klog, "I20261120 10:00:00.1 7 a/b.cc:5]"),
            R"({"_time":"2026-11-20T10:00:00.1Z","severity":"info","thread.id":7,"code.file.path":"a/b.cc",)"
            R"("code.line.number":5,"body":""} info)");
  for (const char* line : {"X1120 10:00:00.1 7 a.cc:5] x", "I1320 10:00:00.1 7 a.cc:5] x", "I1120 10:00:00.1 a.cc:5] x",
                           "I1120 10:00:00.1 7 a b:5] x", "I1120 10:00:00.1 7 a.cc] x", "E", "I am"}) {
    EXPECT_EQ(record_of(ParseFormat::klog, line), "text") << line;
  }
}

struct HeaderCase {
  const char* line;
  const char* fields;
};

TEST(Log4j, HeadersOfManyFrameworks) {
  const HeaderCase cases[] = {
      // log4j: %d %p [%t] %c - %m
      {"2026-11-20 10:00:00,123 ERROR [main] a.b.C - it broke",
       R"("severity":"ERROR","thread.name":"main","log.logger":"a.b.C","body":"it broke"} error)"},
      // Hadoop
      {"2026-11-20 10:00:00,123 INFO [AsyncDispatcher event handler] a.b.C: it: went",
       R"("severity":"INFO","thread.name":"AsyncDispatcher event handler","log.logger":"a.b.C","body":"it: went"} info)"},
      // ZooKeeper
      {"2026-11-20 10:00:00,123 - WARN  [Peer[myid=1]/0:0:2181:Q@368] - Cannot open",
       R"("severity":"WARN","thread.name":"Peer[myid=1]/0:0:2181:Q@368","body":"Cannot open"} warn)"},
      // logback
      {"2026-11-20 10:00:00.123 [pool-1] DEBUG a.b.C - x - y",
       R"("severity":"DEBUG","thread.name":"pool-1","log.logger":"a.b.C","body":"x - y"} debug)"},
      // Spring Boot
      {"2026-11-20T10:00:00.123Z  WARN 12 --- [           main] o.s.b.App   : Started",
       R"("severity":"WARN","process.pid":12,"thread.name":"main","log.logger":"o.s.b.App","body":"Started"} warn)"},
      // Elasticsearch
      {"[2026-11-20T10:00:00,123][WARN ][o.e.n.Node] [n1] started",
       R"("severity":"WARN","thread.name":"n1","log.logger":"o.e.n.Node","body":"started"} warn)"},
      // Python
      {"2026-11-20 10:00:00,123 - app.db - CRITICAL - gone",
       R"("severity":"CRITICAL","log.logger":"app.db","body":"gone"} fatal)"},
      {"2026-11-20 10:00:00,123 INFO app.db: two: three",
       R"("severity":"INFO","log.logger":"app.db","body":"two: three"} info)"},
      // loguru
      {"2026-11-20 10:00:00.123 | INFO     | app:run:12 - done",
       R"("severity":"INFO","log.logger":"app:run:12","body":"done"} info)"},
      // gunicorn
      {"[2026-11-20 10:00:00 +0000] [12] [INFO] Booting worker",
       R"("severity":"INFO","process.pid":12,"body":"Booting worker"} info)"},
      // celery
      {"[2026-11-20 10:00:00,123: ERROR/MainProcess] lost",
       R"("severity":"ERROR","thread.name":"MainProcess","body":"lost"} error)"},
      // env_logger
      {"[2026-11-20T10:00:00Z WARN  my_crate::net] slow",
       R"("severity":"WARN","log.logger":"my_crate::net","body":"slow"} warn)"},
      // tracing
      {"2026-11-20T10:00:00.123456Z  INFO my_crate::net: open port=1",
       R"("severity":"INFO","log.logger":"my_crate::net","body":"open port=1"} info)"},
      // spdlog
      {"[2026-11-20 10:00:00.123] [net] [warning] slow",
       R"("severity":"warning","thread.name":"net","body":"slow"} warn)"},
      // winston
      {"2026-11-20T10:00:00.123Z error: it broke", R"("severity":"error","body":"it broke"} error)"},
      // MySQL
      {"2026-11-20T10:00:00.123456Z 0 [Warning] [MY-010055] slow",
       R"("severity":"Warning","process.pid":0,"thread.name":"MY-010055","body":"slow"} warn)"},
      // Windows CBS
      {"2026-11-20 10:00:00, Info                  CBS    Loaded it",
       R"("severity":"Info","log.logger":"CBS","body":"Loaded it"} info)"},
      // HDFS, Spark
      {"081109 203615 148 INFO dfs.DataNode$PacketResponder: gone",
       R"("severity":"INFO","process.pid":148,"log.logger":"dfs.DataNode$PacketResponder","body":"gone"} info)"},
      {"17/06/09 20:10:40 ERROR executor.X: lost",
       R"("severity":"ERROR","log.logger":"executor.X","body":"lost"} error)"},
      // Android
      {"11-20 10:00:00.123  1702  2395 W WindowManager: x: y",
       R"("severity":"warn","process.pid":1702,"thread.id":2395,"log.logger":"WindowManager","body":"x: y"} warn)"},
      // by hand
      {"10/26/2025 10:07:25 PM, Error, 7, it broke", R"("severity":"Error","body":"7, it broke"} error)"},
      {"2026-11-20 10:00:00 ERROR it broke", R"("severity":"ERROR","body":"it broke"} error)"},
      {"2026-11-20 10:00:00 ERROR 12 files lost", R"("severity":"ERROR","body":"12 files lost"} error)"},
      {"10:00:00.123 [main] INFO  a.b.C - x",
       R"("severity":"INFO","thread.name":"main","log.logger":"a.b.C","body":"x"} info)"},
  };
  for (const HeaderCase& header : cases) {
    const std::string record = record_of(ParseFormat::log4j, header.line);
    EXPECT_TRUE(record.ends_with(header.fields)) << header.line << "\n" << record;
    EXPECT_TRUE(record.starts_with(R"({"_time":")")) << record;
  }
  EXPECT_EQ(record_of(ParseFormat::log4j, "WARNING:app.db:slow: 2s"),
            R"({"severity":"WARNING","log.logger":"app.db","body":"slow: 2s"} warn)");
}

TEST(Log4j, LeavesOtherLinesAlone) {
  for (const char* line :
       {"2026-11-20 10:00:00 it broke", "2026-11-20 10:00:00 error opening the file", "2026-11-20 10:00:00",
        "2026-11-20 10:00:00 Starting service INFO", "\tat a.b.C(C.java:5)", "Caused by: x", "NOTE:this:is not",
        "2026-11-20 10:00:00 [main", "[2026-11-20 10:00:00 no level", "INFO: no logger"}) {
    EXPECT_EQ(record_of(ParseFormat::log4j, line), "text") << line;
  }
}

TEST(FormattedLines, KeepWhatTheFormatDoesNotTakeWithTheTimeBeforeIt) {
  DecoderOptions options;
  options.format = ParseFormat::log4j;
  const std::string_view text =
      "banner\n2026-11-20 10:00:00 ERROR it broke\r\njava.lang.X: y\n\tat a.b.C\n2026-11-20 10:00:01 INFO on\n";
  for (const std::size_t piece : {0u, 1u, 7u}) {
    const Decoded decoded = decode_text(text, options, piece);
    ASSERT_EQ(decoded.records().size(), 5u);
    EXPECT_TRUE(decoded.refusals.empty());
    EXPECT_EQ(leaf_text(decoded.records()[0], "body"), "banner");
    EXPECT_EQ(decoded.records()[0].timestamp(), kTestNow);
    EXPECT_EQ(leaf_text(decoded.records()[1], "body"), "it broke");
    EXPECT_EQ(leaf_text(decoded.records()[3], "body"), "\tat a.b.C");
    EXPECT_EQ(decoded.records()[3].timestamp(), *parse_rfc3339("2026-11-20T10:00:00Z"));
  }
}

TEST(FormattedLines, SeveralFormatsAreTriedTheLastOneFirst) {
  DecoderOptions options;
  options.format = ParseFormat::text;
  options.others = {ParseFormat::klog, ParseFormat::logfmt, ParseFormat::json};
  const Decoded decoded = decode_text(
      "I1120 10:00:00.1 7 a.cc:5] one\nlevel=warn msg=two\n{\"message\":\"three\"}\nfour a=b\n{\"bad\":\n", options);
  std::vector<std::string> bodies;
  for (const RecordView& record : decoded.records()) bodies.push_back(leaf_text(record, "body"));
  EXPECT_EQ(bodies, (std::vector<std::string>{"one", "two", "three", "four a=b", "{\"bad\":"}));
}

TEST(FormattedLines, LimitsHoldForTheLineNotForItsParts) {
  DecoderOptions options;
  options.format = ParseFormat::access;
  options.mapping.limits.record_bytes = 120;
  const std::string line =
      R"(10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET /)" + std::string(60, 'a') + R"( HTTP/1.1" 200 1)";
  EXPECT_LE(line.size(), 160u);
  EXPECT_EQ(decode_text(line, options).refusals.at(0).reason, RejectReason::record_too_large);
  options.mapping.limits.record_bytes = line.size();
  EXPECT_EQ(decode_text(line, options).accepted, 1u);
}

TEST(BrokenLines, AmongJsonAreKeptAsTextWhereAsked) {
  DecoderOptions options;
  options.broken_lines = BrokenLines::keep_as_text;
  const std::string_view text =
      "{\"_time\":\"2026-11-20T10:00:00Z\",\"n\":1}\npanic: gone\n[main] started\n[1,2]\n\n{\"broken\":\n\"text\"\n"
      "{\"n\":2}\n[{\"n\":3},\n{\"n\":4}]\n";
  for (const std::size_t piece : {0u, 3u, 40u}) {
    const Decoded decoded = decode_text(text, options, piece);
    EXPECT_TRUE(decoded.refusals.empty()) << decoded.refusals.at(0).detail;
    EXPECT_EQ(decoded.jsons(), (std::vector<std::string>{
                                   R"({"_time":"2026-11-20T10:00:00Z","n":1})", R"({"body":"panic: gone"})",
                                   R"({"body":"[main] started"})", R"({"body":"[1,2]"})", R"({"body":"{\"broken\":"})",
                                   R"({"body":"\"text\""})", R"({"n":2})", R"({"n":3})", R"({"n":4})"}));
    EXPECT_EQ(decoded.records()[1].timestamp(), *parse_rfc3339("2026-11-20T10:00:00Z"));
  }
  options.mapping.limits.record_bytes = 12;
  EXPECT_EQ(decode_text("not json and long\n", options).refusals.at(0).reason, RejectReason::record_too_large);
}

}  // namespace
}  // namespace dendro
