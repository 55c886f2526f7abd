#include "apps/analyze_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

const std::string kThreeServices =
    "{\"service\":\"api\",\"level\":\"ERROR\"}\n{\"service\":\"db\",\"level\":\"ERROR\"}\n{\"service\":\"x\",\"level\":"
    "\"ERROR\"}\n";

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class AnalyzeCommand : public testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& args, const std::string& input = "", bool terminal = false) {
    char* out_text = nullptr;
    char* err_text = nullptr;
    std::size_t out_size = 0;
    std::size_t err_size = 0;
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(::write(ends[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    ::close(ends[1]);
    CommandIo io;
    io.in_fd = ends[0];
    io.out = ::open_memstream(&out_text, &out_size);
    io.err = ::open_memstream(&err_text, &err_size);
    io.out_is_terminal = terminal;
    io.err_is_terminal = terminal;
    Outcome outcome;
    outcome.exit_code = analyze_command().run(args, io);
    std::fclose(io.out);
    std::fclose(io.err);
    ::close(ends[0]);
    outcome.out.assign(out_text, out_size);
    outcome.err.assign(err_text, err_size);
    std::free(out_text);
    std::free(err_text);
    return outcome;
  }
  TemporaryFolder folder_;
};

TEST_F(AnalyzeCommand, PrintsTheResultAndNothingElse) {
  const std::string file = folder_.write("a.jsonl", kThreeServices);
  const Outcome outcome = run({"--file", file});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "{\n  \"total\": 3,\n  \"byService\": {\n    \"api\": 1,\n    \"db\": 1,\n    \"x\": 1\n  },\n  \"alert\": "
            "true\n}\n");
  const Outcome four = run({"--file=" + file, "--threshold=4", "--stream"});
  EXPECT_EQ(four.exit_code, 0);
  EXPECT_NE(four.out.find("\"alert\": false"), std::string::npos);
}

TEST_F(AnalyzeCommand, FileStdinAndBucketGiveTheSame) {
  folder_.write("bucket/a.jsonl", kThreeServices + "\xFF\n");
  const Outcome file = run({"--file", folder_.path("bucket/a.jsonl")});
  const Outcome input = run({"--file", "-"}, kThreeServices + "\xFF\n");
  const Outcome bucket = run({"--bucket", "file://" + folder_.path("bucket")});
  EXPECT_EQ(file.out, input.out);
  EXPECT_EQ(file.out, bucket.out);
  for (const Outcome& outcome : {file, input, bucket}) EXPECT_EQ(outcome.err, "1 line skipped: 1 not UTF-8\n");
  EXPECT_EQ(run({"--file", folder_.path("bucket/a.jsonl"), "--bucket", "file:///missing"}).out, file.out);
}

TEST_F(AnalyzeCommand, ExitCodes) {
  const std::string file = folder_.write("a.jsonl", kThreeServices + "bad\n");
  EXPECT_EQ(run({"--file", file, "--strict"}).exit_code, 1);
  EXPECT_EQ(run({"--file", file, "--fail-on-alert"}).exit_code, 3);
  EXPECT_EQ(run({"--file", file, "--fail-on-alert", "--threshold", "9"}).exit_code, 0);
  const Outcome none = run({});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.out.find("Usage:"), std::string::npos);
  EXPECT_EQ(none.err, "");
  EXPECT_EQ(run({"--file", folder_.path("none")}).exit_code, 2);
  EXPECT_EQ(run({"--file", folder_.path("*.none")}).exit_code, 2);
  for (const char* bad : {"-1", "abc", "", "1.5", "9223372036854775808"}) {
    const Outcome outcome = run({"--file", file, std::string("--threshold=") + bad});
    EXPECT_EQ(outcome.exit_code, 2) << bad;
    EXPECT_EQ(outcome.out, "");
  }
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{{"--bogus"},
                                                                                   {"--file"},
                                                                                   {"--file", file, "--format", "xml"},
                                                                                   {"--file", file, "--since", "x"},
                                                                                   {"--file", file, "--latest", "0"},
                                                                                   {"--file", file, "stray"}}) {
    EXPECT_EQ(run(bad).exit_code, 2) << bad[0];
  }
}

TEST_F(AnalyzeCommand, StoreFailures) {
  folder_.write("bucket/a.jsonl", "");
  const std::string bucket = "file://" + folder_.path("bucket");
  const Outcome nothing = run({"--bucket", bucket, "--prefix", "zz"});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_EQ(nothing.err, "No logs found at the specified prefix.\n");
  const Outcome missing = run({"--bucket", bucket + "/none"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(missing.err, "S3 bucket '" + bucket + "/none' not found.\n");
  for (const auto& [name, value] : {std::pair{"AWS_ENDPOINT_URL", "nonsense"},
                                    {"AWS_ACCESS_KEY_ID", "test"},
                                    {"AWS_SECRET_ACCESS_KEY", "geheim"}}) {
    ASSERT_EQ(::setenv(name, value, 1), 0);
  }
  const Outcome s3 = run({"--bucket", "b"});
  EXPECT_EQ(s3.exit_code, 1);
  EXPECT_EQ(s3.err,
            "An S3 error occurred: InvalidRequest: an AWS endpoint must be an http:// or https:// address without user "
            "and query\n");
  const Outcome cut = run({"--file", "-"}, "\x1F\x8B\x08");
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_TRUE(cut.err.starts_with("An unexpected error occurred: gzip: ends early"));
}

TEST_F(AnalyzeCommand, SumsFilesAndFiltersRecords) {
  folder_.write("d/a", "{\"level\":\"fatal\",\"host\":\"h\",\"ts\":\"2025-09-15T14:00:00Z\"}\n");
  folder_.write("d/b", "{\"level\":\"ERROR\",\"host\":\"i\",\"ts\":\"2025-09-15T13:00:00Z\"}\n");
  const Outcome outcome =
      run({"--file", folder_.path("d/a"), "--file", folder_.path("d"), "--level", "FATAL", "--level=error",
           "--ignore-case", "--group-by", "host", "--since", "2025-09-15T13:30:00", "--format", "csv"});
  EXPECT_EQ(outcome.out, "service,count\nh,2\n");
}

TEST_F(AnalyzeCommand, PipesGetNoEscapes) {
  const std::string file = folder_.write("a.jsonl", kThreeServices);
  EXPECT_EQ(run({"--file", file, "--format", "table"}).out.find('\033'), std::string::npos);
  EXPECT_NE(run({"--file", file, "--format", "table"}, "", true).out.find('\033'), std::string::npos);
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("--fail-on-alert"), std::string::npos);
  EXPECT_NE(help.out.find("Examples:"), std::string::npos);
}

}  // namespace
}  // namespace dendro
