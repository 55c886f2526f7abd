#include "services/entries/read_recent.h"

#include <gtest/gtest.h>

#include "record/record_batch_builder.h"
#include "services/entries/engine_entry_store.h"
#include "tests/services/entries/memory_store.h"

namespace dendro {
namespace {

struct RecentFixture : testing::Test {
  MemoryStore memory;
  std::unique_ptr<EntryStore> store =
      make_engine_entry_store(memory, [this](const TenantId& tenant) { return memory.snapshot(tenant); });

  void put(std::string message, std::int64_t time_ms, EntrySeverity severity = EntrySeverity::info) {
    NewEntry entry;
    entry.log_id = "id-" + message;
    entry.message = std::move(message);
    entry.severity = severity;
    entry.receive_time = Timestamp(time_ms * kNanosPerMilli);
    store->put(entry, [](const Result<KeptEntry>& kept) { ASSERT_TRUE(kept); });
  }
  EntryPage read(EntryQuery query = {}) { return store->read_recent(query).value(); }
  static std::vector<std::string> messages(const EntryPage& page) {
    std::vector<std::string> texts;
    for (const Entry& entry : page.entries) texts.push_back(entry.message);
    return texts;
  }
};
using Messages = std::vector<std::string>;

TEST_F(RecentFixture, GivesTheNewest100InOrder) {
  for (int i = 0; i < 250; ++i) put(std::to_string(i), 1'000 + i * 7 % 250);
  const EntryPage page = read();
  ASSERT_EQ(page.entries.size(), 100u);
  EXPECT_TRUE(page.next);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(page.entries[i].timestamp_ms, 1'249 - static_cast<std::int64_t>(i));
}

TEST_F(RecentFixture, EqualTimesGoByArrivalAndPagesNeitherRepeatNorSkip) {
  for (int i = 0; i < 10; ++i) put(std::to_string(i), 1'000);
  EntryQuery query;
  query.limit = 3;
  Messages walked;
  for (;;) {
    const EntryPage page = read(query);
    for (const std::string& text : messages(page)) walked.push_back(text);
    put("newer", 2'000);  // what arrives meanwhile moves nothing
    if (!page.next) break;
    query.cursor = *page.next;
  }
  EXPECT_EQ(walked, (Messages{"9", "8", "7", "6", "5", "4", "3", "2", "1", "0"}));
}

TEST_F(RecentFixture, FiltersBySeverity) {
  put("a", 1, EntrySeverity::error);
  put("b", 2, EntrySeverity::warning);
  put("c", 3, EntrySeverity::error);
  EntryQuery query;
  query.severity = EntrySeverity::error;
  EXPECT_EQ(messages(read(query)), (Messages{"c", "a"}));
}

TEST_F(RecentFixture, ARestrictedReaderSeesWhatItsRolesShow) {
  for (int i = 0; i < 10; ++i) put(i % 2 == 0 ? "secret " + std::to_string(i) : "plain " + std::to_string(i), i);
  const auto with = [this](const Access& access) {
    EntryQuery query;
    query.restriction = std::make_shared<const RecordRestriction>(*make_record_restriction(access, Timestamp(1)));
    return read(query);
  };
  EXPECT_EQ(messages(with({{}, {}, {"-secret"}, {}, {}})),
            (Messages{"plain 9", "plain 7", "plain 5", "plain 3", "plain 1"}));
  EntryQuery query;
  query.limit = 2;
  query.restriction =
      std::make_shared<const RecordRestriction>(*make_record_restriction({{}, {}, {"-secret"}, {}, {}}, Timestamp(1)));
  Messages walked;
  for (;;) {
    const EntryPage page = read(query);
    for (const std::string& text : messages(page)) walked.push_back(text);
    if (!page.next) break;
    query.cursor = *page.next;
  }
  EXPECT_EQ(walked, (Messages{"plain 9", "plain 7", "plain 5", "plain 3", "plain 1"}));
  const EntryPage masked = with({{}, {}, {}, {}, {"body"}});
  ASSERT_EQ(masked.entries.size(), 10u);
  for (const Entry& entry : masked.entries) EXPECT_EQ(entry.message, "***");
  EXPECT_EQ(masked.entries[0].log_id, "id-plain 9");
}

TEST_F(RecentFixture, WithoutTheFieldsThatAnEntryIsMadeOfThereIsNoAnswer) {
  const auto is_answered = [](std::vector<std::string> hidden, std::vector<std::string> masked) {
    const auto restriction = make_record_restriction({{}, {}, {}, std::move(hidden), std::move(masked)}, Timestamp(1));
    return check_needed_fields(*restriction, kNeededEntryFields).has_value();
  };
  for (const char* field : {"body", "logId", "severity"}) EXPECT_FALSE(is_answered({field}, {})) << field;
  EXPECT_FALSE(is_answered({}, {"severity"}));
  EXPECT_TRUE(is_answered({"other"}, {"body", "logId"}));
}

TEST_F(RecentFixture, SeesOnlyEntriesOfItsTenant) {
  put("mine", 1);
  RecordBatchBuilder builder(Timestamp(5));
  builder.begin_record();
  builder.add_leaf(LeafRole::attribute, "dendro.source", "dendro.source", Value::of_text("entries"));
  builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("forged"));
  builder.add_label("dendro.source", Value::of_text("ingest"));
  builder.end_record();
  CommitRequest request;
  request.batches = {builder.finish()};
  ASSERT_TRUE(append_and_wait(memory, std::move(request)));
  EXPECT_EQ(messages(read()), Messages{"mine"});
  EntryQuery other;
  other.tenant = *TenantId::parse("other");
  EXPECT_TRUE(read(other).entries.empty());
}

TEST_F(RecentFixture, RefusesACursorThatIsNotOurs) {
  EntryQuery query;
  query.cursor = "x";
  EXPECT_EQ(store->read_recent(query).error().code(), ErrorCode::invalid_argument);
}

TEST(RecentEntriesJson, IsThePrintedOne) {
  EXPECT_EQ(recent_entries_json({}, true), R"({"statusCode":200,"count":0,"logs":[]})");
  EntryPage page;
  page.entries.push_back({"id", 1'706'357'700'000, EntrySeverity::warning, "a \"b\""});
  page.next = "c";
  EXPECT_EQ(
      recent_entries_json(page, false),
      R"({"statusCode":200,"count":1,"logs":[{"logId":"id","timestamp":1706357700000,"datetime":"2024-01-27T12:15:00.000Z","severity":"warning","message":"a \"b\""}]})");
  EXPECT_TRUE(recent_entries_json(page, true).ends_with(R"(],"next":"c"})"));
}

TEST(ParseReadRecent, ChecksEachParameter) {
  EXPECT_EQ(parse_read_recent({"1000", "ERROR", "c"})->limit, 1000u);
  for (const char* limit : {"0", "1001", "-1", "", "1.5", "x", "99999999999999999999"})
    EXPECT_FALSE(parse_read_recent({limit, {}, {}})) << limit;
  EXPECT_FALSE(parse_read_recent({{}, "critical", {}}));
  EXPECT_FALSE(parse_read_recent({{}, {}, ""}));
}

}  // namespace
}  // namespace dendro
