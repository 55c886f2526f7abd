// The audit log on the engine: pipeline, store, retention and trail over a store on files in memory.
#include <algorithm>
#include <random>
#include <set>

#include "base/hex.h"
#include "services/audit/access_trail.h"
#include "services/audit/audit_predicate.h"
#include "services/audit/audit_retention.h"
#include "services/audit/page_fill.h"
#include "services/audit/record_rows.h"
#include "tests/services/audit/audit_fixture.h"

namespace dendro {
namespace {

const TenantId kOtherTenant = TenantId::parse("other").value();

class AuditStoreTest : public AuditFixture {};

std::string numbered_logs(int first, int last) {
  std::string logs;
  for (int i = first; i < last; ++i) {
    logs += (logs.empty() ? "" : ",") +
            std::string(R"({"action":"VIEW","resource_type":"t","resource_id":"r","message":"m)") + std::to_string(i) +
            "\"}";
  }
  return logs;
}

TEST_F(AuditStoreTest, GivesBackWhatCameInAlsoFromSegments) {
  const std::string body =
      R"({"action":"DELETE","resource_type":"file","resource_id":"/a b","message":"gone","severity":"WARNING","session_id":"","user_id":"u",)"
      R"("ip_address":"unknown","user_agent":"x/1","request_id":"r","before_state":{"size":1.0,"owner":{"password":"p","name":"n"}},)"
      R"("after_state":{},"metadata":{"user_id":7,"list":[1,{"a":"b"}],"deep":{"deeper":{"x":null}},"":"empty"}})";
  ASSERT_TRUE(create(body).faults.empty());
  AuditLog wanted = list().rows.at(0);
  EXPECT_EQ(wanted.timestamp, kTestTime);
  EXPECT_EQ(wanted.before_state, R"({"size":1.0,"owner":{"password":"***","name":"n"}})");
  EXPECT_EQ(wanted.after_state, "{}");
  EXPECT_EQ(wanted.metadata, R"({"user_id":7,"list":[1,{"a":"b"}],"deep":{"deeper":{"x":null}},"":"empty"})");
  EXPECT_EQ(wanted.message + *wanted.session_id + *wanted.user_id + *wanted.user_agent, "goneux/1");
  flush();
  reopen();
  EXPECT_EQ(list().rows.at(0), wanted);
  EXPECT_EQ(**store->get(TenantId::default_tenant(), wanted.id, CancelToken()), wanted);
}

TEST_F(AuditStoreTest, KeepsObjectsThatCannotBeFlat) {
  std::string wide = "{\"user_id\":\"deep-user\"";
  for (int i = 0; i < 900; ++i) wide += ",\"k" + std::to_string(i) + "\":{\"v\":\"value" + std::to_string(i) + "\"}";
  wide += "}";
  const std::string twice = R"({"a.b":"one","a":{"b":"two"}})";
  const std::string long_name = "{\"" + std::string(600, 'n') + "\":\"longish\"}";
  std::string deep = "\"bottom\"";
  for (int i = 0; i < 40; ++i) deep = "{\"d\":" + deep + "}";
  for (const std::string& metadata : {wide, twice, long_name, deep}) {
    ASSERT_TRUE(create(audit_json("\"metadata\":" + metadata + ",")).faults.empty());
    EXPECT_EQ(list().rows.at(0).metadata, metadata);
  }
  for (const bool is_flushed : {false, true}) {
    if (is_flushed) flush();
    EXPECT_EQ(list(filter({{"search", "value899"}})).rows.size(), 1u);
    EXPECT_EQ(list(filter({{"search", "two"}})).rows.size(), 1u);
    EXPECT_EQ(list(filter({{"search", "longish"}})).rows.size(), 1u);
    EXPECT_EQ(list(filter({{"search", "bottom"}})).rows.size(), 1u);
    EXPECT_EQ(list(filter({{"user_id", "deep-user"}})).rows.size(), 1u);
  }
}

TEST_F(AuditStoreTest, PagesOverEqualTimesGiveEachLogOnce) {
  ASSERT_EQ(create_bulk(numbered_logs(0, 250)).message_ids.size(), 250u);
  flush();
  ASSERT_EQ(create_bulk(numbered_logs(250, 500)).message_ids.size(), 250u);
  std::vector<std::string> wanted;
  for (int i = 499; i >= 0; --i) wanted.push_back("m" + std::to_string(i));
  std::vector<std::string> by_skip;
  for (std::uint64_t skip = 0; skip < 500; skip += 70) {
    const auto page = list({}, skip, 70);
    EXPECT_EQ(page.total, 500u);
    EXPECT_EQ(page.next_cursor.has_value(), skip + 70 < 500);
    for (const AuditLog& log : page.rows) by_skip.push_back(log.message);
  }
  EXPECT_EQ(by_skip, wanted);
  std::vector<std::string> by_cursor;
  std::string cursor;
  do {
    // What arrives meanwhile is above the cursor.
    if (by_cursor.size() == 280) ASSERT_TRUE(create(audit_json()).faults.empty());
    const auto page = list({}, 0, 70, cursor);
    EXPECT_EQ(page.total, by_cursor.size() < 280 ? 500u : 501u);
    for (const AuditLog& log : page.rows) by_cursor.push_back(log.message);
    cursor = page.next_cursor.value_or("");
  } while (!cursor.empty());
  EXPECT_EQ(by_cursor, wanted);
  std::set<std::string> ids;
  for (const AuditLog& log : list().rows) ids.insert(log.id);
  EXPECT_EQ(ids.size(), 501u);
  EXPECT_TRUE(list({}, 501, 10).rows.empty());
  EXPECT_EQ(list({}, 501, 10).total, 501u);
}

TEST_F(AuditStoreTest, PagesOfASearchCountWhatMatchesOnly) {
  std::string logs;
  for (int i = 0; i < 30; ++i) {
    logs += R"({"action":"VIEW","resource_type":"t","resource_id":"r","message":"needle )" + std::to_string(i) + "\"},";
    logs += R"({"action":"VIEW","resource_type":"t","resource_id":"r","message":"needles","user_agent":"needle"},)";
  }
  logs.pop_back();
  ASSERT_EQ(create_bulk(logs).message_ids.size(), 60u);
  const AuditFilter needle = filter({{"search", "NEEDLE"}});
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = list(needle, 0, 7, cursor);
    EXPECT_EQ(page.total, 30u);
    for (const AuditLog& log : page.rows) seen.push_back(log.message);
    cursor = page.next_cursor.value_or("");
  } while (!cursor.empty());
  ASSERT_EQ(seen.size(), 30u);
  EXPECT_EQ(seen.front(), "needle 29");
  EXPECT_EQ(seen.back(), "needle 0");
  EXPECT_EQ(messages_of(list(needle, 10, 2).rows), (std::vector<std::string>{"needle 19", "needle 18"}));
  EXPECT_EQ(store->stats(TenantId::default_tenant(), needle, {}, CancelToken())->total, 30u);
}

TEST_F(AuditStoreTest, ACursorOfAnotherQueryIsRefused) {
  ASSERT_EQ(create_bulk(numbered_logs(0, 5)).message_ids.size(), 5u);
  AuditPageRequest request;
  request.limit = 2;
  request.now = engine.clock.now();
  request.cursor = list({}, 0, 2).next_cursor.value();
  EXPECT_TRUE(store->list(request, {}).has_value());
  EXPECT_EQ(store->list(request, filter({{"action", "VIEW"}})).error().code(), ErrorCode::invalid_argument);
  request.cursor = "zzz";
  EXPECT_EQ(store->list(request, {}).error().code(), ErrorCode::invalid_argument);
}

TEST_F(AuditStoreTest, ATenantSeesNothingOfAnother) {
  ASSERT_TRUE(create(audit_json()).faults.empty());
  ASSERT_TRUE(create(audit_json(), kOtherTenant).faults.empty());
  const AuditLog own = list().rows.at(0);
  const AuditLog foreign = list({}, 0, 10, {}, kOtherTenant).rows.at(0);
  EXPECT_EQ(list().total, 1u);
  EXPECT_EQ(foreign.tenant, kOtherTenant);
  EXPECT_FALSE(store->get(TenantId::default_tenant(), foreign.id, CancelToken())->has_value());
  EXPECT_FALSE(store->place_of(TenantId::default_tenant(), foreign.id)->has_value());
  EXPECT_TRUE(store->get(TenantId::default_tenant(), own.id, CancelToken())->has_value());
}

TEST_F(AuditStoreTest, ARetryStoresNothingAgainAndNamesTheSameIds) {
  const auto first = create(audit_json(), TenantId::default_tenant(), "key");
  EXPECT_FALSE(first.replayed);
  engine.clock.advance(std::chrono::seconds(5));
  flush();
  reopen();
  const auto again = create(audit_json(), TenantId::default_tenant(), "key");
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.message_ids, first.message_ids);
  EXPECT_EQ(list().total, 1u);
  EXPECT_EQ(create(audit_json("\"user_id\":\"x\","), TenantId::default_tenant(), "key").error->code(),
            ErrorCode::already_exists);
  EXPECT_FALSE(create(audit_json(), kOtherTenant, "key").replayed);
  const std::string bad = numbered_logs(0, 2) + ",7";
  const auto bulk = create_bulk(bad, "bulk");
  EXPECT_EQ(create_bulk(bad, "bulk").message_ids, bulk.message_ids);
  EXPECT_EQ(list().total, 3u);
  EXPECT_EQ(count_source("dead_letter"), 1u);
  EXPECT_EQ(create(audit_json(), TenantId::default_tenant(), "").faults.at(0).field, "idempotency-key");
  EXPECT_EQ(create(audit_json(), TenantId::default_tenant(), std::string(129, 'k')).faults.at(0).place, "header");
}

TEST_F(AuditStoreTest, BadLogsOfABulkBecomeDeadLettersWithoutTheirSecrets) {
  const auto outcome = create_bulk(R"({"action":"VIEW","password":"hunter2","resource_type":"t","resource_id":"r"},)" +
                                   numbered_logs(0, 1) + R"(,"text")");
  EXPECT_EQ(outcome.message_ids.size(), 1u);
  ASSERT_EQ(outcome.rejected.size(), 2u);
  EXPECT_EQ(outcome.rejected[0].index, 0u);
  EXPECT_EQ(outcome.rejected[0].faults.at(0).field, "message");
  EXPECT_EQ(outcome.rejected[1].index, 2u);
  EXPECT_EQ(list().total, 1u);
  EXPECT_EQ(count_source("dead_letter"), 2u);
  const auto snapshot = engine.store->snapshot(TenantId::default_tenant());
  const auto blocks = (*snapshot)->scan({});
  for (auto block = blocks->next(); block && block->has_value(); block = blocks->next()) {
    EXPECT_EQ((*block)->batch->encoded().find("hunter2"), std::string::npos);
  }
  const auto all_bad = create_bulk("7,8");
  EXPECT_EQ(all_bad.faults.size(), 2u);
  EXPECT_TRUE(all_bad.message_ids.empty());
  EXPECT_EQ(count_source("dead_letter"), 4u);
  EXPECT_EQ(pipeline->logs_taken(), 1u);
  EXPECT_EQ(pipeline->logs_rejected(), 4u);
}

TEST_F(AuditStoreTest, AStoreThatIsFullRefusesTheWholeBulk) {
  engine.options.free_bytes_min = UINT64_MAX / 2;
  reopen();
  const auto outcome = create_bulk(numbered_logs(0, 3) + ",7");
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), ErrorCode::storage_full);
  EXPECT_TRUE(list().rows.empty());
  EXPECT_EQ(count_source("dead_letter"), 0u);
}

/// Random logs and filters: what the engine gives is what the filter says of each log.
TEST_F(AuditStoreTest, FiltersAndStatisticsAgreeWithThePlainModel) {
  const char* given = std::getenv("DENDRO_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 chance(seed);
  const auto pick = [&chance](const std::vector<std::string>& from) { return from[chance() % from.size()]; };
  const std::vector<std::string> words = {"alpha",     "beta", "Alpha-beta", "10.0.0.1",
                                          "caf\u00e9", "_x",   "7",          "\\\"q\\\""};
  const std::vector<std::string> severities = {"INFO", "WARNING", "ERROR", "CRITICAL"};
  const std::vector<std::string> actions = {"CREATE", "UPDATE", "DELETE", "VIEW", "LOGIN",
                                            "LOGOUT", "IMPORT", "EXPORT", "READ"};
  const auto maybe = [&](const std::string& name) {
    return chance() % 2 == 0 ? std::string() : "\"" + name + "\":\"" + pick(words) + "\",";
  };
  std::vector<AuditLog> model;
  for (int batch = 0; batch < 12; ++batch) {
    std::string logs;
    for (int i = 0; i < 20; ++i) {
      std::string metadata;
      if (chance() % 2 == 0) {
        metadata =
            "\"metadata\":{\"user_id\":" + (chance() % 2 == 0 ? "[\"" + pick(words) + "\",7]" : std::string("7")) +
            ",\"n\":[{\"in\":\"" + pick(words) + " " + pick(words) + "\"}]},";
      }
      logs += (logs.empty() ? "{" : ",{") + maybe("session_id") + maybe("user_id") + maybe("ip_address") +
              maybe("request_id") + metadata + R"("severity":")" + pick(severities) + R"(","action":")" +
              pick(actions) + R"(","resource_type":")" + pick(words) + R"(","resource_id":")" + pick(words) +
              R"(","message":")" + pick(words) + " " + pick(words) + "\"}";
    }
    const std::size_t before = list().total;
    ASSERT_EQ(create_bulk(logs).message_ids.size(), 20u);
    const auto added = list({}, 0, 20).rows;
    ASSERT_EQ(list().total, before + 20);
    model.insert(model.begin(), added.begin(), added.end());
    engine.clock.advance(std::chrono::hours(chance() % 20));
    if (batch == 5 || batch == 9) flush();
  }
  const std::vector<std::string> plain = {"alpha", "beta", "Alpha-beta", "10.0.0.1", "caf\u00e9", "_x", "7", "\"q\""};
  for (int round = 0; round < 150; ++round) {
    std::vector<std::pair<std::string, std::string>> params;
    for (const char* name : {"resource_type", "resource_id", "session_id", "user_id", "ip_address", "request_id"}) {
      if (chance() % 6 == 0) params.emplace_back(name, pick(plain));
    }
    if (chance() % 4 == 0) params.emplace_back("action", pick(actions));
    if (chance() % 4 == 0) params.emplace_back("severity", pick(severities));
    if (chance() % 3 == 0)
      params.emplace_back("search", pick({"ALPHA", "beta", "x", "\"beta alpha\"", "CAF\u00c9", "q 7", "lph"}));
    if (chance() % 3 == 0) params.emplace_back("start_time", audit_time_text(model[chance() % model.size()].timestamp));
    const AuditFilter wanted_by = filter(params);
    std::vector<AuditLog> wanted;
    for (const AuditLog& log : model) {
      if (wanted_by.matches(log)) wanted.push_back(log);
    }
    std::string text;
    for (const auto& [name, value] : params) text += name + "=" + value + " ";
    const auto page = list(wanted_by);
    ASSERT_EQ(page.rows, wanted) << text;
    ASSERT_EQ(page.total, wanted.size()) << text;
    AuditStats counted;
    for (const AuditLog& log : wanted) {
      ++counted.by_severity[static_cast<std::size_t>(log.severity)];
      ++counted.by_action[static_cast<std::size_t>(log.action)];
      ++counted.by_resource_type[log.resource_type];
      ++counted.by_day[day_start(log.timestamp)];
    }
    const auto stats = store->stats(TenantId::default_tenant(), wanted_by, {true, true, true, true}, CancelToken());
    ASSERT_TRUE(stats.has_value()) << stats.error().message();
    EXPECT_EQ(stats->total, wanted.size()) << text;
    EXPECT_EQ(stats->by_severity, counted.by_severity) << text;
    EXPECT_EQ(stats->by_action, counted.by_action) << text;
    EXPECT_EQ(stats->by_resource_type, counted.by_resource_type) << text;
    EXPECT_EQ(stats->by_day, counted.by_day) << text;
    std::vector<AuditLog> exported;
    const auto source = store->read_all(TenantId::default_tenant(), wanted_by, CancelToken());
    for (auto log = (*source)->next(); log && log->has_value(); log = (*source)->next()) exported.push_back(**log);
    EXPECT_EQ(exported, wanted) << text;
  }
}

TEST_F(AuditStoreTest, CleaningUpTakesExactlyWhatIsOlder) {
  const Timestamp start = engine.clock.now();
  for (int day = 0; day < 40; ++day) {
    engine.clock.set_now(Timestamp(start.number() + day * kNanosPerDay));
    ASSERT_TRUE(create(audit_json("\"request_id\":\"" + std::to_string(day) + "\",")).faults.empty());
    ASSERT_TRUE(create(audit_json(), kOtherTenant).faults.empty());
    if (day == 20) flush();
  }
  CommitRequest native = make_request({{"not an audit log"}});
  ASSERT_TRUE(append_and_wait(*engine.store, std::move(native)).has_value());
  // A log of exactly that age stays.
  const Timestamp cutoff = audit_cutoff(engine.clock.now(), 30);
  const TenantId& own = TenantId::default_tenant();
  EXPECT_EQ(*store->count_older(own, cutoff, CancelToken()), 9u);
  EXPECT_EQ(list().total, 40u);
  EXPECT_EQ(*store->delete_older(own, cutoff), 9u);
  EXPECT_EQ(*store->delete_older(own, cutoff), 0u);
  for (int pass = 0; pass < 3; ++pass) {
    const auto page = list();
    EXPECT_EQ(page.total, 31u);
    EXPECT_EQ(page.rows.back().request_id, "9");
    EXPECT_EQ(list({}, 0, 100, {}, kOtherTenant).total, 40u);
    EXPECT_EQ(count_source("audit"), 31u);
    const auto snapshot = engine.store->snapshot(own);
    EXPECT_EQ(run_scan(**snapshot).bodies.size(), 32u) << "the record of another source is gone";
    if (pass == 0) reopen();
    if (pass == 1) ASSERT_TRUE(engine.store->compact(CompactionScope::all_final).has_value());
  }
}

TEST_F(AuditStoreTest, RetentionFollowsEachTenantsDays) {
  const Timestamp start = engine.clock.now();
  for (int day = 0; day < 10; ++day) {
    engine.clock.set_now(Timestamp(start.number() + day * kNanosPerDay));
    ASSERT_TRUE(create(audit_json()).faults.empty());
    ASSERT_TRUE(create(audit_json(), kOtherTenant).faults.empty());
  }
  bool believes_clock = false;
  AuditRetention retention({*store, engine.clock,
                            [](const TenantId& tenant) {
                              AuditTenantSettings chosen;
                              chosen.retention_days = tenant == kOtherTenant ? 3 : 5;
                              return chosen;
                            },
                            [] { return std::vector<TenantId>{TenantId::default_tenant(), kOtherTenant}; },
                            [&believes_clock] { return believes_clock; }});
  retention.run_once();
  EXPECT_EQ(list().total, 10u);
  believes_clock = true;
  retention.start();
  while (list({}, 0, 1, {}, kOtherTenant).total != 4) std::this_thread::yield();
  EXPECT_EQ(list().total, 6u);
}

TEST_F(AuditStoreTest, TheTrailKeepsWhatWasUsedByTenant) {
  const auto trail = make_engine_access_trail(*engine.store, engine.clock, engine.random);
  const auto record = [&](const std::string& action, const TenantId& tenant, bool has_user = true) {
    AccessEntry entry;
    entry.tenant = tenant;
    entry.timestamp = engine.clock.now();
    if (has_user) entry.user_id = "key:1";
    if (has_user) entry.token_id = "t1";
    entry.action = action;
    entry.resource_path = "/api/v1/logs";
    entry.query_params = {{"search", "x"}, {"token", "hush"}};
    entry.ip_address = "10.0.0.1";
    entry.request_id = "r";
    std::promise<Status> promise;
    trail->record(std::move(entry), [&promise](Status status) { promise.set_value(std::move(status)); });
    EXPECT_TRUE(promise.get_future().get().has_value());
  };
  for (int i = 0; i < 5; ++i) record("list_logs", TenantId::default_tenant());
  record("get_log", kOtherTenant);
  record("export_logs", TenantId::default_tenant(), false);
  AuditPageRequest request;
  request.limit = 4;
  request.now = engine.clock.now();
  const auto page = trail->list(request, {});
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->total, 6u);
  std::string newest, second;
  append_access_row_json(newest, page->rows.at(0));
  append_access_row_json(second, page->rows.at(1));
  EXPECT_EQ(newest.substr(32),
            R"(,"timestamp":"2023-11-14T22:13:20.000000Z","tenant_id":"default","user_id":null,"token_id":null,)"
            R"("action":"export_logs","resource_path":"/api/v1/logs","query_params":{"search":"x","token":"***"},)"
            R"("ip_address":"10.0.0.1","request_id":"r"})")
      << newest;
  EXPECT_NE(second.find(R"("user_id":"key:1","token_id":"t1")"), std::string::npos) << second;
  request.cursor = page->next_cursor.value();
  EXPECT_EQ(trail->list(request, {})->rows.size(), 2u);
  request.cursor.clear();
  AccessFilter filter;
  filter.action = "list_logs";
  EXPECT_EQ(trail->list(request, filter)->total, 5u);
  EXPECT_EQ(list().total, 0u) << "entries of the trail are no logs";
}

TEST_F(AuditStoreTest, StatisticsHaveABoundOnResourceTypes) {
  make({.limits = {}, .resource_types_max = 2});
  for (const char* type : {"a", "b"}) {
    ASSERT_TRUE(create(audit_json("\"metadata\":{\"k\":\"word\"},\"resource_type\":\"x\",")).faults.empty());
    AuditPut put;
    put.receive_time = engine.clock.now();
    put.logs.push_back(list().rows.at(0));
    put.logs.back().resource_type = type;
    put.logs.back().metadata = R"({"k":"word"})";
    std::promise<Result<AuditPutReply>> promise;
    store->put(std::move(put), [&promise](Result<AuditPutReply> reply) { promise.set_value(std::move(reply)); });
    ASSERT_TRUE(promise.get_future().get().has_value());
  }
  const TenantId& own = TenantId::default_tenant();
  EXPECT_EQ(store->stats(own, {}, {.resource_type = true}, CancelToken()).error().code(), ErrorCode::too_large);
  EXPECT_EQ(store->stats(own, filter({{"search", "word"}}), {}, CancelToken()).error().code(), ErrorCode::too_large);
  EXPECT_TRUE(store->stats(own, filter({{"resource_type", "a"}}), {.resource_type = true}, CancelToken()).has_value());
}

TEST_F(AuditStoreTest, DamageIsLeftOutAndSaid) {
  ASSERT_EQ(create_bulk(numbered_logs(0, 10)).message_ids.size(), 10u);
  flush();
  for (const std::string& day : engine.list("/t/default")) {
    for (const std::string& name : engine.list("/t/default/" + day)) {
      engine.files->damage("/data/t/default/" + day + "/" + name, 70);
    }
  }
  reopen();
  ASSERT_EQ(create_bulk(numbered_logs(10, 12)).message_ids.size(), 2u);
  const auto page = list();
  EXPECT_EQ(messages_of(page.rows), (std::vector<std::string>{"m11", "m10"}));
  EXPECT_FALSE(page.is_complete);
  EXPECT_FALSE(store->stats(TenantId::default_tenant(), filter({{"search", "m5"}}), {}, CancelToken())->is_complete);
  const auto source = store->read_all(TenantId::default_tenant(), {}, CancelToken());
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ((*(*source)->next())->message, "m11");
  EXPECT_EQ((*(*source)->next())->message, "m10");
  EXPECT_EQ((*source)->next().error().code(), ErrorCode::corruption);
}

TEST_F(AuditStoreTest, ReadingEndsWhereItMust) {
  ASSERT_EQ(create_bulk(numbered_logs(0, 10)).message_ids.size(), 10u);
  RecordScope scope{*engine.store->snapshot(TenantId::default_tenant()),
                    source_predicate("audit"),
                    {},
                    {},
                    {},
                    std::chrono::seconds(30)};
  const auto first = [&](const RecordScope& of) -> Result<const RecordRow*> {
    auto rows = RecordRows::open(of, 0, {}, engine.clock.now(), engine.clock);
    if (!rows) return rows.error();
    return (*rows)->next();
  };
  const auto counted = [&](const RecordScope& of) { return count_records(of, {}, engine.clock.now(), engine.clock); };
  EXPECT_TRUE(first(scope).has_value());
  EXPECT_EQ(count_of_row(counted(scope)->rows.at(0)), 10u);
  RecordScope late = scope;
  late.timeout = std::chrono::milliseconds(0);
  EXPECT_EQ(first(late).error().code(), ErrorCode::deadline_exceeded);
  EXPECT_EQ(counted(late).error().code(), ErrorCode::deadline_exceeded);
  RecordScope left = scope;
  left.cancel.cancel();
  EXPECT_EQ(first(left).error().code(), ErrorCode::cancelled);
  EXPECT_EQ(counted(left).error().code(), ErrorCode::cancelled);
  RecordScope poor = scope;
  poor.cancel = CancelToken();
  poor.limits.memory_bytes_max = 1;
  EXPECT_EQ(first(poor).error().code(), ErrorCode::resource_exhausted);
}

/// Gives the same large log for ever.
struct LargeRows {
  AuditLog log;
  Result<std::optional<AuditLog>> next() { return std::optional(log); }
  std::string cursor() const { return "c"; }
};

TEST(PageFill, APageHasABoundOnItsBytes) {
  LargeRows rows;
  rows.log.message = std::string(std::size_t{8} << 20, 'x');
  AuditPage<AuditLog> page;
  AuditPageRequest request;
  request.limit = 7;
  EXPECT_TRUE(fill_page(page, request, rows, false).has_value());
  EXPECT_EQ(page.next_cursor, "c");
  page = {};
  request.limit = 8;
  EXPECT_EQ(fill_page(page, request, rows, false).error().code(), ErrorCode::too_large);
}

TEST_F(AuditStoreTest, TheStreamsPageOfTheStoreIsInOrderOfStoring) {
  std::vector<std::string> wanted;
  for (int i = 0; i < 60; ++i) {
    // Times that fall while places rise.
    engine.clock.set_now(Timestamp(kTestTime.number() - i * kNanosPerSecond));
    ASSERT_TRUE(create(audit_json("\"request_id\":\"" + std::to_string(i) + "\",")).faults.empty());
    ASSERT_TRUE(create(audit_json(), kOtherTenant).faults.empty());
    wanted.push_back(std::to_string(i));
    if (i == 30) flush();
  }
  const TenantId& own = TenantId::default_tenant();
  std::vector<std::string> seen;
  StoredPlace place;
  bool at_end = false;
  while (!at_end) {
    const auto page = store->read_stored(own, place, {7, 1 << 20}, CancelToken());
    ASSERT_TRUE(page.has_value());
    EXPECT_LE(page->logs.size(), 7u);
    for (const StoredAuditLog& log : page->logs) {
      EXPECT_GT(log.place, place);
      place = log.place;
      seen.push_back(*log.log.request_id);
    }
    place = page->through;
    at_end = page->at_end;
  }
  EXPECT_EQ(seen, wanted);
  EXPECT_EQ(store->read_stored(own, StoredPlace(), {100, 1}, CancelToken())->logs.size(), 1u);
  const AuditLog fiftieth = list().rows.at(50);
  const auto behind = store->read_stored(own, **store->place_of(own, fiftieth.id), {100, 1 << 20}, CancelToken());
  EXPECT_EQ(behind->logs.size(), 9u);
  EXPECT_TRUE(behind->at_end);
  CancelToken cancelled;
  cancelled.cancel();
  EXPECT_EQ(store->read_stored(own, StoredPlace(), {7, 1 << 20}, cancelled).error().code(), ErrorCode::cancelled);
}

}  // namespace
}  // namespace dendro
