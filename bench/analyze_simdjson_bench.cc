// The yardstick of bench/analyze.py: the same chunks read the same way by as many threads, but each line goes through
// simdjson's own validating parser (DOM, Debian's 3.0.1) and nothing is counted but lines. usage:
// analyze_simdjson_bench FILE [THREADS]
#include <simdjson.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "io/byte_source.h"
#include "parse/analyze/chunk_cutter.h"
#include "parse/analyze/structural_index.h"

namespace {

constexpr std::size_t kBenchChunkBytes = std::size_t{512} << 10;
static_assert(dendro::kIndexPadBytes >= simdjson::SIMDJSON_PADDING);

struct Totals {
  std::atomic<std::uint64_t> good{0};
  std::atomic<std::uint64_t> bad{0};
};

void validate_chunks(dendro::ChunkCutter& cutter, dendro::Mutex& mutex, Totals& totals) {
  simdjson::dom::parser parser;
  dendro::Chunk chunk;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  while (true) {
    {
      dendro::MutexLock lock(mutex);
      const dendro::Result<bool> more = cutter.next(chunk);
      if (!more || !*more) break;
    }
    const char* at = chunk.text();
    const char* const last = at + chunk.size;
    while (at < last) {
      const auto* end = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(last - at)));
      simdjson::dom::element element;
      const auto error = parser.parse(at, static_cast<std::size_t>(end - at), false).get(element);
      (error == simdjson::SUCCESS ? good : bad) += 1;
      at = end + 1;
    }
  }
  totals.good += good;
  totals.bad += bad;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  auto source = dendro::open_file_source(argv[1]);
  if (!source) {
    std::fprintf(stderr, "%s\n", source.error().message().c_str());
    return 2;
  }
  dendro::ChunkCutter cutter(*std::move(source), kBenchChunkBytes);
  dendro::Mutex mutex;
  Totals totals;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < (argc > 2 ? std::atoi(argv[2]) : 2); ++i) {
      threads.emplace_back([&] { validate_chunks(cutter, mutex, totals); });
    }
  }
  std::printf("good %llu bad %llu\n", static_cast<unsigned long long>(totals.good),
              static_cast<unsigned long long>(totals.bad));
  return 0;
}
