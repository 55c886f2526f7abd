#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "io/memory_file_system.h"
#include "record/record_batch_builder.h"
#include "storage/store.h"

namespace dendro {

using Bodies = std::vector<std::string>;

inline constexpr Timestamp kTestTime{1'700'000'000 * kNanosPerSecond};  // 2023-11-14T22:13:20Z

/// Always the same bytes in the same order.
class CountingRandom final : public RandomSource {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next_++);
  }

 private:
  std::atomic<unsigned> next_{1};
};

struct TestRecord {
  std::string body;
  Timestamp timestamp = kTestTime;
};

inline std::shared_ptr<const RecordBatch> make_batch(const std::vector<TestRecord>& records,
                                                     Timestamp received = kTestTime) {
  RecordBatchBuilder builder(received);
  for (const TestRecord& record : records) {
    builder.begin_record();
    builder.set_timestamp(record.timestamp);
    builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text("api"));
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text(record.body));
    builder.end_record();
  }
  return builder.finish();
}

/// One batch a list of bodies.
inline CommitRequest make_request(const std::vector<Bodies>& batches,
                                  const TenantId& tenant = TenantId::default_tenant()) {
  CommitRequest request;
  request.tenant = tenant;
  request.receive_time = kTestTime;
  for (const Bodies& bodies : batches) {
    std::vector<TestRecord> records;
    for (const std::string& body : bodies) records.push_back({body});
    request.accepted += bodies.size();
    request.batches.push_back(make_batch(records));
  }
  return request;
}

inline TenantId make_tenant(std::string_view name) {
  return TenantId::parse(name).value();
}

inline BatchKey make_key(std::string_view key, std::string_view content = "content") {
  return {batch_key_id(TenantId::default_tenant(), "test", key),
          batch_key_id(TenantId::default_tenant(), "content", content)};
}

inline std::string body_of(const RecordView& record) {
  std::string body;
  record.for_each_leaf([&body](const Leaf& leaf, const Value& value) {
    if (leaf.role == LeafRole::body) body = value.text;
    return leaf.role != LeafRole::body;
  });
  return body;
}

/// What a scan gives, record by record, and the errors on its way.
struct ScanOutcome {
  Bodies bodies;
  std::vector<RecordPosition> positions;
  std::vector<Error> errors;
};

inline ScanOutcome run_scan(const Snapshot& snapshot, ScanRequest request = {}) {
  ScanOutcome outcome;
  const auto source = snapshot.scan(std::move(request));
  for (;;) {
    const auto block = source->next();
    if (!block) {
      outcome.errors.push_back(block.error());
      if (block.error().code() != ErrorCode::corruption) return outcome;
      continue;
    }
    if (!block->has_value()) return outcome;
    for (const std::uint32_t row : (*block)->rows) {
      outcome.bodies.push_back(body_of((*block)->record(row)));
      outcome.positions.push_back((*block)->position(row));
    }
  }
}

/// Bodies of one tenant in order of acknowledgement.
inline Bodies bodies_by_sequence(Store& store, const TenantId& tenant = TenantId::default_tenant()) {
  const auto snapshot = store.snapshot(tenant);
  EXPECT_TRUE(snapshot.has_value());
  const ScanOutcome outcome = run_scan(**snapshot);
  for (const Error& error : outcome.errors) ADD_FAILURE() << error.message();
  std::vector<std::pair<SequenceNumber, std::string>> ordered;
  for (std::size_t i = 0; i < outcome.bodies.size(); ++i) {
    ordered.emplace_back(outcome.positions[i].sequence, outcome.bodies[i]);
  }
  std::sort(ordered.begin(), ordered.end());
  Bodies bodies;
  for (auto& [sequence, body] : ordered) bodies.push_back(std::move(body));
  return bodies;
}

/// A store on files in memory, with small WAL files.
class StoreFixture {
 public:
  StoreFixture() {
    options.directory = "/data";
    options.wal_file_bytes = 16 << 10;
    options.free_bytes_min = 0;
    options.free_share_min = 0;
    options.compacts_by_itself = false;
  }

  Status try_open() {
    store.reset();
    Result<std::unique_ptr<Store>> opened = Store::open(options, *files, clock, random);
    if (!opened) return opened.error();
    store = std::move(opened).value();
    return {};
  }
  void open() {
    const Status opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
  }
  Result<CommitReply> append(const Bodies& bodies) { return append_and_wait(*store, make_request({bodies})); }
  Result<CommitReply> append(CommitRequest request) { return append_and_wait(*store, std::move(request)); }
  void close() { store.reset(); }
  Bodies bodies() { return bodies_by_sequence(*store); }
  /// Names in a folder of the store.
  Bodies list(const std::string& folder) { return files->list(options.directory + folder).value(); }

  std::unique_ptr<MemoryFileSystem> files = std::make_unique<MemoryFileSystem>(MemoryFileSystem::KeepLog::yes);
  ManualClock clock{kTestTime};
  CountingRandom random;
  StoreOptions options;
  std::unique_ptr<Store> store;
};

}  // namespace dendro
