#include "parse/lines/format_detector.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "parse/lines/line_format.h"

namespace dendro {
namespace {

const LineTimeDefaults kTimes{*parse_rfc3339("2026-11-21T00:00:00Z"), 0};

DetectedFormat detect(std::string_view text, SampleEnd end = SampleEnd::whole) {
  return detect_log_format(text, end, kTimes);
}
std::string name_of(std::string_view text, SampleEnd end = SampleEnd::whole) {
  const DetectedFormat detected = detect(text, end);
  std::string name(parse_format_name(detected.format));
  for (const ParseFormat other : detected.others) name += "+" + std::string(parse_format_name(other));
  return name;
}
std::string repeated(std::string_view line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line;
  return text;
}

TEST(FormatDetector, KnowsEachFormatByItsLines) {
  const std::pair<const char*, const char*> samples[] = {
      {"json", "{\"a\":1}\n{\"a\":2}\n"},
      {"json", "\xEF\xBB\xBF\n {\n  \"a\": {\n"},
      {"json", "[\n  {\"a\":1},\n  {\"a\":2}\n]\n"},
      {"json", "[]"},
      {"json", "Starting up ..\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"},
      {"json", "{\"a\":1}\nnot json\n"},
      {"logfmt", "ts=1 level=info msg=\"a b\"\nts=2 level=warn msg=c caller=x.go:5\n"},
      {"logfmt", "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2\ntype=CWD a=b\n"},
      {"syslog", "Nov 20 10:00:00 web1 sshd[12]: Failed password\nNov 20 10:00:01 web1 CRON[13]: (root) CMD (x)\n"},
      {"syslog", "2026-11-20T10:00:00.5+01:00 web1 sshd[12]: x\n2026-11-20T10:00:01.5+01:00 web1 kernel: y\n"},
      {"syslog", "<34>1 2026-11-20T10:00:00Z web1 su - ID47 - failed\n"},
      {"access", "10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n"},
      {"access",
       "10.0.0.1 - a [20/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"curl\"\n"
       "10.0.0.2 - - [20/Nov/2026:10:00:00 +0000] \"POST /x HTTP/2.0\" 404 - \"http://a/\" \"Mozilla/5.0 (X11)\"\n"},
      {"nginx_error", "2026/11/20 10:00:00 [warn] 1#2: slow\n2026/11/20 10:00:00 [error] 1#2: *3 x, client: a\n"},
      {"apache_error", "[Fri Nov 20 10:00:00 2026] [notice] up\n[Fri Nov 20 10:00:01.5 2026] [core:error] [pid 1] x\n"},
      {"klog",
       "I1120 10:00:00.123456       1 main.go:5] up\nE1120 10:00:01.123456       1 main.go:9] \"no\" err=\"x\"\n"},
      {"log4j", "2026-11-20 10:00:00,123 INFO [main] a.b.C - up\n2026-11-20 10:00:01,123 WARN [main] a.b.C - x\n"},
      {"log4j", "2026-11-20 10:00:00,123 - app - INFO - up\n2026-11-20 10:00:01,123 - app.db - ERROR - x\n"},
      {"log4j",
       "2026-11-20 10:00:00,123 ERROR [main] a.b.C - broke\njava.lang.IllegalStateException: x\n\tat a.b.C(C.java:5)\n"
       "\tat a.b.D(D.java:7)\nCaused by: java.io.IOException: y\n\t... 12 more\n"
       "2026-11-20 10:00:01,123 INFO [main] a.b.C - on\n2026-11-20 10:00:02,123 INFO [main] a.b.C - on\n"},
      {"log4j",
       "2026-11-20 10:00:00,123 ERROR [main] a.b.C - broke\njava.lang.IllegalStateException: x\n\tat a.b.C(C.java:5)\n"
       "2026-11-20 10:00:01,123 INFO [main] a.b.C - on\n"},
      {"log4j",
       "2026-11-20 10:00:00,123 ERROR app broke\nTraceback (most recent call last):\n  File \"a.py\", line 1\n"
       "ValueError: x\n2026-11-20 10:00:01,123 INFO app: on\n"},
      {"log4j", "WARNING:app:slow\nERROR:app.db:gone\n"},
      {"log4j", "[2026-11-20 10:00:00,123] ERROR in app: x\n[2026-11-20 10:00:01,123] INFO in app: y\n"},
      {"log4j", "[2026-11-20 10:00:00,123: WARNING/MainProcess] x\n[2026-11-20 10:00:01,123: ERROR/MainProcess] y\n"},
  };
  for (const auto& [format, text] : samples) {
    EXPECT_EQ(name_of(text), format) << text;
    EXPECT_GE(detect(text).confidence, kAcceptedScore) << text;
  }
}

TEST(FormatDetector, HardNegativesAreText) {
  const char* samples[] = {
      "",
      "\n \n",
      "hello world\n",
      "2026-11-20 10:00:00,123 INFO [main] a.b.C - a single line proves little\n",
      "level=info msg=\"a single line proves little\"\n",
      "It was the best of times, it was the worst of times.\nMay 12 was a fine day. Nov 20 was not.\nOn 2026-11-20 we "
      "met.\n",
      "time,value,unit\n2026-11-20T10:00:00,1.5,ms\n2026-11-20T10:00:01,1.7,ms\n",
      "1,2,3\n4,5,6\n7,8,9\n",
      "1 2 3\n4 5 6\n",
      "#include <map>\n\nint main(int argc, char** argv) {\n  int a=5;\n  return a;\n}\n",
      "[package]\nname = \"x\"\nversion = \"1.0\"\n[dependencies]\nserde=\"1\"\n",
      "[Unit]\nDescription=A service\nAfter=network.target\n\n[Service]\nExecStart=/bin/x a=b c=d\n",
      "PATH=/usr/bin\nHOME=/root\nLANG=C\n",
      "def f(a=1, b=2):\n    return a\n\nx=1\ny=2\n",
      "total 12\n-rw-r--r-- 1 root root 12 Nov 20 10:00 a.log\n-rw-r--r-- 1 root root 12 Nov 20 10:01 b.log\n",
      "{module} is loaded\n{module} is ready\n",
      "[10.30 16:49:06] chrome.exe - proxy close, 0 bytes\n[10.30 16:49:07] chrome.exe - proxy open\n",
      "- 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL INFO parity error corrected\n",
      "GET /a?b=c HTTP/1.1\nHost: x\nCookie: a=b; c=d\n",
      "\x7f"
      "ELF\x02\x01\x01\nbinary \xFF\xFE\x01\x02\n\x00\x01",
      "2026-11-20 10:00:00 no level here\n2026-11-20 10:00:01 and none here\n",
      "INFO all is well\nWARN not quite\n",
      "[] this is no JSON\n[] nor is this\n",
  };
  for (const char* text : samples) {
    EXPECT_EQ(name_of(text), "text") << text;
    EXPECT_EQ(name_of(text, SampleEnd::cut), "text") << text;
  }
}

TEST(FormatDetector, MixedLogsAreTriedLineByLine) {
  const std::string klog = "I1120 10:00:00.123456       1 main.go:5] up\n";
  const std::string json = "{\"level\":\"info\",\"msg\":\"x\"}\n";
  const std::string logfmt = "level=info msg=\"x\" took=5ms\n";
  const std::string prose = "and then there was text\n";
  EXPECT_EQ(name_of(repeated(klog + prose, 10)), "text+klog");
  EXPECT_EQ(name_of(repeated(klog + json, 10)), "text+json+klog");
  EXPECT_EQ(name_of(repeated(logfmt + klog + json + json, 10)), "text+json+klog+logfmt");
  EXPECT_EQ(name_of(repeated(prose, 9) + klog), "text") << "one line of ten is chance";
  EXPECT_EQ(detect(repeated(klog + klog + json, 10)).runner_up, ParseFormat::json);
}

TEST(FormatDetector, AnOpenPipeIsNotDecidedByItsFirstLines) {
  const DetectedFormat detected = detect("Starting up\n", SampleEnd::still_open);
  EXPECT_EQ(detected.format, ParseFormat::text);
  EXPECT_EQ(detected.others.size(), make_line_formats(kTimes).size());
  EXPECT_EQ(name_of("{\"a\":1}\n", SampleEnd::still_open), "json");
  EXPECT_EQ(name_of(repeated("level=info msg=x\n", 30), SampleEnd::still_open), "logfmt");
}

TEST(FormatDetector, LooksAtNoMoreThanItsSample) {
  const std::string klog = "I1120 10:00:00.123456       1 main.go:5] up\n";
  EXPECT_EQ(name_of(repeated(klog, 600) + repeated("text\n", 5'000)), "klog");
  EXPECT_EQ(name_of(std::string(kDetectionBytes, 'x') + "\n" + repeated(klog, 600)), "text");
}

std::string front_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(FormatDetector, OnRealLogs) {
  const std::filesystem::path folder = "../shared/data/loghub";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no loghub files";
  const std::pair<const char*, const char*> systems[] = {
      {"Android", "log4j"},  {"Apache", "apache_error"}, {"BGL", "text"},      {"HDFS", "log4j"},
      {"HPC", "text"},       {"Hadoop", "log4j"},        {"Mac", "syslog"},    {"OpenSSH", "syslog"},
      {"Proxifier", "text"}, {"Spark", "log4j"},         {"Windows", "log4j"}, {"Zookeeper", "log4j"}};
  for (const auto& [system, format] : systems) {
    const std::string log = front_of(folder / system / (std::string(system) + "_2k.log"));
    ASSERT_FALSE(log.empty()) << system;
    EXPECT_EQ(name_of(log), format) << system;
    // And it takes every line, not only those of the sample.
    const auto decoder = make_line_format(detect(log).format, kTimes);
    if (decoder == nullptr) continue;
    LineFields fields;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with('\r')) line.pop_back();
      EXPECT_TRUE(decoder->decode(line, fields)) << system << ": " << line;
    }
  }
}

}  // namespace
}  // namespace dendro
