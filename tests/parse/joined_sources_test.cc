#include "parse/joined_sources.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "tests/parse/decoding.h"

namespace dendro {
namespace {

std::string numbers(int first, int last) {
  std::string text;
  for (int i = first; i < last; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  return text;
}

/// Fails where a text ends.
class FailingSource final : public ByteSource {
 public:
  explicit FailingSource(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> out) override {
    const Result<std::size_t> count = text_.read(out);
    if (*count == 0) return Error(ErrorCode::io_error, "read x: gone");
    return count;
  }

 private:
  MemoryByteSource text_;
};

JoinedInput input_of(std::string text, std::vector<std::uint64_t>* ends = nullptr, bool fails = false) {
  JoinedInput input;
  input.open = [text, fails]() -> Result<std::unique_ptr<FileRecordSource>> {
    FileSourceOptions options;
    options.broken_lines = BrokenLines::keep_as_text;
    std::unique_ptr<ByteSource> bytes = std::make_unique<MemoryByteSource>(text);
    if (fails) bytes = std::make_unique<FailingSource>(text);
    return make_ndjson_source(std::move(bytes), options);
  };
  input.on_end = [ends](const FileFindings& findings) {
    if (ends != nullptr) ends->push_back(findings.kept_as_text);
  };
  return input;
}

std::vector<int> numbers_of(const RecordBatch& batch) {
  std::vector<int> found;
  for (std::size_t i = 0; i < batch.size(); ++i) found.push_back(std::stoi(leaf_text(batch.record(i), "n")));
  return found;
}

std::vector<int> read_numbers(RecordSource& source, std::optional<Error>* failure = nullptr) {
  std::vector<int> found;
  for (;;) {
    const auto batch = source.next();
    if (!batch && failure != nullptr) *failure = batch.error();
    EXPECT_TRUE(batch.has_value() || failure != nullptr);
    if (!batch || *batch == nullptr) return found;
    const std::vector<int> own = numbers_of(**batch);
    found.insert(found.end(), own.begin(), own.end());
  }
}

std::vector<int> run_of(int first, int last) {
  std::vector<int> run(static_cast<std::size_t>(last - first));
  for (int i = first; i < last; ++i) run[static_cast<std::size_t>(i - first)] = i;
  return run;
}

TEST(JoinedSources, GivesInputsInTheirOrderOnAnyNumberOfThreads) {
  for (const std::size_t threads : {1u, 2u, 5u}) {
    std::vector<JoinedInput> inputs;
    std::vector<std::uint64_t> ends;
    // Long and short ones, some with a line that is no JSON.
    inputs.push_back(input_of(numbers(0, 90'000), &ends));
    inputs.push_back(input_of("", &ends));
    for (int i = 0; i < 30; ++i) inputs.push_back(input_of(numbers(90'000 + i, 90'001 + i), &ends));
    inputs.push_back(input_of(numbers(90'030, 200'000), &ends));
    const auto source = make_joined_source(std::move(inputs), JoinedOrder::as_given, threads);
    EXPECT_EQ(read_numbers(*source), run_of(0, 200'000)) << threads;
    EXPECT_EQ(ends.size(), 33u);
    EXPECT_EQ(*source->next(), nullptr);
  }
  EXPECT_EQ(*make_joined_source({}, JoinedOrder::any, 2)->next(), nullptr);
}

TEST(JoinedSources, GivesEveryRecordOnceInAnyOrder) {
  std::vector<JoinedInput> inputs;
  std::vector<std::uint64_t> ends;
  for (int i = 0; i < 4; ++i) inputs.push_back(input_of(numbers(i * 70'000, (i + 1) * 70'000), &ends));
  auto found = read_numbers(*make_joined_source(std::move(inputs), JoinedOrder::any, 2));
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, run_of(0, 280'000));
  EXPECT_EQ(ends.size(), 4u);
}

TEST(JoinedSources, TellsWhatWasFoundInTheOrderOfTheInputs) {
  for (const JoinedOrder order : {JoinedOrder::as_given, JoinedOrder::any}) {
    std::vector<std::uint64_t> ends;
    std::vector<JoinedInput> inputs;
    for (const int plain : {2, 0, 1, 3}) {
      std::string text = numbers(0, 10);
      for (int i = 0; i < plain; ++i) text += "plain\n";
      inputs.push_back(input_of(text, &ends));
    }
    const auto source = make_joined_source(std::move(inputs), order, 2);
    while (*source->next() != nullptr) {
    }
    EXPECT_EQ(ends, (std::vector<std::uint64_t>{2, 0, 1, 3}));
  }
}

TEST(JoinedSources, FailsBehindTheRecordsOfTheInputsBefore) {
  std::vector<JoinedInput> inputs;
  inputs.push_back(input_of(numbers(0, 70'000)));
  inputs.push_back(input_of(numbers(70'000, 70'003), nullptr, true));
  inputs.push_back(input_of(numbers(80'000, 80'003)));
  std::optional<Error> failure;
  EXPECT_EQ(read_numbers(*make_joined_source(std::move(inputs), JoinedOrder::as_given, 2), &failure),
            run_of(0, 70'000));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code(), ErrorCode::io_error);

  inputs.clear();
  inputs.push_back(input_of(numbers(0, 5)));
  inputs.push_back(
      {[]() -> Result<std::unique_ptr<FileRecordSource>> { return Error(ErrorCode::not_found, "no"); }, {}});
  failure.reset();
  EXPECT_EQ(read_numbers(*make_joined_source(std::move(inputs), JoinedOrder::any, 1), &failure), run_of(0, 5));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code(), ErrorCode::not_found);
}

TEST(JoinedSources, MayBeLeftAtAnyTime) {
  for (const JoinedOrder order : {JoinedOrder::as_given, JoinedOrder::any}) {
    std::vector<JoinedInput> inputs;
    for (int i = 0; i < 6; ++i) inputs.push_back(input_of(numbers(0, 200'000)));
    const auto source = make_joined_source(std::move(inputs), order, 2);
    EXPECT_NE(*source->next(), nullptr);
  }
}

}  // namespace
}  // namespace dendro
