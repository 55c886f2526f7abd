#include "parse/analyze/count_lines.h"

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "parse/analyze/array_reader.h"
#include "parse/analyze/chunk_cutter.h"
#include "parse/analyze/chunk_scanner.h"
#include "parse/analyze/text_source.h"

namespace dendro {
namespace {

/// Chunks that may be counted ahead of the oldest unfinished one: bounds what waits to be joined.
constexpr std::uint64_t kChunksAheadMax = 8;

/// Chunks out, their rests back in; one a run. Each worker takes the next chunk, counts it for itself and returns what
/// only its neighbours can decide; those are joined in the order of the text by whoever returns the oldest one.
/// Thread-safe.
class CountPipeline {
 public:
  /// Both references outlive the pipeline.
  CountPipeline(std::unique_ptr<ByteSource> source, const RecordRule& rule, const CountRun& run)
      : run_(run), cutter_(std::move(source), run.chunk_bytes), joiner_(rule, tally_) {}

  /// Works until the input is at its end or an error occurred.
  void work(ChunkScanner& scanner) {
    Chunk chunk;
    while (take(chunk)) {
      ChunkRest rest;
      if (!chunk.too_long) rest = scanner.scan(chunk.text(), chunk.size, chunk.offset);
      give_back(chunk, std::move(rest));
    }
  }

  /// Once all workers have returned.
  Result<CountResult> finish(LineTally workers) {
    MutexLock lock(work_mutex_);
    MutexLock join_lock(join_mutex_);
    if (failure_) return *failure_;
    joiner_.finish();
    workers.merge(tally_);
    CountResult result = workers.result();
    result.bytes = cutter_.bytes();
    return result;
  }

 private:
  bool take(Chunk& chunk) {
    MutexLock lock(work_mutex_);
    if (ended_) return false;
    if (run_.cancel.cancelled()) return stop_locked(Error(ErrorCode::cancelled, "analysis: cancelled"));
    if (std::chrono::steady_clock::now() > run_.deadline) {
      return stop_locked(Error(ErrorCode::deadline_exceeded, "analysis: out of time"));
    }
    Result<bool> more = cutter_.next(chunk);
    if (!more) return stop_locked(std::move(more).error());
    if (!*more) {
      ended_ = true;
      return false;
    }
    if (run_.progress) run_.progress(cutter_.bytes());
    return true;
  }

  bool stop_locked(Error error) DENDRO_REQUIRES(work_mutex_) {
    failure_ = std::move(error);
    ended_ = true;
    return false;
  }

  void give_back(const Chunk& chunk, ChunkRest rest) {
    MutexLock lock(join_mutex_);
    // The worker with the oldest chunk never waits here, so the others get on.
    while (chunk.index >= joined_ + kChunksAheadMax) joined_more_.wait(join_mutex_);
    waiting_.emplace(chunk.index, Waiting{std::move(rest), chunk.too_long});
    for (auto oldest = waiting_.find(joined_); oldest != waiting_.end(); oldest = waiting_.find(joined_)) {
      join_locked(oldest->second);
      waiting_.erase(oldest);
      ++joined_;
    }
    joined_more_.notify_all();
  }

  struct Waiting {
    ChunkRest rest;
    bool too_long = false;
  };

  void join_locked(const Waiting& chunk) DENDRO_REQUIRES(join_mutex_) {
    if (chunk.too_long) {
      joiner_.add({LineKind::unparsed, SkipReason::too_long, {}}, 0, {});
      return;
    }
    for (const LineJoiner::Line& line : chunk.rest.head) joiner_.add(line.text, line.offset);
    if (chunk.rest.has_alone) joiner_.break_join();
    if (!chunk.rest.tail.lines.empty()) joiner_.take_over(chunk.rest.tail);
  }

  const CountRun& run_;
  Mutex work_mutex_;
  ChunkCutter cutter_ DENDRO_GUARDED_BY(work_mutex_);
  bool ended_ DENDRO_GUARDED_BY(work_mutex_) = false;
  std::optional<Error> failure_ DENDRO_GUARDED_BY(work_mutex_);

  Mutex join_mutex_;
  CondVar joined_more_;
  LineTally tally_ DENDRO_GUARDED_BY(join_mutex_);
  LineJoiner joiner_ DENDRO_GUARDED_BY(join_mutex_);
  std::uint64_t joined_ DENDRO_GUARDED_BY(join_mutex_) = 0;  // chunks
  std::map<std::uint64_t, Waiting> waiting_ DENDRO_GUARDED_BY(join_mutex_);
};

}  // namespace

Result<CountResult> count_lines(std::unique_ptr<ByteSource> source, const CountOptions& options, const CountRun& run) {
  const RecordRule rule(options);
  DENDRO_TRY_ASSIGN(std::unique_ptr<ByteSource> text, make_text_source(std::move(source)));
  LineTally array_tally;
  ArrayReader array(rule, array_tally);
  DENDRO_TRY_ASSIGN(std::string lines, array.read(*text));
  CountResult result = array_tally.result();
  result.bytes = array.bytes();

  CountPipeline pipeline(make_prefixed_source(std::move(lines), std::move(text)), rule, run);
  std::vector<std::unique_ptr<ChunkScanner>> scanners;
  const auto threads = static_cast<std::size_t>(std::clamp(run.threads, 1, 64));
  for (std::size_t i = 0; i < threads; ++i) scanners.push_back(std::make_unique<ChunkScanner>(rule, run.indexer));
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back([&, i] { pipeline.work(*scanners[i]); });
    pipeline.work(*scanners[0]);
  }
  LineTally workers;
  for (const auto& scanner : scanners) workers.merge(scanner->tally());
  DENDRO_TRY_ASSIGN(const CountResult lines_result, pipeline.finish(std::move(workers)));
  result.append(lines_result);
  return result;
}

}  // namespace dendro
