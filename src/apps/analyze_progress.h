#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>

#include "io/byte_source.h"

namespace dendro {

/// A progress bar on a terminal, wiped when done. `show` by one thread at a time; sources it watches may be read by
/// any.
class AnalyzeProgress {
 public:
  /// `terminal` may be null: nothing is shown. `total_bytes`: of all inputs as they lie on the disk, where known.
  AnalyzeProgress(std::FILE* terminal, std::optional<std::uint64_t> total_bytes)
      : terminal_(terminal), total_bytes_(total_bytes) {}
  ~AnalyzeProgress();
  AnalyzeProgress(const AnalyzeProgress&) = delete;
  AnalyzeProgress& operator=(const AnalyzeProgress&) = delete;

  /// The source, with what is read from it counted. This object outlives it.
  std::unique_ptr<ByteSource> watch(std::unique_ptr<ByteSource> source);
  /// Draws at most ten times a second.
  void show();

 private:
  std::FILE* const terminal_;
  const std::optional<std::uint64_t> total_bytes_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = started_;
  bool drawn_ = false;
  std::atomic<std::uint64_t> read_bytes_{0};
};

}  // namespace dendro
