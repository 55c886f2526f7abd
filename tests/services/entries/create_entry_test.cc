#include "services/entries/create_entry.h"

#include <gtest/gtest.h>

#include <regex>

#include "services/entries/engine_entry_store.h"
#include "tests/services/entries/memory_store.h"

namespace dendro {
namespace {

std::string fault_of(std::string_view body) {
  const Result<EntryDraft> draft = parse_entry_draft(body);
  return draft ? "taken" : draft.error().message();
}

std::string entry_body(std::string_view message) {
  return "{\"severity\":\"info\",\"message\":\"" + std::string(message) + "\"}";
}

TEST(CreateEntry, SaysWhatIsWrongInTheOrderOfThePage) {
  for (const char* body : {"", "x", "{", "{\"a\":1} x", "\xFF"})
    EXPECT_EQ(fault_of(body), "Invalid JSON in request body") << body;
  for (const char* body : {"[]", "1", "\"x\"", "null"})
    EXPECT_EQ(fault_of(body), "Request body must be a JSON object") << body;
  EXPECT_EQ(fault_of("{}"), "Missing required field: severity");
  EXPECT_EQ(fault_of(R"({"message":7})"), "Missing required field: severity");
  EXPECT_EQ(fault_of(R"({"severity":7})"), "Missing required field: message");
  EXPECT_EQ(fault_of(R"({"severity":7,"message":7})"), "Severity must be a string");
  EXPECT_EQ(fault_of(R"({"severity":null,"message":"m"})"), "Severity must be a string");
  for (const char* word : {"critical", " info", "", "warn"}) {
    EXPECT_EQ(fault_of(R"({"severity":")" + std::string(word) + R"(","message":7})"),
              "Invalid severity. Must be one of: info, warning, error");
  }
  EXPECT_EQ(fault_of(R"({"severity":"info","message":7})"), "Message must be a string");
  EXPECT_EQ(fault_of(R"({"severity":"info","message":"  \u00a0\u2003\n"})"), "Message cannot be empty");
  EXPECT_EQ(fault_of(entry_body(std::string(20'000, ' '))), "Message cannot be empty");
}

TEST(CreateEntry, CountsCodePointsBeforeTrimming) {
  std::string four_bytes;
  for (int i = 0; i < 10'000; ++i) four_bytes += "\xF0\x9F\x98\x80";
  EXPECT_EQ(fault_of(entry_body(four_bytes)), "taken");
  EXPECT_EQ(fault_of(entry_body(four_bytes + "x")), "Message exceeds maximum length of 10000 characters");
  EXPECT_EQ(fault_of(entry_body(std::string(9'999, 'x') + "  ")), "Message exceeds maximum length of 10000 characters");
}

TEST(CreateEntry, FoldsSeverityAndTrimsTheMessage) {
  const Result<EntryDraft> draft =
      parse_entry_draft(R"({"severity":"ERROR","message":"\u2003 text \n","logId":"x","timestamp":1})");
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->severity, EntrySeverity::error);
  EXPECT_EQ(draft->message, "text");
}

struct CreateFixture : testing::Test {
  MemoryStore memory;
  std::unique_ptr<EntryStore> store =
      make_engine_entry_store(memory, [this](const TenantId& tenant) { return memory.snapshot(tenant); });
  SystemRandom random;
  Result<CreatedEntry> create(std::string body, std::optional<std::string> key = {},
                              std::int64_t now_ms = 1'706'357'700'123) {
    CreateEntryRequest request;
    request.body = body;
    request.retry_key = std::move(key);
    request.receive_time = Timestamp(now_ms * kNanosPerMilli + 999);
    std::optional<Result<CreatedEntry>> outcome;
    create_entry(*store, random, request, [&](Result<CreatedEntry> created) { outcome = std::move(created); });
    return std::move(*outcome);
  }
};

TEST_F(CreateFixture, GivesAVersion4IdAndMilliseconds) {
  const Result<CreatedEntry> created = create(entry_body("m"));
  ASSERT_TRUE(created);
  EXPECT_TRUE(std::regex_match(created->log_id,
                               std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
  EXPECT_EQ(created->timestamp_ms, 1'706'357'700'123);
  EXPECT_FALSE(created->replayed);
}

TEST_F(CreateFixture, ARepeatWithItsKeyStoresNothingAndNamesTheSameEntry) {
  const Result<CreatedEntry> first = create(entry_body("m"), "key-1", 1'000);
  const Result<CreatedEntry> again = create(entry_body("m"), "key-1", 2'000);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->log_id, first->log_id);
  EXPECT_EQ(again->timestamp_ms, 1'000);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(memory.batches().size(), 1u);
  EXPECT_EQ(create(entry_body("other"), "key-1").error().code(), ErrorCode::already_exists);
  EXPECT_NE(create(entry_body("m"), "key-2")->log_id, first->log_id);
  EXPECT_EQ(create(entry_body("m"), std::string(129, 'k')).error().code(), ErrorCode::invalid_argument);
  EXPECT_EQ(create(entry_body("m"), "").error().code(), ErrorCode::invalid_argument);
}

TEST_F(CreateFixture, HandsTheStoresErrorsOn) {
  memory.refuse_with(Error(ErrorCode::unavailable, "shutting down"));
  EXPECT_EQ(create(entry_body("m")).error().code(), ErrorCode::unavailable);
  memory.refuse_with(std::nullopt);
  memory.fail_commits_with(Error(ErrorCode::io_error, "sync failed"));
  EXPECT_EQ(create(entry_body("m")).error().code(), ErrorCode::io_error);
}

}  // namespace
}  // namespace dendro
