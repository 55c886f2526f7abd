// Loads unlike the corpora, and how soon a query lets go: `load_shapes_bench [--quick]`. Everything goes through a
// Store in a new temporary folder, with the defaults of the product, from decoded batches to merged segments.
//
//   fields N    records of N fields each, beside records of 7 fields with as many bytes: bytes a second (the ratio is
//               what fields cost), bytes at rest, milliseconds to count one field's value
//   names N     records of 10 fields out of N names, beside 10 fields out of 10
//   tenants N   the same records for N tenants in turn, beside one tenant
//   cancel      a query over every byte, cancelled at a random moment: milliseconds until it has ended, beside its
//               time when it may finish
// Prints one line a figure. This machine's noise is in it: repeat the program for the spread.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/corpus_rows.h"
#include "query/plan/query_engine.h"
#include "record/record_batch_builder.h"
#include "storage/store.h"

namespace dendro {
namespace {

constexpr std::int64_t kFirstTime = 1'790'000'000'000'000'000;

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1e3;
  }
  return 0;
}

void print_figure(const std::string& what, double value, const char* unit, const std::string& beside) {
  std::printf("%-46s %10.2f %-8s %s\n", what.c_str(), value, unit, beside.c_str());
  std::fflush(stdout);
}

std::string ratio_text(double value, double other, const char* to) {
  char text[80];
  std::snprintf(text, sizeof text, "%.2fx %s", value / other, to);
  return text;
}

/// A store of its own.
class ShapeStore {
 public:
  ShapeStore() {
    std::string pattern = std::filesystem::temp_directory_path() / "load_shapes_XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) std::exit(1);
    options_.directory = pattern;
    store_ = must(Store::open(options_, *files_, clock_, random_));
  }
  ~ShapeStore() {
    store_.reset();
    std::filesystem::remove_all(options_.directory);
  }
  ShapeStore(const ShapeStore&) = delete;
  ShapeStore& operator=(const ShapeStore&) = delete;

  /// Each batch to the next tenant, waiting for its answer; then flush and merge. Seconds to the last answer.
  double load(const std::vector<std::shared_ptr<const RecordBatch>>& batches, std::size_t tenants = 1) {
    const double started = wall_seconds();
    for (std::size_t i = 0; i < batches.size(); ++i) {
      CommitRequest request;
      request.tenant = tenant(i % tenants);
      request.receive_time = clock_.now();
      request.accepted = batches[i]->size();
      request.batches = {batches[i]};
      must(append_and_wait(*store_, std::move(request)));
    }
    const double seconds = wall_seconds() - started;
    check(store_->flush());
    check(store_->compact());
    return seconds;
  }
  static TenantId tenant(std::size_t number) { return must(TenantId::parse("t" + std::to_string(number))); }
  StoreStats stats() { return store_->stats(); }

  struct Asked {
    double seconds = 0;
    QueryOutcome outcome;
  };
  Asked ask(const std::string& text, std::size_t tenant_number = 0, CancelToken cancel = {}) {
    QueryRequest request;
    request.query = text;
    request.now = clock_.now();
    QueryFault fault;
    const PreparedQuery prepared = must(prepare_query(request, fault));
    QueryRunOptions options;
    options.cancel = std::move(cancel);
    const double started = wall_seconds();
    const auto run =
        start_query(prepared, make_snapshot_input(must(store_->snapshot(tenant(tenant_number)))), options, clock_);
    while (!run->is_finished()) (void)must(run->next_piece());
    return {wall_seconds() - started, run->outcome()};
  }
  double best_ms(const std::string& text, std::size_t tenant_number = 0) {
    double best = 1e9;
    for (int i = 0; i < 7; ++i) best = std::min(best, ask(text, tenant_number).seconds * 1e3);
    return best;
  }

 private:
  static void check(const Status& status) {
    if (status) return;
    std::fprintf(stderr, "%s\n", status.error().message().c_str());
    std::exit(1);
  }

  const std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SystemRandom random_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

using AddFields = std::function<void(RecordBatchBuilder&, std::mt19937_64&)>;

/// Batches of about 1 MiB.
std::vector<std::shared_ptr<const RecordBatch>> make_batches(std::uint64_t bytes, const AddFields& add_fields) {
  std::mt19937_64 random(7);
  std::vector<std::shared_ptr<const RecordBatch>> batches;
  std::int64_t time = kFirstTime;
  for (std::uint64_t made = 0; made < bytes; made += batches.back()->encoded().size()) {
    RecordBatchBuilder builder{Timestamp(time)};
    while (builder.encoded_bytes() < (std::size_t{1} << 20)) {
      builder.begin_record();
      builder.set_timestamp(Timestamp(time += 1'000'000));
      add_fields(builder, random);
      builder.end_record();
    }
    batches.push_back(builder.finish());
  }
  return batches;
}

std::uint64_t bytes_of(const std::vector<std::shared_ptr<const RecordBatch>>& batches) {
  std::uint64_t bytes = 0;
  for (const auto& batch : batches) bytes += batch->encoded().size();
  return bytes;
}

std::uint64_t records_of(const std::vector<std::shared_ptr<const RecordBatch>>& batches) {
  std::uint64_t records = 0;
  for (const auto& batch : batches) records += batch->size();
  return records;
}

/// A number, a word of few, or a text with an id in turn: what fields of logs hold.
void add_field(RecordBatchBuilder& builder, const std::string& name, std::size_t kind, std::mt19937_64& random) {
  static const char* const kWords[] = {"created", "accepted", "running", "failed", "retried", "done"};
  std::string text;
  if (kind % 3 == 0) {
    builder.add_leaf(LeafRole::attribute, name, name, Value::of_int64(static_cast<std::int64_t>(random() % 1000)));
  } else if (kind % 3 == 1) {
    builder.add_leaf(LeafRole::attribute, name, name, Value::of_text(kWords[random() % 6]));
  } else {
    text = "order " + std::to_string(random() % 1'000'000) + " state " + kWords[random() % 6];
    builder.add_leaf(LeafRole::attribute, name, name, Value::of_text(text));
  }
}

std::vector<std::string> field_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("field_" + std::to_string(i));
  return names;
}

struct Loaded {
  double mb_per_s = 0;
  double bytes_at_rest_per_byte = 0;
  double ask_ms = 0;
};

Loaded load_and_ask(const std::vector<std::shared_ptr<const RecordBatch>>& batches, const std::string& query,
                    std::size_t tenants = 1) {
  ShapeStore store;
  const auto bytes = static_cast<double>(bytes_of(batches));
  Loaded loaded;
  loaded.mb_per_s = bytes / 1e6 / store.load(batches, tenants);
  loaded.bytes_at_rest_per_byte = static_cast<double>(store.stats().segment_bytes) / bytes;
  loaded.ask_ms = store.best_ms(query);
  return loaded;
}

void print_loaded(const std::string& what, const Loaded& loaded, const Loaded& beside, const char* than) {
  print_figure(what + ": to the last answer", loaded.mb_per_s, "MB/s",
               ratio_text(loaded.mb_per_s, beside.mb_per_s, than));
  print_figure("  at rest, of the encoded bytes", loaded.bytes_at_rest_per_byte * 100, "%",
               ratio_text(loaded.bytes_at_rest_per_byte, beside.bytes_at_rest_per_byte, than));
  print_figure("  count of a field's value", loaded.ask_ms, "ms", ratio_text(loaded.ask_ms, beside.ask_ms, than));
}

void many_fields(std::uint64_t bytes) {
  const auto batches_with = [bytes](std::size_t fields) {
    const std::vector<std::string> names = field_names(fields);
    return make_batches(bytes, [names](RecordBatchBuilder& builder, std::mt19937_64& random) {
      for (std::size_t i = 0; i < names.size(); ++i) add_field(builder, names[i], i, random);
    });
  };
  const std::string query = "field_4:=failed | stats count() as n";
  const Loaded few = load_and_ask(batches_with(7), query);
  for (const std::size_t fields : {300u, 1000u}) {
    print_loaded("fields " + std::to_string(fields), load_and_ask(batches_with(fields), query), few, "of 7 fields");
  }
}

void many_names(std::uint64_t bytes) {
  const auto batches_with = [bytes](std::size_t count) {
    const std::vector<std::string> names = field_names(count);
    return make_batches(bytes, [names](RecordBatchBuilder& builder, std::mt19937_64& random) {
      // Ten different ones: neighbours, or a thirteenth apart.
      const std::size_t first = random() % names.size();
      const std::size_t step = names.size() > 10 ? names.size() / 13 : 1;
      for (std::size_t i = 0; i < 10; ++i) {
        const std::size_t number = (first + i * step) % names.size();
        add_field(builder, names[number], number, random);
      }
    });
  };
  const std::string query = "field_4:=failed | stats count() as n";
  const Loaded few = load_and_ask(batches_with(10), query);
  for (const std::size_t names : {1000u, 5000u}) {
    print_loaded("names " + std::to_string(names), load_and_ask(batches_with(names), query), few, "of 10 names");
  }
}

void many_tenants(std::uint64_t bytes) {
  const std::vector<std::string> names = field_names(10);
  std::vector<std::shared_ptr<const RecordBatch>> small;
  for (const auto& batch : make_batches(bytes, [names](RecordBatchBuilder& builder, std::mt19937_64& random) {
         for (std::size_t i = 0; i < names.size(); ++i) add_field(builder, names[i], i, random);
       })) {
    RecordBatchBuilder builder(batch->receive_time());
    for (std::size_t row = 0; row < batch->size(); ++row) {
      builder.append_copy(batch->record(row));
      if (builder.records() == 100) small.push_back(builder.finish());
    }
  }
  const std::string query = "field_4:=failed | stats count() as n";
  const Loaded one = load_and_ask(small, query);
  print_loaded("tenants 1000, batches of 100 records", load_and_ask(small, query, 1000), one, "of one tenant");
}

void cancel(std::uint64_t bytes) {
  ShapeStore store;
  const std::vector<std::string> names = field_names(10);
  const auto batches = make_batches(bytes, [names](RecordBatchBuilder& builder, std::mt19937_64& random) {
    for (std::size_t i = 0; i < names.size(); ++i) add_field(builder, names[i], i, random);
  });
  store.load(batches);
  for (const char* query :
       {"~\"order .*7.* state (nothing|nowhere)\" | stats count() as n", "* | sort by (field_2) limit 20",
        "* | extract \"order <a> state <b>\" from field_2 | stats by (a, b) count() as n",
        "* | stats count_uniq(field_2) as n"}) {
    const double whole_ms = store.ask(query).seconds * 1e3;
    std::mt19937_64 random(11);
    std::vector<double> ends_ms;
    for (int i = 0; i < 40; ++i) {
      CancelToken token;
      double cancelled_at = 0;
      std::jthread canceller([&] {
        const double wait_ms = whole_ms * static_cast<double>(random() % 900) / 1000.0;
        std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(wait_ms));
        cancelled_at = wall_seconds();
        token.cancel();
      });
      const auto asked = store.ask(query, 0, token);
      const double ended_at = wall_seconds();
      canceller.join();
      if (asked.outcome.reason == "cancelled") ends_ms.push_back((ended_at - cancelled_at) * 1e3);
    }
    std::sort(ends_ms.begin(), ends_ms.end());
    if (ends_ms.empty()) continue;
    char beside[120];
    std::snprintf(beside, sizeof beside, "worst %.2f ms of %zu; %.0f ms when it may finish", ends_ms.back(),
                  ends_ms.size(), whole_ms);
    std::printf("%s\n", query);
    print_figure("  cancelled: ended after, median", ends_ms[ends_ms.size() / 2], "ms", beside);
  }
  print_figure("  records", static_cast<double>(records_of(batches)), "", "");
}

}  // namespace
}  // namespace dendro

int main(int argc, char** argv) {
  const bool is_quick = argc > 1 && std::string(argv[1]) == "--quick";
  const std::uint64_t bytes = std::uint64_t{is_quick ? 16u : 256u} << 20;
  dendro::many_fields(bytes);
  dendro::many_names(bytes);
  dendro::many_tenants(bytes);
  dendro::cancel(bytes);
  dendro::print_figure("peak memory of this program, its data included", dendro::peak_memory_mb(), "MB", "");
  return 0;
}
