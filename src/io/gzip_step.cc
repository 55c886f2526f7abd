#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <string>

#include "io/codec_step.h"

namespace dendro {
namespace {

/// The library counts in 32 bits.
constexpr std::size_t kIsalBytesMax = std::size_t{1} << 30;

std::string_view isal_error_text(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK:
      return "invalid deflate block";
    case ISAL_INVALID_SYMBOL:
      return "invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK:
      return "reference before the start of the data";
    case ISAL_INVALID_WRAPPER:
      return "not a gzip member";
    case ISAL_UNSUPPORTED_METHOD:
      return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM:
      return "checksum or length does not match";
    default:
      return "damaged";
  }
}

class GzipStep final : public CodecStep {
 public:
  Status begin() override {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    return {};
  }

  Result<StepState> step(std::string_view& input, std::span<char>& out) override {
    const std::size_t in_bytes = std::min(input.size(), kIsalBytesMax);
    const std::size_t out_bytes = std::min(out.size(), kIsalBytesMax);
    // The library's pointer is not const but it only reads.
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(input.data()));
    state_.avail_in = static_cast<std::uint32_t>(in_bytes);
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = static_cast<std::uint32_t>(out_bytes);
    const int code = isal_inflate(&state_);
    if (code < 0 || code == ISAL_NEED_DICT) {
      return Error(ErrorCode::corruption, "gzip: " + std::string(isal_error_text(code)));
    }
    input.remove_prefix(in_bytes - state_.avail_in);
    out = out.subspan(out_bytes - state_.avail_out);
    return state_.block_state == ISAL_BLOCK_FINISH ? StepState::frame_end : StepState::running;
  }

  bool has_frames() const override { return true; }

 private:
  inflate_state state_{};
};

}  // namespace

std::unique_ptr<CodecStep> make_gzip_step() {
  return std::make_unique<GzipStep>();
}

}  // namespace dendro
