#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "io/decompress.h"

namespace dendro {

enum class StepState : std::uint8_t {
  running,    ///< inside a frame: wants more input or more room
  frame_end,  ///< the frame is complete and its checksum right; what is left of the input is not part of it
};

/// One packed format behind its library: turns some input into some output. The state between calls is the frame's.
/// States: begin -> running* -> frame_end -> begin ... Not thread-safe. Used by the decompressor only.
class CodecStep {
 public:
  virtual ~CodecStep() = default;
  /// Starts a frame (gzip: a member).
  virtual Status begin() = 0;
  /// Takes bytes off the front of `input`, puts bytes into the front of `out` and shortens both to what is left.
  /// Errors: corruption.
  virtual Result<StepState> step(std::string_view& input, std::span<char>& out) = 0;
  /// Whether further frames may follow the first one.
  virtual bool has_frames() const = 0;
};

std::unique_ptr<CodecStep> make_gzip_step();                    // gzip_step.cc: ISA-L
std::unique_ptr<CodecStep> make_zstd_step(int window_log_max);  // zstd_step.cc: libzstd
std::unique_ptr<CodecStep> make_deflate_step();                 // deflate_step.cc: zlib

}  // namespace dendro
