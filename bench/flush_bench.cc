// What a flush and the merges behind it cost, by themselves, on one thread: exactly what the server's flusher and
// compactor do, on real files. Usage:
//   flush_bench FILE.ndjson [RUNS [FOLDER]]      RUNS, default 5; FOLDER, default a new one below the temporary folder
// Decodes FILE as an intake would (1 MiB bodies), cuts memtables of 64 MiB in the order of arrival, flushes each
// (order, encode, prove, write, sync), then merges every day as if it were over. Times are CPU times of the thread,
// best of RUNS; memory is what one flush takes at most beyond what was there before it. docs/benchmarks.md holds
// results.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "bench/corpus_rows.h"
#include "storage/compaction/compaction_plan.h"
#include "storage/compaction/segment_merge.h"
#include "storage/memtable_order.h"

namespace {

using dendro::Segment;
using dendro::SegmentInfo;
using dendro::Timestamp;

constexpr std::uint64_t kMemtableBytes = std::uint64_t{64} << 20;
const dendro::Bytes16 kStoreId{1};
const Timestamp kNow(1'790'000'000'000'000'000);  // every day of every corpus is over

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// A line of /proc/self/status in MiB.
double status_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == key + ":" && status >> kib) return kib / 1024;
  }
  return 0;
}

/// Runs `work`; gives the CPU seconds and the peak of memory beyond what was there.
struct Cost {
  double seconds = 0;
  double extra_mib = 0;
};
template <typename Work>
Cost cost_of(Work&& work) {
  std::ofstream("/proc/self/clear_refs") << 5;  // sets the peak back to what is there now
  const double before_mib = status_mib("VmRSS");
  const double begin = thread_seconds();
  work();
  return {thread_seconds() - begin, status_mib("VmHWM") - before_mib};
}

class FlushBench {
 public:
  FlushBench(const CorpusRows& corpus, const std::string& folder) : paths_(folder) {
    std::uint64_t sequence = 1;
    for (const auto& batch : corpus.batches) {
      if (memtables_.empty() || memtables_.back()->bytes() >= kMemtableBytes) {
        memtables_.push_back(std::make_shared<dendro::Memtable>(std::chrono::nanoseconds(0)));
      }
      memtables_.back()->append({batch, dendro::SequenceNumber(sequence), nullptr});
      sequence += batch->size();
    }
  }

  std::size_t flushes() const { return memtables_.size(); }
  const std::vector<SegmentInfo>& segments() const { return segments_; }

  Cost flush_all() {
    segments_.clear();
    Cost total;
    for (const auto& memtable : memtables_) {
      const dendro::MemtableView view{memtable, memtable->size()};
      const Cost cost = cost_of([&] {
        for (const dendro::DayOfRecords& day : order_by_day(view)) {
          segments_.push_back(must(write_day_segment(paths_, *files_, place(day.day, dendro::kFlushLevel), view, day)));
        }
      });
      total.seconds += cost.seconds;
      total.extra_mib = std::max(total.extra_mib, cost.extra_mib);
    }
    return total;
  }

  Cost merge_all() {
    Cost total;
    std::map<std::int64_t, std::vector<SegmentInfo>> days;
    for (const SegmentInfo& info : segments_) days[info.day.number()].push_back(info);
    segments_.clear();
    for (auto& [day, infos] : days) {
      while (const auto plan = plan_compaction(infos, kNow, {}, dendro::CompactionScope::due)) {
        const Cost cost = cost_of([&] { carry_out(*plan, infos); });
        total.seconds += cost.seconds;
        total.extra_mib = std::max(total.extra_mib, cost.extra_mib);
      }
      segments_.insert(segments_.end(), infos.begin(), infos.end());
    }
    return total;
  }

  std::uint64_t file_bytes() const {
    std::uint64_t bytes = 0;
    for (const SegmentInfo& info : segments_) bytes += info.file_bytes;
    return bytes;
  }

  void remove_segments() {
    std::filesystem::remove_all(paths_.tenants_folder());
    segments_.clear();
  }

 private:
  dendro::SegmentWriter::Place place(Timestamp day, std::uint8_t level) {
    const int zstd = level == dendro::kFinalLevel ? dendro::kLastZstdLevel : dendro::kFlushZstdLevel;
    return {kStoreId, dendro::SegmentId(next_id_++), dendro::TenantId::default_tenant(), day, level, zstd};
  }

  void carry_out(const dendro::CompactionPlan& plan, std::vector<SegmentInfo>& infos) {
    dendro::MergeRequest request;
    std::vector<SegmentInfo> kept;
    for (const SegmentInfo& info : infos) {
      const bool is_input = std::find(plan.inputs.begin(), plan.inputs.end(), info.id) != plan.inputs.end();
      if (!is_input) {
        kept.push_back(info);
        continue;
      }
      const std::string path = paths_.segment(info.tenant, info.day, info.id);
      request.inputs.push_back(Segment::open(*files_, path, kStoreId, info));
    }
    request.place = place(infos.front().day, plan.level);
    request.now = kNow;
    std::optional<dendro::SegmentId> unreadable;
    kept.push_back(*must(merge_segments(paths_, *files_, request, unreadable)).info);
    infos = std::move(kept);
  }

  const dendro::StorePaths paths_;
  const std::unique_ptr<dendro::FileSystem> files_ = dendro::make_posix_file_system();
  std::vector<std::shared_ptr<dendro::Memtable>> memtables_;
  std::vector<SegmentInfo> segments_;
  std::uint64_t next_id_ = 1;
};

void keep_best(Cost& best, const Cost& cost) {
  best.seconds = std::min(best.seconds, cost.seconds);
  best.extra_mib = std::max(best.extra_mib, cost.extra_mib);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int runs = argc > 2 ? std::atoi(argv[2]) : 5;
  const std::string folder = argc > 3 ? argv[3] : std::filesystem::temp_directory_path() / "dendro_flush_bench";
  std::size_t raw_bytes = 0;
  std::size_t encoded_bytes = 0;
  CorpusRows corpus;
  {
    const std::string text = read_text_file(argv[1]);
    raw_bytes = text.size();
    corpus = decode_corpus(text);
  }
  corpus.rows = {};
  for (const auto& batch : corpus.batches) encoded_bytes += batch->encoded().size();

  FlushBench bench(corpus, folder);
  Cost flush{std::numeric_limits<double>::max()};
  Cost merge{std::numeric_limits<double>::max()};
  std::uint64_t flushed_bytes = 0;
  std::size_t flushed_segments = 0;
  for (int run = 0; run < runs; ++run) {
    bench.remove_segments();
    keep_best(flush, bench.flush_all());
    flushed_bytes = bench.file_bytes();
    flushed_segments = bench.segments().size();
    keep_best(merge, bench.merge_all());
  }
  const auto rate = [](std::size_t bytes, double seconds) { return static_cast<double>(bytes) / 1e6 / seconds; };
  std::printf("%s: %zu bytes raw, %zu in batches\n", argv[1], raw_bytes, encoded_bytes);
  std::printf(
      "  flush  %.3f s CPU, %.0f MB/s raw, %.0f MB/s of batches; %zu flushes, %zu segments, %llu bytes; %.0f MiB\n",
      flush.seconds, rate(raw_bytes, flush.seconds), rate(encoded_bytes, flush.seconds), bench.flushes(),
      flushed_segments, static_cast<unsigned long long>(flushed_bytes), flush.extra_mib);
  std::printf("  merge  %.3f s CPU, %.0f MB/s raw; %zu segments, %llu bytes; %.0f MiB\n", merge.seconds,
              rate(raw_bytes, merge.seconds), bench.segments().size(),
              static_cast<unsigned long long>(bench.file_bytes()), merge.extra_mib);
  std::filesystem::remove_all(folder);
}
