// Audit logs as a caller sees them whose roles let it see some rows and fields: every answer is that of a store which
// never held the rest.
#include <algorithm>

#include "services/audit/audit_stream_hub.h"
#include "tests/services/audit/audit_fixture.h"

namespace dendro {
namespace {

AuditLog log_with(int number, std::string type, std::string message) {
  AuditLog log;
  log.id = "65f0c2f1e9a7b4d3300000" + std::to_string(10 + number);
  log.timestamp = kTestTime.next(number / 2 * kNanosPerSecond);  // each time twice
  log.action = static_cast<AuditAction>(static_cast<std::size_t>(number) % kAuditActionCount);
  log.severity = static_cast<AuditSeverity>(static_cast<std::size_t>(number) % kAuditSeverityCount);
  log.resource_type = std::move(type);
  log.resource_id = "r" + std::to_string(number % 3);
  log.message = std::move(message);
  return log;
}

/// Rows of `pay` and `shop`; metadata flat, in lists, and such as cannot be flat.
std::vector<AuditLog> all_logs() {
  std::vector<AuditLog> logs;
  for (int i = 0; i < 12; ++i) {
    AuditLog log = log_with(i, i % 3 == 0 ? "shop" : "pay", "paid " + std::to_string(i));
    log.ip_address = "192.0.2." + std::to_string(i % 2);
    log.user_agent = "agent 4111";
    if (i % 4 == 0) log.metadata = R"({"card":"4111","city":"Bern","user_id":"ann"})";
    if (i % 4 == 1) log.metadata = R"({"parts":[{"card":"4222"}],"tags":[{"word":"needle"}],"n":1})";
    if (i % 4 == 2) log.metadata = R"({"card":"4333"})";
    if (i % 4 == 3) log.before_state = R"({"card":{"number":"4444"},"name":"n"})";
    logs.push_back(std::move(log));
  }
  return logs;
}

/// What is left of a log under hidden metadata.card, metadata.parts.card, before_state.card, user_agent and a masked
/// ip_address. A list that may hold a card goes whole.
AuditLog without_hidden(AuditLog log, int number) {
  log.user_agent.reset();
  log.ip_address = "***";
  if (number % 4 == 0) log.metadata = R"({"city":"Bern","user_id":"ann"})";
  if (number % 4 == 1) log.metadata = R"({"tags":[{"word":"needle"}],"n":1})";
  if (number % 4 == 2) log.metadata = "{}";
  if (number % 4 == 3) log.before_state = R"({"card":{},"name":"n"})";
  return log;
}

const Access kFieldsAccess{{Permission::search},
                           {},
                           {},
                           {"metadata.card", "metadata.parts.card", "before_state.card", "user_agent"},
                           {"ip_address"}};

struct RestrictedAuditTest : testing::Test {
  struct Side : AuditFixture {
    void TestBody() override {}
    void put_all(const std::vector<AuditLog>& logs) {
      for (std::size_t i = 0; i < logs.size(); ++i) {
        AuditPut put;
        put.logs = {logs[i]};
        put.receive_time = kTestTime;
        std::promise<bool> stored;
        store->put(std::move(put),
                   [&stored](const Result<AuditPutReply>& reply) { stored.set_value(reply.has_value()); });
        ASSERT_TRUE(stored.get_future().get());
        if (i == logs.size() / 2) flush();  // half in a segment, half in memory
      }
    }
  };
  static AuditReader reader_of(const Access& access) {
    auto restriction = make_record_restriction(access, kTestTime);
    EXPECT_TRUE(restriction.has_value());
    return AuditReader(TenantId::default_tenant(), std::make_shared<const RecordRestriction>(std::move(*restriction)));
  }

  std::vector<AuditFilter> filters() {
    std::vector<AuditFilter> all = {AuditFilter()};
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"action", "UPDATE"},
                                                                                      {"severity", "ERROR"},
                                                                                      {"resource_type", "pay"},
                                                                                      {"resource_id", "r1"},
                                                                                      {"user_id", "ann"},
                                                                                      {"ip_address", "***"},
                                                                                      {"search", "4111"},
                                                                                      {"search", "4222"},
                                                                                      {"ip_address", "192.0.2.1"},
                                                                                      {"search", "4333"},
                                                                                      {"search", "4444"},
                                                                                      {"search", "needle"},
                                                                                      {"search", "Bern paid"},
                                                                                      {"search", "\"paid 4\""}}) {
      all.push_back(full.filter({{name, value}}));
    }
    return all;
  }
  /// Everything that can be asked, of both sides.
  void expect_same(const AuditReader& restricted) {
    const AuditReader plain{TenantId::default_tenant()};
    for (const AuditFilter& filter : filters()) {
      for (std::uint64_t skip = 0; skip < 6; skip += 3) {
        AuditPageRequest request;
        request.skip = skip;
        request.limit = 4;
        request.now = kTestTime;
        const auto wanted = some.store->list(request, filter);
        request.restriction = restricted.restriction;
        const auto seen = full.store->list(request, filter);
        ASSERT_TRUE(wanted.has_value() && seen.has_value());
        EXPECT_EQ(seen->rows, wanted->rows);
        EXPECT_EQ(seen->total, wanted->total);
        EXPECT_EQ(seen->next_cursor.has_value(), wanted->next_cursor.has_value());
      }
      EXPECT_EQ(exported(full, restricted, filter), exported(some, plain, filter));
      const auto seen = full.store->stats(restricted, filter, {true, true, true, true}, CancelToken());
      const auto wanted = some.store->stats(plain, filter, {true, true, true, true}, CancelToken());
      ASSERT_TRUE(seen.has_value() && wanted.has_value());
      EXPECT_EQ(seen->total, wanted->total);
      EXPECT_EQ(seen->by_severity, wanted->by_severity);
      EXPECT_EQ(seen->by_action, wanted->by_action);
      EXPECT_EQ(seen->by_resource_type, wanted->by_resource_type);
      EXPECT_EQ(seen->by_day, wanted->by_day);
    }
    for (const AuditLog& log : all_logs()) {
      EXPECT_EQ(*full.store->get(restricted, log.id, CancelToken()), *some.store->get(plain, log.id, CancelToken()));
      EXPECT_EQ(full.store->place_of(restricted, log.id)->has_value(),
                some.store->place_of(plain, log.id)->has_value());
    }
    EXPECT_EQ(streamed(full, restricted), streamed(some, plain));
  }
  static std::vector<AuditLog> exported(Side& side, const AuditReader& reader, const AuditFilter& filter) {
    const auto source = side.store->read_all(reader, filter, CancelToken());
    std::vector<AuditLog> logs;
    for (auto log = (*source)->next(); log && log->has_value(); log = (*source)->next()) logs.push_back(**log);
    return logs;
  }
  static std::vector<AuditLog> streamed(Side& side, const AuditReader& reader) {
    std::vector<AuditLog> logs;
    for (StoredPlace after;;) {
      const auto page = side.store->read_stored(reader, after, {3, 1 << 20}, CancelToken());
      for (const StoredAuditLog& stored : page->logs) logs.push_back(stored.log);
      if (page->at_end) return logs;
      after = page->through;
    }
  }

  Side full, some;
};

TEST_F(RestrictedAuditTest, RowsOutsideTheFilterAreNotThere) {
  full.put_all(all_logs());
  std::vector<AuditLog> seen = all_logs();
  std::erase_if(seen, [](const AuditLog& log) { return log.resource_type != "pay"; });
  ASSERT_EQ(seen.size(), 8u);
  some.put_all(seen);
  expect_same(reader_of({{Permission::search}, {}, {"resource_type:=pay"}, {}, {}}));
}

TEST_F(RestrictedAuditTest, FieldsAreAsIfTheyHadNeverBeenSent) {
  full.put_all(all_logs());
  std::vector<AuditLog> seen;
  for (int i = 0; const AuditLog& log : all_logs()) seen.push_back(without_hidden(log, i++));
  some.put_all(seen);
  expect_same(reader_of(kFieldsAccess));
}

TEST_F(RestrictedAuditTest, BothAtOnce) {
  full.put_all(all_logs());
  std::vector<AuditLog> seen;
  for (int i = 0; const AuditLog& log : all_logs()) {
    if (log.resource_type == "pay") seen.push_back(without_hidden(log, i));
    ++i;
  }
  some.put_all(seen);
  Access access = kFieldsAccess;
  access.row_filters = {"resource_type:=pay"};
  expect_same(reader_of(access));
}

TEST_F(RestrictedAuditTest, ObjectsThatCannotBeFlatGoWhole) {
  AuditLog log = log_with(0, "pay", "paid");
  log.metadata = R"({"a.b":"one","a":{"b":"two"},"card":"4111"})";  // a path twice
  full.put_all({log});
  const AuditReader reader = reader_of(kFieldsAccess);
  EXPECT_EQ((*full.store->get(reader, log.id, CancelToken()))->metadata, std::nullopt);
  EXPECT_TRUE(exported(full, reader, full.filter({{"search", "4111"}})).empty());
  EXPECT_EQ(exported(full, AuditReader(), full.filter({{"search", "4111"}})).size(), 1u);
}

TEST_F(RestrictedAuditTest, ALiveStreamShowsTheSame) {
  WorkerPool workers(2, 64);
  const auto hub = AuditStreamHub::start(*full.store, workers);
  const AuditReader reader = reader_of({{Permission::stream}, {}, {"resource_type:=pay"}, {"user_agent"}, {}});
  struct Inbox {
    Mutex mutex;
    CondVar came;
    int wakes = 0;
  };
  const auto inbox = std::make_shared<Inbox>();
  const auto open = [&](const AuditReader& of_reader) {
    const auto wake = [inbox] {
      MutexLock lock(inbox->mutex);
      ++inbox->wakes;
      inbox->came.notify_all();
    };
    return hub->open({of_reader.tenant, {}, {}, of_reader.restriction}, wake).value();
  };
  const auto restricted = open(reader), plain = open(AuditReader()), same = open(reader);
  full.put_all(all_logs());
  const auto read = [&](AuditStreamSession& session, std::size_t count) {
    std::vector<std::string> frames;
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (frames.size() < count && std::chrono::steady_clock::now() < last) {
      for (const auto& frame : session.take(1 << 20)) frames.push_back(*frame);
      MutexLock lock(inbox->mutex);
      if (frames.size() < count && inbox->wakes == 0) inbox->came.wait_for(inbox->mutex, std::chrono::milliseconds(50));
      inbox->wakes = 0;
    }
    return frames;
  };
  EXPECT_EQ(read(*plain, 12).size(), 12u);
  const std::vector<std::string> frames = read(*restricted, 8);
  EXPECT_EQ(frames.size(), 8u);
  for (const std::string& frame : frames) {
    EXPECT_EQ(frame.find("\"shop\""), std::string::npos);
    EXPECT_EQ(frame.find("agent 4111"), std::string::npos);
  }
  EXPECT_EQ(read(*same, 8), frames);
  const AuditLog first = all_logs()[0];  // of shop
  EXPECT_EQ(hub->open({reader.tenant, {}, first.id, reader.restriction}, [] {}).error().code(), ErrorCode::not_found)
      << "a log that is not seen is no place to resume at";
  for (const auto& session : {restricted, plain, same}) session->close();
  hub->stop();
}

TEST_F(RestrictedAuditTest, WithoutTheFieldsThatALogIsMadeOfThereIsNoAnswer) {
  const auto is_answered = [](std::vector<std::string> hidden, std::vector<std::string> masked) {
    const auto restriction = make_record_restriction({{}, {}, {}, std::move(hidden), std::move(masked)}, kTestTime);
    return check_needed_fields(*restriction, kNeededAuditFields).has_value();
  };
  for (const char* field : {"id", "action", "severity", "resource_type", "resource_id", "body"}) {
    EXPECT_FALSE(is_answered({field}, {})) << field;
  }
  for (const char* field : {"id", "action", "severity"}) EXPECT_FALSE(is_answered({}, {field})) << field;
  EXPECT_TRUE(is_answered({"metadata", "ip_address"}, {"body", "resource_id"}));
}

}  // namespace
}  // namespace dendro
