#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/cancel.h"
#include "base/result.h"
#include "io/byte_source.h"
#include "parse/analyze/count_types.h"
#include "parse/analyze/structural_index.h"

namespace dendro {

struct CountRun {
  int threads = 2;     ///< 1: all on the caller's thread
  CancelToken cancel;  ///< looked at once a chunk; then the error is `cancelled`
  /// Looked at once a chunk; past it the error is `deadline_exceeded`.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  /// Called now and then with the bytes of text read so far, by one thread at a time, not always the same one. May be
  /// empty.
  std::function<void(std::uint64_t bytes)> progress;
  Indexer indexer = best_indexer();
  /// Text a worker counts at a time: small enough to stay in its second-level cache since it was read. Tests take less.
  std::size_t chunk_bytes = std::size_t{512} << 10;
};

/// Counts the records of a text by the line rule of five-systems.md 2.3: lines, several objects on a line,
/// pretty-printed objects, one array of objects; UTF-8 with or without a mark, UTF-16 with one. `source` is unpacked
/// already. The outcome does not depend on threads, indexer or how the source cuts its reads. Holds a few MiB, for long
/// lines up to about 100 MiB. Errors: those of the source, cancelled, deadline_exceeded.
Result<CountResult> count_lines(std::unique_ptr<ByteSource> source, const CountOptions& options,
                                const CountRun& run = {});

}  // namespace dendro
