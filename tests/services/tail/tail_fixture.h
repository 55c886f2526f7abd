#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/json_document.h"
#include "services/tail/sequence_input.h"
#include "services/tail/tail_hub.h"
#include "tests/storage/store_fixture.h"

namespace dendro {

/// What one reader was told. Thread-safe; asks for the next frame only when told to.
class TailReaderProbe {
 public:
  explicit TailReaderProbe(std::shared_ptr<TailSession> session) : session_(std::move(session)) {}
  ~TailReaderProbe() { session_->close(); }

  void ask() {
    session_->next([inbox = inbox_](TailFrame frame) {
      MutexLock lock(inbox->mutex);
      inbox->frames.push_back(std::move(frame));
      inbox->came.notify_all();
    });
  }
  /// The frame that was asked for, for at most ten seconds.
  TailFrame take() {
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    MutexLock lock(inbox_->mutex);
    while (inbox_->frames.empty() && std::chrono::steady_clock::now() < last) {
      inbox_->came.wait_for(inbox_->mutex, std::chrono::milliseconds(50));
    }
    if (inbox_->frames.empty()) {
      ADD_FAILURE() << "no frame came";
      return make_tail_end(TailEnd::error, 0);
    }
    TailFrame frame = std::move(inbox_->frames.front());
    inbox_->frames.pop_front();
    return frame;
  }
  bool has_frame() {
    MutexLock lock(inbox_->mutex);
    return !inbox_->frames.empty();
  }
  TailFrame next() {
    ask();
    return take();
  }
  TailSession& session() { return *session_; }

 private:
  struct Inbox {
    Mutex mutex;
    CondVar came;
    std::deque<TailFrame> frames;
  };
  const std::shared_ptr<TailSession> session_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
};

/// `body` of each row of a frame.
inline Bodies bodies_of(const TailFrame& frame) {
  Bodies bodies;
  const auto rows = parse_json_document("[" + frame.rows_json + "]");
  EXPECT_TRUE(rows.has_value()) << frame.rows_json;
  if (!rows) return bodies;
  for (const JsonValue& row : rows->elements()) {
    const JsonValue* body = row.find("body");
    bodies.emplace_back(body == nullptr ? "?" : body->as_string().value_or("?"));
  }
  return bodies;
}

/// The one table `t.csv`, its text a test's to change.
class OneTable final : public LookupTables {
 public:
  OneTable(const std::string& text, const std::function<void()>& while_read) : text_(text), while_read_(while_read) {}
  Result<std::shared_ptr<const SubqueryRows>> find(std::string_view name) const override {
    if (while_read_) while_read_();
    return parse_lookup_table(name, text_);
  }

 private:
  const std::string& text_;
  const std::function<void()>& while_read_;
};

/// A store, its hub and workers; time stands until it is moved, and the hub looks at it only in settle().
class TailFixture : public testing::Test {
 protected:
  TailFixture() {
    options.ticks_by_itself = false;
    store.open();
  }

  TailHub& hub() {
    if (hub_ == nullptr) {
      TailParts parts{store.store->listeners(),
                      [this](const TenantId& tenant) { return store.store->snapshot(tenant); },
                      workers,
                      store.clock,
                      QueryLimits(),
                      tables,
                      geo_database};
      parts.saved_filters_of = saved_filters_of;
      hub_ = std::make_unique<TailHub>(std::move(parts), options);
    }
    return *hub_;
  }
  Result<std::shared_ptr<TailSession>> try_open(TailRequest request) {
    request.now = store.clock.now();
    return hub().open(request, fault);
  }
  std::unique_ptr<TailReaderProbe> open(const std::string& query, const std::string& since = {},
                                        std::uint64_t rows_per_s_max = 0) {
    TailRequest request;
    request.query = query;
    request.since = since;
    request.rows_per_s_max = rows_per_s_max;
    return open(std::move(request));
  }
  std::unique_ptr<TailReaderProbe> open(TailRequest request) {
    auto session = try_open(std::move(request));
    EXPECT_TRUE(session.has_value()) << (session ? "" : session.error().message());
    if (!session) return nullptr;
    auto reader = std::make_unique<TailReaderProbe>(*session);
    EXPECT_EQ(reader->next().kind, TailFrame::Kind::hello);
    return reader;
  }
  std::shared_ptr<const LookupTables> one_table(std::string text = "body,team\nn1,blue\n") {
    table_text = std::move(text);
    return std::make_shared<OneTable>(table_text, while_table_is_read);
  }
  void append(const Bodies& bodies) { ASSERT_TRUE(store.append(bodies).has_value()); }
  /// Lets the feed hand out what was committed, then time pass.
  void settle(std::chrono::milliseconds span = std::chrono::milliseconds(100)) {
    wait_for_workers();
    store.clock.advance(span);
    hub().tick();
    wait_for_workers();
  }
  /// All that was submitted before has run: the one worker takes tasks in order, and a feed hands on in one task.
  void wait_for_workers() {
    for (int i = 0; i < 2; ++i) {
      std::promise<void> reached;
      ASSERT_TRUE(workers.submit([&reached] { reached.set_value(); }).has_value());
      reached.get_future().wait();
    }
  }
  /// Rows of the frames to come, until `count` were seen.
  Bodies read_rows(TailReaderProbe& reader, std::size_t count) {
    Bodies bodies;
    while (bodies.size() < count && !HasFailure()) {
      reader.ask();
      settle();
      const TailFrame frame = reader.take();
      last_cursor = to_tail_cursor(frame.cursor);
      if (frame.kind == TailFrame::Kind::rate) continue;
      EXPECT_EQ(frame.kind, TailFrame::Kind::rows) << tail_frame_json(frame);
      if (frame.kind != TailFrame::Kind::rows) break;
      for (std::string& body : bodies_of(frame)) bodies.push_back(std::move(body));
    }
    return bodies;
  }

  StoreFixture store;
  WorkerPool workers{1, 4096};
  TailOptions options;
  std::shared_ptr<const LookupTables> tables;
  std::shared_ptr<const GeoDatabase> geo_database;
  std::function<std::shared_ptr<const SavedFilters>(const TenantId&)> saved_filters_of;
  QueryFault fault;
  std::string last_cursor;
  std::string table_text;
  std::function<void()> while_table_is_read;

 private:
  std::unique_ptr<TailHub> hub_;  // before the workers go
};

inline Bodies numbered(int first, int last, const std::string& prefix = "n") {
  Bodies bodies;
  for (int i = first; i < last; ++i) bodies.push_back(prefix + std::to_string(i));
  return bodies;
}

}  // namespace dendro
