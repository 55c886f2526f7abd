#include "services/analyze/analyze_service.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "services/analyze/input_paths.h"
#include "services/analyze/newest_objects.h"
#include "tests/conformance/memory_object_store.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

const std::string kOneError = R"({"service":"api","level":"ERROR"})"
                              "\n";

std::string gzip_text(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in(text);
  std::string out(1024 + in.size(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A bucket whose listings have pages of two objects; times are seconds.
class AnalyzeService : public testing::Test {
 protected:
  void SetUp() override { store_.make_bucket("logs"); }
  void put(const std::string& key, const std::string& bytes, std::int64_t seconds,
           const std::string& storage_class = "") {
    store_.put_object("logs", key, bytes, Timestamp(seconds * kNanosPerSecond), storage_class);
  }
  AnalyzeOutcome analyze(const std::string& prefix = "", const AnalyzeRequest& request = {}) {
    return analyze_objects(store_, "logs", prefix, request, {});
  }
  std::vector<std::string> newest(std::size_t count) {
    std::vector<std::string> keys;
    const Result<std::vector<ObjectInfo>> objects = newest_objects(store_, "logs", "", count, {});
    for (const ObjectInfo& object : *objects) keys.push_back(object.key);
    return keys;
  }
  static const AnalyzeReport& report(const AnalyzeOutcome& outcome) { return std::get<AnalyzeReport>(outcome); }
  static AnalyzeFault fault(const AnalyzeOutcome& outcome) { return std::get<AnalyzeFailure>(outcome).fault; }

  MemoryObjectStore store_{2};
};

TEST_F(AnalyzeService, TakesTheNewestObjectOfAllPages) {
  for (char c = 'a'; c <= 'f'; ++c) put(std::string(1, c), "", 100);
  put("g", kOneError, 200);
  put("h/", "", 300);
  put("i", "{}", 400, "GLACIER");
  put("j", "{}", 400, "DEEP_ARCHIVE");
  const AnalyzeOutcome outcome = analyze();
  EXPECT_EQ(report(outcome).objects, std::vector<std::string>{"g"});
  EXPECT_EQ(report(outcome).counted.total, 1u);
}

TEST_F(AnalyzeService, TiesOfASecondGoToTheSmallestKey) {
  put("b", "", 100);
  put("a", "", 100);
  store_.put_object("logs", "c", "", Timestamp(100 * kNanosPerSecond + 999'999'999));
  EXPECT_EQ(newest(9), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(newest(1), std::vector<std::string>{"a"});
}

TEST_F(AnalyzeService, AFolderMarkerWithBytesIsALog) {
  put("x/", kOneError, 100);
  EXPECT_EQ(report(analyze()).counted.total, 1u);
}

TEST_F(AnalyzeService, SumsTheLatest) {
  put("old", kOneError, 100);
  put("mid", kOneError + kOneError, 200);
  put("new", R"({"service":"db","level":"ERROR"})", 300);
  AnalyzeRequest request;
  request.latest = 2;
  const AnalyzeOutcome outcome = analyze("", request);
  EXPECT_EQ(report(outcome).objects, (std::vector<std::string>{"new", "mid"}));
  EXPECT_EQ(report(outcome).counted.total, 3u);
  EXPECT_TRUE(report(outcome).alert);
}

TEST_F(AnalyzeService, TheAlertFiresAtTheThreshold) {
  put("k", kOneError + kOneError + kOneError, 1);
  put("e/empty", "", 0);
  AnalyzeRequest request;
  for (const auto& [threshold, alert] : {std::pair{0u, true}, {3u, true}, {4u, false}}) {
    request.threshold = threshold;
    EXPECT_EQ(report(analyze("", request)).alert, alert) << threshold;
  }
  request.threshold = 0;
  EXPECT_TRUE(report(analyze("e/", request)).alert);
  request.threshold = 1;
  EXPECT_FALSE(report(analyze("e/", request)).alert);
}

TEST_F(AnalyzeService, PackedObjectsCountAsTheirPlainTwins) {
  put("k", gzip_text(kOneError) + gzip_text(kOneError), 1);
  EXPECT_EQ(report(analyze()).counted.total, 2u);
  put("cut", gzip_text(kOneError).substr(0, 30), 2);
  const AnalyzeOutcome cut = analyze();
  EXPECT_EQ(fault(cut), AnalyzeFault::input);
  EXPECT_TRUE(
      failure_text(std::get<AnalyzeFailure>(cut)).starts_with("An unexpected error occurred: gzip: ends early"));
}

TEST_F(AnalyzeService, ListsAgainOnceWhenTheObjectChanged) {
  put("k", kOneError, 1);
  int changes = 1;
  store_.before_get([&] {
    if (changes-- > 0) put("k", kOneError + kOneError, 2);
  });
  EXPECT_EQ(report(analyze()).counted.total, 2u);
  EXPECT_EQ(store_.lists(), 2);
  changes = 100;
  const AnalyzeOutcome always = analyze();
  EXPECT_EQ(fault(always), AnalyzeFault::store);
  EXPECT_EQ(public_failure_text(std::get<AnalyzeFailure>(always)), "An S3 error occurred: PreconditionFailed");
}

TEST_F(AnalyzeService, FailuresKeepTheirMeaning) {
  const AnalyzeOutcome nothing = analyze("none/");
  EXPECT_EQ(failure_text(std::get<AnalyzeFailure>(nothing)), "No logs found at the specified prefix.");
  EXPECT_EQ(failure_http_status(std::get<AnalyzeFailure>(nothing)), 404);
  const AnalyzeOutcome bucket = analyze_objects(store_, "b", "", {}, {});
  EXPECT_EQ(failure_text(std::get<AnalyzeFailure>(bucket)), "S3 bucket 'b' not found.");
  struct Row {
    ErrorCode code;
    const char* word;
    int status;
  };
  for (const Row& row :
       {Row{ErrorCode::permission_denied, "AccessDenied", 403}, Row{ErrorCode::resource_exhausted, "SlowDown", 503},
        Row{ErrorCode::unavailable, "ServiceUnavailable", 503},
        Row{ErrorCode::deadline_exceeded, "RequestTimeout", 504}, Row{ErrorCode::io_error, "InternalError", 500},
        Row{ErrorCode::unimplemented, "NotImplemented", 501}}) {
    store_.fail_with(Error(row.code, "inside"));
    const AnalyzeOutcome outcome = analyze();
    const AnalyzeFailure& failure = std::get<AnalyzeFailure>(outcome);
    EXPECT_EQ(failure_text(failure), std::string("An S3 error occurred: ") + row.word + ": inside");
    EXPECT_EQ(public_failure_text(failure), std::string("An S3 error occurred: ") + row.word);
    EXPECT_EQ(failure_http_status(failure), row.status);
    EXPECT_EQ(failure_exit_code(failure), 1);
  }
}

TEST_F(AnalyzeService, TimeRunsOutInListingAndReading) {
  put("k", kOneError, 1);
  CountRun run;
  run.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const AnalyzeOutcome outcome = analyze_objects(store_, "logs", "", {}, run);
  EXPECT_EQ(failure_http_status(std::get<AnalyzeFailure>(outcome)), 504);
}

TEST(AnalyzeFiles, SumsAndNamesUnreadableOnes) {
  TemporaryFolder folder;
  const std::vector<std::string> paths = {folder.write("a", kOneError), folder.write("b", gzip_text(kOneError))};
  const AnalyzeOutcome both = analyze_files(paths, open_file_source, {}, {});
  EXPECT_EQ(std::get<AnalyzeReport>(both).counted.total, 2u);
  EXPECT_EQ(std::get<AnalyzeReport>(both).objects, paths);
  const std::vector<std::string> missing = {paths[0], folder.path("none")};
  const AnalyzeOutcome failed = analyze_files(missing, open_file_source, {}, {});
  EXPECT_EQ(failure_exit_code(std::get<AnalyzeFailure>(failed)), 2);
}

TEST(InputPaths, ExpandsFoldersAndPatterns) {
  TemporaryFolder folder;
  const std::string a = folder.write("d/a.log", "");
  const std::string b = folder.write("d/e/b.log", "");
  const std::string c = folder.write("c[1].log", "");
  std::filesystem::create_symlink("/etc/passwd", folder.path("d/link"));
  std::filesystem::create_directory(folder.path("empty"));
  const auto expand = [](std::vector<std::string> given) { return expand_input_paths(given); };
  EXPECT_EQ(*expand({folder.path("d")}), (std::vector<std::string>{a, b}));
  EXPECT_EQ(*expand({folder.path("d/*.log"), "-", "plain"}), (std::vector<std::string>{a, "-", "plain"}));
  EXPECT_EQ(*expand({c}), std::vector<std::string>{c});
  EXPECT_EQ(expand({folder.path("*.gz")}).error().code(), ErrorCode::not_found);
  EXPECT_EQ(expand({folder.path("empty")}).error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace dendro
