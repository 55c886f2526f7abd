// Sorts and groups that outgrow their memory: `spill_bench [ROWS]`, 5,000,000 rows unless said.
//
//   sort          `* | sort by (user, n)`, every row out: in memory, and with 64 MiB of it and temporary files
//   stats         `* | stats by (user) count() as n, sum(n) as s` of as many users as a fifth of the rows: the same
//   sort(1)       the same rows as lines of text, the same keys, with as much memory; where it is found
// Prints one line a figure: seconds, peak memory of the process so far (in memory comes last), bytes spilled. The
// answers are compared. This machine's noise is in it: repeat the program for the spread.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "bench/corpus_rows.h"
#include "io/file_system.h"
#include "query/plan/query_engine.h"
#include "record/record_batch_builder.h"

namespace dendro {
namespace {

constexpr std::size_t kBatchRows = 20'000;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1e3;
  }
  return 0;
}

struct MadeRow {
  std::string user;
  std::int64_t number = 0;
};

/// The same rows every time, made as they are read, so that the input takes no memory.
class MadeRows {
 public:
  explicit MadeRows(std::uint64_t rows) : users_(rows / 5 + 1) {}
  MadeRow next() {
    const std::uint64_t user = random_() % users_;
    return {"user-" + std::to_string(user * 2'654'435'761 % 1'000'000'007),
            static_cast<std::int64_t>(random_() % 100'000)};
  }

 private:
  const std::uint64_t users_;
  std::mt19937_64 random_{17};
};

class MadeSource final : public RecordSource {
 public:
  explicit MadeSource(std::uint64_t rows) : made_(rows), left_(rows) {}
  Result<std::shared_ptr<const RecordBatch>> next() override {
    if (left_ == 0) return std::shared_ptr<const RecordBatch>();
    RecordBatchBuilder builder{Timestamp(0)};
    for (; left_ > 0 && builder.records() < kBatchRows; --left_) {
      const MadeRow row = made_.next();
      builder.begin_record();
      builder.add_leaf(LeafRole::attribute, "user", "user", Value::of_text(row.user));
      builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_int64(row.number));
      builder.end_record();
    }
    return builder.finish();
  }

 private:
  MadeRows made_;
  std::uint64_t left_;
};

struct Measured {
  double seconds = 0;
  std::uint64_t hash = 0;
  QueryOutcome outcome;
};

Measured ask(const std::string& text, std::uint64_t rows, const QueryLimits& limits) {
  SystemClock clock;
  QueryRequest request;
  request.query = text;
  request.now = clock.now();
  request.limit = 0;
  request.progress = false;
  request.timeout = std::chrono::hours(1);
  QueryFault fault;
  const PreparedQuery prepared = must(prepare_query(request, fault));
  QueryRunOptions options;
  options.envelope = false;
  options.limits = limits;
  Measured measured;
  const double started = now_seconds();
  const auto run = start_query(prepared, make_source_input(std::make_unique<MadeSource>(rows)), options, clock);
  while (!run->is_finished()) {
    const auto piece = must(run->next_piece());
    // Pieces end where time says so: the hash must not depend on it.
    if (piece) {
      for (const char byte : *piece)
        measured.hash = measured.hash * 1'099'511'628'211 + static_cast<unsigned char>(byte);
    }
  }
  measured.seconds = now_seconds() - started;
  measured.outcome = run->outcome();
  return measured;
}

void print_measured(const std::string& what, const Measured& measured) {
  std::printf("%-28s %8.2f s  %8.0f MB peak  %8.1f MB spilled  %llu rows  %s\n", what.c_str(), measured.seconds,
              peak_mb(), static_cast<double>(measured.outcome.spilled_bytes) / 1e6,
              static_cast<unsigned long long>(measured.outcome.returned), measured.outcome.reason.c_str());
  std::fflush(stdout);
}

void compare(const std::string& what, const std::string& query, std::uint64_t rows, const QueryLimits& spilled) {
  const Measured in_files = ask(query, rows, spilled);
  print_measured(what + ", 64 MiB and files", in_files);
  QueryLimits unbounded;
  unbounded.memory_bytes_max = std::uint64_t{64} << 30;
  unbounded.groups_max = unbounded.sort_rows_max = UINT64_MAX;
  const Measured in_memory = ask(query, rows, unbounded);
  print_measured(what + ", in memory", in_memory);
  if (in_files.hash != in_memory.hash || in_memory.outcome.returned == 0) {
    std::printf("the answers differ\n");
    std::exit(1);
  }
}

void sort_with_peer(std::uint64_t rows, const std::string& folder) {
  if (std::system("command -v sort > /dev/null") != 0) {
    std::printf("sort(1): not found\n");
    return;
  }
  {
    std::ofstream lines(folder + "/rows");
    MadeRows made(rows);
    for (std::uint64_t i = 0; i < rows; ++i) {
      const MadeRow row = made.next();
      lines << row.user << '\t' << row.number << '\n';
    }
  }
  const double started = now_seconds();
  const std::string command = "LC_ALL=C sort -s --parallel=1 -S 64M -T " + folder + " -t '\t' -k 1,1 -k 2,2n " +
                              folder + "/rows > " + folder + "/sorted";
  if (std::system(command.c_str()) != 0) return;
  std::printf("%-28s %8.2f s\n", "sort(1), 64 MiB, one thread", now_seconds() - started);
}

}  // namespace
}  // namespace dendro

int main(int argc, char** argv) {
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5'000'000;
  std::string folder = std::filesystem::temp_directory_path() / "spill_bench_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  auto place = std::make_shared<dendro::SpillPlace>();
  place->files = dendro::make_posix_file_system();
  place->directory = folder;
  dendro::QueryLimits spilled;
  spilled.memory_bytes_max = std::uint64_t{64} << 20;
  spilled.spill = std::move(place);
  dendro::compare("sort", "* | sort by (user, n) | fields user, n", rows, spilled);
  dendro::compare("stats", "* | stats by (user) count() as n, sum(n) as s", rows, spilled);
  dendro::sort_with_peer(rows, folder);
  std::filesystem::remove_all(folder);
  return 0;
}
