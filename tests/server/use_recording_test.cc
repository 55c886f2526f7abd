// Uses of native routes: what becomes an entry, that the reply waits for it, and what the refused leave behind.
#include "server/use_recording.h"

#include <gtest/gtest.h>

#include "base/json_document.h"
#include "base/mutex.h"
#include "tests/server/fake_authenticator.h"
#include "tests/server/test_server.h"

namespace dendro {
namespace {

/// Keeps entries; may hold their `done` back, or fail.
class KeptUses final : public AccessRecorder {
 public:
  void record(AccessEntry entry, std::function<void(Status)> done) override {
    std::optional<ErrorCode> fault;
    {
      MutexLock lock(mutex_);
      entries_.push_back(std::move(entry));
      if (holds_) {
        held_.push_back(std::move(done));
        came_.set();
        return;
      }
      fault = fault_;
    }
    done(fault ? Status(Error(*fault, "no room")) : Status());
  }
  void hold() {
    MutexLock lock(mutex_);
    holds_ = true;
  }
  void fail(ErrorCode code) {
    MutexLock lock(mutex_);
    fault_ = code;
  }
  bool wait_for_one() { return came_.wait(); }
  void release(const Status& how) {
    std::vector<std::function<void(Status)>> held;
    {
      MutexLock lock(mutex_);
      held.swap(held_);
    }
    for (const auto& done : held) done(how);
  }
  std::vector<AccessEntry> entries() {
    MutexLock lock(mutex_);
    return entries_;
  }

 private:
  TestEvent came_;
  Mutex mutex_;
  bool holds_ DENDRO_GUARDED_BY(mutex_) = false;
  std::optional<ErrorCode> fault_ DENDRO_GUARDED_BY(mutex_);
  std::vector<std::function<void(Status)>> held_ DENDRO_GUARDED_BY(mutex_);
  std::vector<AccessEntry> entries_ DENDRO_GUARDED_BY(mutex_);
};

struct UseRecordingFixture : testing::Test {
  UseRecordingFixture() {
    authenticator.add("reader", "shop", {Permission::search});
    authenticator.add("boss", "shop", PermissionSet::all());
    server.access.authenticator = &authenticator;
    add("GET", "/read", "read_it", Permission::search, RouteUse::read);
    add("POST", "/ask", "ask_it", Permission::search, RouteUse::read);
    add("POST", "/change", "change_it", Permission::keys, RouteUse::change);
    add("GET", "/new", "new_route", Permission::search, RouteUse::undeclared);
    add("GET", "/none", "none_of_it", Permission::search, RouteUse::none);
    add("GET", "/own", "own_way", Permission::search, RouteUse::own);
  }

  void add(const char* method, const char* path, const char* action, Permission permission, RouteUse use) {
    Route& route = server.add_plain(method, path, [this](const HttpRequest& request) {
      ++calls;
      return json_response(status, request.method == "POST" ? R"({"id":"made-1","secret":"hush"})" : "{}");
    });
    route.permission = permission;
    route.use = use;
    route.operation_id = action;
  }

  void start(TrailMode mode = TrailMode::automatic) {
    UseRecording::Parts parts{kept, server.clock, mode};
    parts.asks_callers = [this] { return asks.load(); };
    parts.can_record = [this]() -> Status {
      return is_full ? Status(Error(ErrorCode::unavailable, "the disk is full")) : Status();
    };
    recording = std::make_shared<UseRecording>(std::move(parts));
    record_uses(server.routes, recording);
    server.access.hear_refusal = [this](const RefusedUse& refused) { recording->record_refusal(refused); };
    server.start();
  }
  RawReply call(const std::string& request) { return RawClient(server.port()).ask(request); }
  static std::string as(std::string_view who) { return "Authorization: Bearer " + std::string(who) + "\r\n"; }
  static std::string post(std::string_view path, std::string_view who, std::string_view body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + as(who) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }

  KeptUses kept;
  std::atomic<bool> asks{true};
  std::atomic<bool> is_full{false};
  std::atomic<int> status{200};
  std::atomic<int> calls{0};
  FakeAuthenticator authenticator;
  std::shared_ptr<UseRecording> recording;
  TestServer server;
};

TEST_F(UseRecordingFixture, AReadSaysWhoAskedWhatFromWhere) {
  start();
  ASSERT_EQ(call(get("/read?query=a%20b&token=hush", as("reader") + "X-Request-ID: r-7\r\n")).status, 200);
  const auto entries = kept.entries();
  ASSERT_EQ(entries.size(), 1U);
  const AccessEntry& entry = entries.front();
  EXPECT_EQ(entry.tenant.text(), "shop");
  EXPECT_EQ(entry.user_id, "key:reader");
  EXPECT_EQ(entry.action, "read_it");
  EXPECT_EQ(entry.resource_path, "/read");
  EXPECT_EQ(access_params_json(entry.query_params), R"({"query":"a b","token":"***"})");
  EXPECT_EQ(entry.ip_address, "127.0.0.1");
  EXPECT_EQ(entry.request_id, "r-7");
  ASSERT_TRUE(entry.detail);
  EXPECT_EQ(entry.detail->principal_kind, "api_key");
  EXPECT_EQ(entry.detail->method, "GET");
  EXPECT_EQ(entry.detail->outcome, UseOutcome::allowed);
  EXPECT_EQ(entry.detail->status, 200);
  EXPECT_EQ(entry.detail->peer_address, "");
}

TEST_F(UseRecordingFixture, OfABodyOnlyTheMembersOnTheListAreTold) {
  start();
  ASSERT_EQ(call(post("/ask", "reader", R"({"query":"x","password":"hush","fields":["a","b"],"url":"https://u:p@h/"})"))
                .status,
            200);
  EXPECT_EQ(access_params_json(kept.entries().front().query_params), R"({"fields":"[\"a\",\"b\"]","query":"x"})");
}

TEST_F(UseRecordingFixture, AChangeNamesWhatItMade) {
  start();
  ASSERT_EQ(call(post("/change", "boss", R"({"name":"shipper"})")).status, 200);
  const AccessEntry entry = kept.entries().front();
  EXPECT_EQ(entry.action, "change_it");
  EXPECT_EQ(entry.detail->result_id, "made-1");
  EXPECT_EQ(access_params_json(entry.query_params), R"({"name":"shipper"})");
}

TEST_F(UseRecordingFixture, TheReplyWaitsForItsEntry) {
  kept.hold();
  start();
  RawClient client(server.port());
  client.send(get("/read", as("reader")));
  ASSERT_TRUE(kept.wait_for_one());
  EXPECT_EQ(calls, 1);
  kept.release(Error(ErrorCode::storage_full, "no room after all"));
  EXPECT_EQ(client.read_reply().status, 507) << "what became of the entry decides what the caller gets";
}

TEST_F(UseRecordingFixture, WhatCannotBeRecordedIsNotTold) {
  kept.fail(ErrorCode::storage_full);
  start();
  const RawReply reply = call(get("/read", as("reader")));
  EXPECT_EQ(reply.status, 507);
  EXPECT_EQ(reply.body.find("made-1"), std::string::npos);
  const RawReply change = call(post("/change", "boss", "{}"));
  EXPECT_EQ(change.status, 507);
  EXPECT_NE(change.body.find("the change was made, but it could not be recorded"), std::string::npos) << change.body;
}

TEST_F(UseRecordingFixture, AChangeIsNotMadeWhileTheStoreTakesNoEntries) {
  is_full = true;
  start();
  EXPECT_EQ(call(post("/change", "boss", "{}")).status, 503);
  EXPECT_EQ(calls, 0);
}

TEST_F(UseRecordingFixture, OutcomesFollowTheStatus) {
  start();
  const auto outcome_of_read = [this](int of) -> std::string {
    status = of;
    const std::size_t before = kept.entries().size();
    EXPECT_EQ(call(get("/read", as("reader"))).status, of);
    const auto entries = kept.entries();
    return entries.size() == before ? "" : std::string(use_outcome_name(entries.back().detail->outcome));
  };
  EXPECT_EQ(outcome_of_read(304), "allowed");
  EXPECT_EQ(outcome_of_read(404), "allowed");
  EXPECT_EQ(outcome_of_read(400), "");
  EXPECT_EQ(outcome_of_read(429), "");
  EXPECT_EQ(outcome_of_read(403), "denied");
  EXPECT_EQ(outcome_of_read(504), "failed");
  status = 400;
  EXPECT_EQ(call(post("/change", "boss", "{}")).status, 400);
  EXPECT_EQ(kept.entries().back().detail->outcome, UseOutcome::failed);
  EXPECT_EQ(kept.entries().back().detail->result_id, "");
}

TEST_F(UseRecordingFixture, ARowThatSaysNothingIsRecordedLikeAChange) {
  start(TrailMode::changes);
  EXPECT_EQ(call(get("/new", as("reader"))).status, 200);
  ASSERT_EQ(kept.entries().size(), 1U);
  EXPECT_EQ(kept.entries().front().action, "new_route");
}

TEST_F(UseRecordingFixture, ModesSayWhatIsRecorded) {
  start(TrailMode::changes);
  EXPECT_EQ(call(get("/read", as("reader"))).status, 200);
  EXPECT_EQ(call(get("/none", as("reader"))).status, 200);
  EXPECT_EQ(call(get("/own", as("reader"))).status, 200);
  EXPECT_TRUE(kept.entries().empty());
  EXPECT_EQ(call(post("/change", "boss", "{}")).status, 200);
  EXPECT_EQ(kept.entries().size(), 1U);
}

TEST_F(UseRecordingFixture, NothingIsRecordedWhereItIsOff) {
  start(TrailMode::off);
  EXPECT_EQ(call(post("/change", "boss", "{}")).status, 200);
  EXPECT_EQ(call(get("/read", {})).status, 401);
  EXPECT_TRUE(kept.entries().empty());
}

TEST_F(UseRecordingFixture, WhileNobodyIsAskedNothingIsRecordedUnlessItIsWanted) {
  asks = false;
  start();
  EXPECT_EQ(call(get("/read", as("reader"))).status, 200);
  EXPECT_TRUE(kept.entries().empty());
  asks = true;
  EXPECT_EQ(call(get("/read", as("reader"))).status, 200);
  EXPECT_EQ(kept.entries().size(), 1U);
}

TEST_F(UseRecordingFixture, TheRefusedAreNamedInTheirOwnTenantAndStrangersInDefault) {
  start();
  EXPECT_EQ(call(get("/read?x=1", "X-Tenant-ID: shop\r\n")).status, 401);
  EXPECT_EQ(call(get("/read", as("reader") + "X-Tenant-ID: bank\r\n")).status, 403);
  EXPECT_EQ(call(post("/change", "reader", "{}")).status, 403);
  const auto entries = kept.entries();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].tenant.text(), "default");
  EXPECT_FALSE(entries[0].user_id);
  EXPECT_EQ(entries[0].detail->status, 401);
  EXPECT_EQ(access_params_json(entries[0].query_params), R"({"X-Tenant-ID":"shop","x":"1"})");
  EXPECT_EQ(entries[1].tenant.text(), "shop");
  EXPECT_EQ(entries[1].user_id, "key:reader");
  EXPECT_EQ(entries[1].detail->outcome, UseOutcome::denied);
  EXPECT_EQ(entries[2].action, "change_it");
  EXPECT_EQ(calls, 0);
}

TEST_F(UseRecordingFixture, AFloodOfRefusalsIsCountedInsteadOfNamed) {
  start();
  RawClient client(server.port());
  const std::uint64_t flood = RefusalBudget::kBurst + 17;
  for (std::uint64_t i = 0; i < flood; ++i) EXPECT_EQ(client.ask(get("/read")).status, 401);
  EXPECT_EQ(kept.entries().size(), RefusalBudget::kBurst);
  EXPECT_EQ(recording->refusals_left_out(), 17U);
  server.advance(RefusalBudget::kStep);
  EXPECT_EQ(client.ask(get("/read")).status, 401);
  ASSERT_EQ(kept.entries().size(), RefusalBudget::kBurst + 1);
  EXPECT_EQ(kept.entries().back().detail->left_out, 17U);
}

TEST_F(UseRecordingFixture, WhatATrustedProxyForwardedIsTheClients) {
  server.options.trusted_proxies = *PeerNetworks::parse({"127.0.0.1", "10.0.0.0/8"});
  start();
  const auto address_of = [this](const std::string& lines) {
    EXPECT_EQ(call(get("/read", as("reader") + lines)).status, 200);
    return kept.entries().back();
  };
  const AccessEntry entry = address_of("X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-For: 10.1.2.3\r\n");
  EXPECT_EQ(entry.ip_address, "203.0.113.9") << "what the client itself wrote in front is not believed";
  EXPECT_EQ(entry.detail->peer_address, "127.0.0.1");
  EXPECT_EQ(address_of("X-Forwarded-For: 203.0.113.9, nonsense\r\n").ip_address, "127.0.0.1");
  EXPECT_EQ(address_of({}).ip_address, "127.0.0.1");
}

TEST_F(UseRecordingFixture, NobodyElsesForwardingIsBelieved) {
  start();
  EXPECT_EQ(call(get("/read", as("reader") + "X-Forwarded-For: 203.0.113.9\r\n")).status, 200);
  EXPECT_EQ(kept.entries().front().ip_address, "127.0.0.1");
}

TEST(RefusalBudget, EachTenantHasItsOwnShareUpToABound) {
  RefusalBudget budget;
  const auto tenant = [](std::size_t i) { return TenantId::parse("t" + std::to_string(i)).value(); };
  const std::chrono::nanoseconds now{1'000};
  for (std::uint64_t i = 0; i < RefusalBudget::kBurst; ++i) EXPECT_EQ(budget.try_take(tenant(0), now), 0U);
  EXPECT_FALSE(budget.try_take(tenant(0), now));
  EXPECT_TRUE(budget.try_take(tenant(1), now));
  for (std::size_t i = 2; i < RefusalBudget::kTenantsMax; ++i) EXPECT_TRUE(budget.try_take(tenant(i), now));
  std::uint64_t taken = 0;
  for (std::size_t i = 0; i < 2 * RefusalBudget::kBurst; ++i) {
    taken += budget.try_take(tenant(RefusalBudget::kTenantsMax + i), now) ? 1 : 0;
  }
  EXPECT_EQ(taken, RefusalBudget::kBurst) << "further tenants share one";
}

}  // namespace
}  // namespace dendro
