// How fast the embedded store acknowledges and flushes: `storage_bench [FOLDER]` (default: a new folder below the
// temporary one). Data: records shaped like the nezha corpus (7 fields, about 770 bytes as NDJSON), made here, with
// fresh ids, so nothing repeats. Prints one line a figure: what, value, unit, how measured. Each is one run; repeat the
// program for the spread.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include "record/record_batch_builder.h"
#include "record/record_json.h"
#include "storage/store.h"

namespace dendro {
namespace {

using Seconds = std::chrono::duration<double>;

double wall_seconds() {
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print_figure(const char* what, double value, const char* unit, const std::string& how) {
  std::printf("%-44s %12.1f %-10s %s\n", what, value, unit, how.c_str());
}

/// Makes records like nezha's: ids in hexadecimal, a pod, a container, a body that repeats the ids.
class NezhaLike {
 public:
  std::shared_ptr<const RecordBatch> batch(std::size_t records) {
    RecordBatchBuilder builder{SystemClock().now()};
    for (std::size_t i = 0; i < records; ++i) add(builder);
    return builder.finish();
  }

 private:
  std::string hex(int digits) {
    std::string text;
    for (int i = 0; i < digits; ++i) text.push_back("0123456789abcdef"[random_() % 16]);
    return text;
  }
  void add(RecordBatchBuilder& builder) {
    static const char* const kServices[] = {"ts-order-service", "ts-travel-service", "ts-station-service",
                                            "ts-seat-service"};
    const std::string service = kServices[random_() % 4];
    const std::string trace = hex(32);
    const std::string span = hex(16);
    time_ns_ += static_cast<std::int64_t>(random_() % 4'000'000) - 1'000'000;
    const std::string body = "2023-01-29 09:" + std::to_string(10 + random_() % 49) + ":" +
                             std::to_string(10 + random_() % 49) + "." + std::to_string(100 + random_() % 899) +
                             " INFO [" + service + "," + trace + "," + span + ",true] 1 --- [nio-12346-exec-" +
                             std::to_string(random_() % 20) + "] o.a.c.c.C.[Tomcat].[localhost].[/] TraceID: " + trace +
                             " SpanID: " + span + " Initializing Spring FrameworkServlet 'dispatcherServlet' order " +
                             hex(8) + "-" + hex(4) + "-4" + hex(3) + "-" + hex(12) + " for account " +
                             std::to_string(random_() % 100'000) + " completed initialization in " +
                             std::to_string(random_() % 1000) + " ms, status is ok";
    builder.begin_record();
    builder.set_timestamp(Timestamp(time_ns_));
    builder.set_severity(kSeverityInfo);
    builder.add_leaf(LeafRole::timestamp, "timestamp", "_time", Value::of_time(Timestamp(time_ns_), 9));
    builder.add_leaf(LeafRole::body, "body", "_msg", Value::of_text(body));
    builder.add_leaf(LeafRole::resource, "pod", "pod", Value::of_text(service + "-" + std::to_string(random_() % 3)));
    builder.add_leaf(LeafRole::resource, "container", "container", Value::of_text(service));
    builder.add_leaf(LeafRole::attribute, "node", "node", Value::of_text("kube-node-" + std::to_string(random_() % 5)));
    builder.add_leaf(LeafRole::trace_id, "trace_id", "trace_id", Value::of_text(trace));
    builder.add_leaf(LeafRole::span_id, "span_id", "span_id", Value::of_text(span));
    builder.end_record();
  }
  std::mt19937_64 random_{42};
  std::int64_t time_ns_ = 1'674'983'350'000'000'000;
};

std::uint64_t json_bytes(const RecordBatch& batch) {
  std::string json;
  for (std::size_t i = 0; i < batch.size(); ++i) append_record_json(json, batch.record(i));
  return json.size() + batch.size();
}

CommitRequest request_of(std::shared_ptr<const RecordBatch> batch) {
  CommitRequest request;
  request.receive_time = SystemClock().now();
  request.accepted = batch->size();
  request.batches.push_back(std::move(batch));
  return request;
}

class Bench {
 public:
  explicit Bench(const std::string& folder) {
    options_.directory = folder;
    open();
  }

  /// One sender, one request of about `bytes` at a time: every request is a group with a sync of its own.
  void lone_groups(std::size_t records, int count) {
    std::vector<double> milliseconds;
    const auto batch = maker_.batch(records);
    const double started = wall_seconds();
    for (int i = 0; i < count; ++i) {
      const double before = wall_seconds();
      require(append_and_wait(*store_, request_of(batch)).has_value());
      milliseconds.push_back((wall_seconds() - before) * 1e3);
    }
    const double rate = count / (wall_seconds() - started);
    std::sort(milliseconds.begin(), milliseconds.end());
    const std::string how = std::to_string(batch->encoded().size()) + " bytes each, one at a time";
    print_figure("synced groups", rate, "groups/s", how);
    print_figure("  acknowledgement p50", milliseconds[milliseconds.size() / 2], "ms", how);
    print_figure("  acknowledgement p99", milliseconds[milliseconds.size() * 99 / 100], "ms", how);
  }

  /// `senders` threads, each waiting for its answer: what group commit makes of single records.
  void many_senders(int senders, int requests_each) {
    const auto batch = maker_.batch(1);
    const StoreStats before = store_->stats();
    const double started = wall_seconds();
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < senders; ++i) {
        threads.emplace_back([&] {
          for (int j = 0; j < requests_each; ++j) require(append_and_wait(*store_, request_of(batch)).has_value());
        });
      }
    }
    const double seconds = wall_seconds() - started;
    const StoreStats after = store_->stats();
    const double requests = static_cast<double>(senders) * requests_each;
    print_figure("single-record requests", requests / seconds, "req/s",
                 std::to_string(senders) + " senders, each waits");
    print_figure("  groups", static_cast<double>(after.groups_committed - before.groups_committed) / seconds,
                 "groups/s", "same run");
  }

  /// 1 MiB batches, made before the clock starts, at most `in_flight` unanswered, until the last one is acknowledged;
  /// then flush.
  void ingest(int batches, int in_flight, int senders) {
    std::vector<std::shared_ptr<const RecordBatch>> made;
    std::uint64_t raw_bytes = 0;
    std::uint64_t encoded_bytes = 0;
    for (int i = 0; i < batches; ++i) {
      made.push_back(maker_.batch(1360));
      raw_bytes += i == 0 ? json_bytes(*made.back()) * static_cast<std::uint64_t>(batches) : 0;
      encoded_bytes += made.back()->encoded().size();
    }
    const StoreStats before = store_->stats();
    const double started = wall_seconds();
    const double cpu_started = cpu_seconds();
    send_all(made, in_flight, senders);
    const double seconds = wall_seconds() - started;
    const double cpu = cpu_seconds() - cpu_started;
    const StoreStats after = store_->stats();
    const std::string how = std::to_string(batches) + " batches of " +
                            std::to_string(encoded_bytes / static_cast<std::uint64_t>(batches)) + " bytes, " +
                            std::to_string(senders) + " senders, " + std::to_string(in_flight) + " in flight";
    print_figure("ingest to the last acknowledgement, as NDJSON", static_cast<double>(raw_bytes) / 1e6 / seconds,
                 "MB/s", how);
    print_figure("  as encoded batches", static_cast<double>(encoded_bytes) / 1e6 / seconds, "MB/s", "same run");
    print_figure("  CPU", cpu * 1e9 / static_cast<double>(raw_bytes), "ns/byte",
                 "same run, flushes in the background included");
    print_figure(
        "  WAL",
        static_cast<double>(after.wal_bytes_written - before.wal_bytes_written) / static_cast<double>(raw_bytes) * 100,
        "%", "of NDJSON bytes");
    made.clear();
    const double flush_started = wall_seconds();
    require(store_->flush().has_value());
    print_figure("  rest of the flush", wall_seconds() - flush_started, "s", "same run");
    const StoreStats flushed = store_->stats();
    print_figure("  segments", static_cast<double>(flushed.segment_bytes) / 1e6, "MB",
                 std::to_string(flushed.segment_records) + " records");
  }

  void flush_alone(int batches) {
    require(store_->flush().has_value());
    std::uint64_t encoded_bytes = 0;
    for (int i = 0; i < batches; ++i) {
      const auto batch = maker_.batch(1360);
      encoded_bytes += batch->encoded().size();
      require(append_and_wait(*store_, request_of(batch)).has_value());
    }
    const double started = wall_seconds();
    require(store_->flush().has_value());
    print_figure("flush alone", static_cast<double>(encoded_bytes) / 1e6 / (wall_seconds() - started), "MB/s",
                 "encoded bytes, one thread");
  }

  void scan() {
    const auto snapshot = store_->snapshot(TenantId::default_tenant());
    const double started = wall_seconds();
    const auto source = (*snapshot)->scan({});
    std::uint64_t records = 0;
    for (auto block = source->next(); block.has_value() && block->has_value(); block = source->next())
      records += (*block)->rows.size();
    const double seconds = wall_seconds() - started;
    print_figure("scan of segments", static_cast<double>(source->scanned_bytes()) / 1e6 / seconds, "MB/s",
                 std::to_string(records) + " records");
  }

  void reopen(int batches) {
    for (int i = 0; i < batches; ++i) require(append_and_wait(*store_, request_of(maker_.batch(1360))).has_value());
    store_.reset();
    const double started = wall_seconds();
    open();
    print_figure("opening after a stop", (wall_seconds() - started) * 1e3, "ms",
                 std::to_string(store_->stats().recovered_records) + " records in the WAL");
    require(store_->flush().has_value());
    store_.reset();
    const double clean_started = wall_seconds();
    open();
    print_figure("opening with an empty WAL", (wall_seconds() - clean_started) * 1e3, "ms", "all flushed before");
  }

 private:
  static void require(bool ok) {
    if (ok) return;
    std::fprintf(stderr, "a call failed\n");
    std::_Exit(1);
  }

  void open() {
    auto opened = Store::open(options_, *files_, clock_, random_);
    if (!opened) std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    require(opened.has_value());
    store_ = std::move(opened).value();
  }

  void send_all(const std::vector<std::shared_ptr<const RecordBatch>>& made, int in_flight, int senders) {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t next = 0;
    int waiting = 0;
    const auto send = [&] {
      for (;;) {
        std::size_t index = 0;
        {
          std::unique_lock<std::mutex> lock(mutex);
          changed.wait(lock, [&] { return waiting < in_flight || next == made.size(); });
          if (next == made.size()) return;
          index = next++;
          ++waiting;
        }
        for (;;) {
          const Status taken = store_->append(request_of(made[index]), [&](const Result<CommitReply>& reply) {
            require(reply.has_value());
            std::unique_lock<std::mutex> lock(mutex);
            --waiting;
            changed.notify_all();
          });
          if (taken) break;
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      }
    };
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < senders; ++i) threads.emplace_back(send);
    }
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return waiting == 0; });
  }

  const std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SystemRandom random_;
  StoreOptions options_;
  NezhaLike maker_;
  std::unique_ptr<Store> store_;
};

}  // namespace
}  // namespace dendro

int main(int argc, char** argv) {
  const bool is_own_folder = argc > 1;
  const std::string folder = is_own_folder ? argv[1]
                                           : (std::filesystem::temp_directory_path() /
                                              ("dendro-storage-bench-" + std::to_string(std::random_device()())))
                                                 .string();
  {
    dendro::Bench bench(folder);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // the spare WAL file is being zeroed
    bench.lone_groups(8, 4000);                                   // about 4 KiB
    bench.lone_groups(80, 1000);
    bench.many_senders(64, 500);
    bench.ingest(400, 16, 1);
    bench.ingest(400, 16, 2);
    bench.flush_alone(50);
    bench.scan();
    bench.reopen(60);
  }
  if (!is_own_folder) std::filesystem::remove_all(folder);
  return 0;
}
