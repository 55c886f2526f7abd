// Streams of stored logs: order, filters, bounds, resuming, and readers that are slow or gone.
#include "services/audit/audit_stream_hub.h"

#include <deque>

#include "tests/services/audit/audit_fixture.h"

namespace dendro {
namespace {

/// One reader: takes when it is woken.
class StreamProbe {
 public:
  std::function<void()> waker() {
    return [inbox = inbox_] {
      MutexLock lock(inbox->mutex);
      ++inbox->wakes;
      inbox->came.notify_all();
    };
  }
  void follow(std::shared_ptr<AuditStreamSession> session) { session_ = std::move(session); }
  AuditStreamSession& session() { return *session_; }

  /// The next `count` frames, waited for.
  std::vector<JsonValue> take(std::size_t count) {
    std::vector<JsonValue> frames;
    while (frames.size() < count) {
      if (!frames_.empty()) {
        frames.push_back(parse_json_document(*frames_.front()).value());
        frames_.pop_front();
        continue;
      }
      for (auto& frame : session_->take(1 << 16)) frames_.push_back(std::move(frame));
      if (frames_.empty() && !wait()) break;
    }
    return frames;
  }
  std::vector<std::string> requests(std::size_t count) {
    std::vector<std::string> ids;
    for (const JsonValue& frame : take(count)) {
      const JsonValue* id = frame.find("request_id");
      ids.emplace_back(id == nullptr ? "?" : id->as_string().value_or("?"));
    }
    return ids;
  }
  /// False: nothing came for ten seconds.
  bool wait() {
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    MutexLock lock(inbox_->mutex);
    while (inbox_->wakes == 0 && std::chrono::steady_clock::now() < last) {
      inbox_->came.wait_for(inbox_->mutex, std::chrono::milliseconds(50));
    }
    const bool was_woken = inbox_->wakes > 0;
    inbox_->wakes = 0;
    if (!was_woken) ADD_FAILURE() << "no frame came";
    return was_woken;
  }

 private:
  struct Inbox {
    Mutex mutex;
    CondVar came;
    int wakes = 0;
  };
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::shared_ptr<AuditStreamSession> session_;
  std::deque<std::shared_ptr<const std::string>> frames_;
};

struct AuditStreamTest : AuditFixture {
  ~AuditStreamTest() override {
    if (hub != nullptr) hub->stop();
  }
  Result<std::shared_ptr<AuditStreamSession>> try_open(StreamProbe& probe, const AuditFilter& wanted = {},
                                                       const std::string& after = {},
                                                       const TenantId& tenant = TenantId::default_tenant()) {
    if (hub == nullptr) hub = AuditStreamHub::start(*store, workers, options);
    return hub->open({tenant, wanted, after}, probe.waker());
  }
  void open(StreamProbe& probe, const AuditFilter& wanted = {}, const std::string& after = {}) {
    auto session = try_open(probe, wanted, after);
    ASSERT_TRUE(session.has_value()) << session.error().message();
    probe.follow(std::move(*session));
  }
  void add(int first, int last, const std::string& more = {}, const TenantId& tenant = TenantId::default_tenant()) {
    for (int i = first; i < last; ++i) {
      ASSERT_TRUE(create(audit_json("\"request_id\":\"" + std::to_string(i) + "\"," + more), tenant).faults.empty());
    }
  }
  static std::vector<std::string> numbers(int first, int last) {
    std::vector<std::string> texts;
    for (int i = first; i < last; ++i) texts.push_back(std::to_string(i));
    return texts;
  }

  WorkerPool workers{2, 64};
  AuditStreamOptions options;
  std::shared_ptr<AuditStreamHub> hub;
};

TEST_F(AuditStreamTest, SendsWhatIsStoredFromNowOnToEveryReader) {
  add(0, 3);
  StreamProbe first, second;
  open(first);
  add(3, 6);
  open(second, filter({{"severity", "ERROR"}}));
  const TenantId other = TenantId::parse("other").value();
  add(90, 93, "\"severity\":\"ERROR\",", other);
  add(6, 9, "\"severity\":\"ERROR\",");
  EXPECT_EQ(first.requests(6), numbers(3, 9));
  EXPECT_EQ(second.requests(3), numbers(6, 9));
  EXPECT_EQ(hub->open_streams(), 2u);
  add(9, 10, "\"severity\":\"ERROR\",\"metadata\":{\"a\":1},");
  const JsonValue frame = second.take(1).at(0);
  std::string text;
  append_json(text, frame);
  std::string log;
  append_audit_log_json(log, list({}, 0, 1).rows.at(0));
  const std::string message_id = audit_message_id(list({}, 0, 1).rows.at(0).id);
  log.pop_back();
  EXPECT_EQ(text, log + R"(,"message_id":")" + message_id + R"(","status":"stored"})");
}

TEST_F(AuditStreamTest, FiltersAreReplacedWhileItRuns) {
  StreamProbe probe;
  open(probe, filter({{"user_id", "ann"}}));
  add(0, 2, "\"user_id\":\"ann\",");
  add(2, 4, "\"user_id\":\"bob\",");
  EXPECT_EQ(probe.requests(2), numbers(0, 2));
  // A reader that follows all says how far the hub has come.
  StreamProbe all;
  open(all);
  add(4, 5);
  EXPECT_EQ(all.requests(1), numbers(4, 5));
  probe.session().set_filter(filter({{"user_id", "bob"}, {"search", "made"}}));
  add(5, 7, "\"user_id\":\"ann\",");
  add(7, 9, "\"user_id\":\"bob\",");
  EXPECT_EQ(probe.requests(2), numbers(7, 9));
}

TEST_F(AuditStreamTest, ResumesBehindALogWithoutGapOrDouble) {
  add(0, 1200);
  const std::string after = list(filter({{"request_id", "99"}})).rows.at(0).id;
  flush();
  StreamProbe probe;
  open(probe, {}, after);
  std::vector<std::string> seen;
  for (int i = 1200; i < 1300; i += 10) {
    add(i, i + 10);
    for (std::string& id : probe.requests(60)) seen.push_back(std::move(id));
  }
  for (std::string& id : probe.requests(1200 - seen.size())) seen.push_back(std::move(id));
  EXPECT_EQ(seen, numbers(100, 1300));
  StreamProbe refused;
  EXPECT_EQ(try_open(refused, {}, "0123456789abcdef01234567").error().code(), ErrorCode::not_found);
  // The id of another tenant's log is as unknown.
  EXPECT_EQ(try_open(refused, {}, after, TenantId::parse("other").value()).error().code(), ErrorCode::not_found);
  EXPECT_EQ(hub->open_streams(), 1u);
}

TEST_F(AuditStreamTest, ASlowReaderIsToldWhatWasDroppedAndTheOtherGetsAll) {
  options.limits = {10, 1 << 20};
  StreamProbe slow, other;
  open(slow);
  open(other);
  add(0, 1);
  ASSERT_EQ(slow.requests(1), numbers(0, 1));  // both are live now
  ASSERT_EQ(other.requests(1), numbers(0, 1));
  std::vector<std::string> seen;
  for (int i = 1; i < 101; i += 5) {
    add(i, i + 5);
    for (std::string& id : other.requests(5)) seen.push_back(std::move(id));
  }
  EXPECT_EQ(seen, numbers(1, 101));
  EXPECT_EQ(slow.requests(10), numbers(1, 11));
  const JsonValue dropped = slow.take(1).at(0);
  EXPECT_EQ(dropped.find("type")->as_string(), "dropped");
  EXPECT_EQ(dropped.find("count")->as_int(), 90);
  EXPECT_EQ(dropped.find("from")->as_string(), list(filter({{"request_id", "11"}})).rows.at(0).id);
  EXPECT_EQ(dropped.find("to")->as_string(), list(filter({{"request_id", "100"}})).rows.at(0).id);
  add(101, 103);
  EXPECT_EQ(slow.requests(2), numbers(101, 103));
}

TEST_F(AuditStreamTest, BytesAreBoundedToo) {
  options.limits = {1000, 4096};
  StreamProbe slow, other;
  open(slow);
  open(other);
  add(0, 1);
  ASSERT_EQ(slow.requests(1), numbers(0, 1));
  ASSERT_EQ(other.requests(1), numbers(0, 1));
  for (int i = 1; i < 9; ++i) {
    add(i, i + 1, "\"user_agent\":\"" + std::string(1000, 'x') + "\",");
    ASSERT_EQ(other.requests(1), numbers(i, i + 1));
  }
  const std::vector<JsonValue> frames = slow.take(3);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[2].find("type")->as_string(), "dropped");
  EXPECT_EQ(frames[2].find("count")->as_int(), 6);
}

TEST_F(AuditStreamTest, ThereIsABoundOnStreamsAndItFrees) {
  options.streams_per_tenant_max = 2;
  StreamProbe first, third;
  open(first);
  {
    StreamProbe second;
    open(second);
    EXPECT_EQ(try_open(third).error().code(), ErrorCode::resource_exhausted);
    EXPECT_TRUE(try_open(third, {}, {}, TenantId::parse("other").value()).has_value());
    add(0, 1);
    EXPECT_EQ(second.requests(1), numbers(0, 1));
    second.session().close();
  }
  while (hub->open_streams() > 1) std::this_thread::yield();  // a worker may still hold it
  open(third);
  add(1, 2);
  EXPECT_EQ(third.requests(1), numbers(1, 2));
}

TEST_F(AuditStreamTest, AFullWorkerPoolIsNoObstacle) {
  WorkerPool busy{1, 1};
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::promise<void> started;
  ASSERT_TRUE(busy.submit([&started, released] {
    started.set_value();
    released.wait();
  }));
  started.get_future().wait();
  ASSERT_TRUE(busy.submit([] {}));
  ASSERT_FALSE(busy.submit([] {}));
  hub = AuditStreamHub::start(*store, busy, options);
  add(0, 3);
  StreamProbe probe;
  open(probe, {}, list({}, 2, 1).rows.at(0).id);
  EXPECT_EQ(probe.requests(2), numbers(1, 3));
  add(3, 5);
  EXPECT_EQ(probe.requests(2), numbers(3, 5));
  release.set_value();
  hub->stop();
}

TEST_F(AuditStreamTest, AHubThatStoppedBeginsNothing) {
  StreamProbe probe, late;
  open(probe);
  hub->stop();
  EXPECT_EQ(try_open(late).error().code(), ErrorCode::unavailable);
  add(0, 1);
  EXPECT_TRUE(probe.session().take(100).empty());
}

/// Fails to read while told to.
class FailingReads final : public AuditStore {
 public:
  explicit FailingReads(AuditStore& inner) : inner_(inner) {}
  std::atomic<bool> fails{false};

  void put(AuditPut, std::function<void(Result<AuditPutReply>)>) override {}
  Result<AuditPage<AuditLog>> list(const AuditPageRequest& request, const AuditFilter& filter) override {
    return inner_.list(request, filter);
  }
  Result<std::optional<AuditLog>> get(const AuditReader&, const std::string&, const CancelToken&) override {
    return std::optional<AuditLog>();
  }
  Result<AuditStats> stats(const AuditReader&, const AuditFilter&, AuditStatsParts, const CancelToken&) override {
    return AuditStats();
  }
  Result<std::unique_ptr<AuditLogSource>> read_all(const AuditReader&, const AuditFilter&,
                                                   const CancelToken&) override {
    return std::unique_ptr<AuditLogSource>();
  }
  Result<std::uint64_t> count_older(const TenantId&, Timestamp, const CancelToken&) override { return 0; }
  Result<std::uint64_t> delete_older(const TenantId&, Timestamp) override { return 0; }
  Result<StoredPlace> newest_place(const TenantId& tenant) override { return inner_.newest_place(tenant); }
  Result<std::optional<StoredPlace>> place_of(const AuditReader& reader, const std::string& id) override {
    return inner_.place_of(reader, id);
  }
  Result<StoredAuditLogs> read_stored(const AuditReader& reader, StoredPlace after, StoredPage page,
                                      const CancelToken& cancel) override {
    if (fails) return Error(ErrorCode::io_error, "no");
    return inner_.read_stored(reader, after, page, cancel);
  }
  std::shared_ptr<void> listen(const TenantId& tenant, std::function<void()> on_stored) override {
    return inner_.listen(tenant, std::move(on_stored));
  }

 private:
  AuditStore& inner_;
};

TEST_F(AuditStreamTest, ALiveStreamOutlivesAFailedReadAndAResumingOneSaysSo) {
  FailingReads flaky(*store);
  hub = AuditStreamHub::start(flaky, workers, options);
  StreamProbe live, resuming;
  open(live);
  add(0, 1);
  EXPECT_EQ(live.requests(1), numbers(0, 1));
  flaky.fails = true;
  add(1, 3);
  open(resuming);
  while (!resuming.session().has_failed()) std::this_thread::yield();
  flaky.fails = false;
  EXPECT_EQ(live.requests(2), numbers(1, 3));
}

TEST_F(AuditStreamTest, ManyReadersComeAndGoWhileLogsArrive) {
  const int count = 400;
  hub = AuditStreamHub::start(*store, workers, options);
  std::jthread writer([this] { add(0, count); });
  std::vector<std::jthread> readers;
  for (int r = 0; r < 4; ++r) {
    readers.emplace_back([this] {
      for (int round = 0; round < 5; ++round) {
        StreamProbe probe;
        auto session = try_open(probe);
        if (!session) continue;
        probe.follow(std::move(*session));
        probe.session().take(1);
        probe.session().close();
      }
    });
  }
  StreamProbe follower;
  writer.join();
  readers.clear();
  const std::string first = list({}, count - 1, 1).rows.at(0).id;
  open(follower, {}, first);
  EXPECT_EQ(follower.requests(count - 1), numbers(1, count));
}

}  // namespace
}  // namespace dendro
