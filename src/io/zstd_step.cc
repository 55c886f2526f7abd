#include <zstd.h>
#include <zstd_errors.h>

#include <string>

#include "io/codec_step.h"

namespace dendro {
namespace {

struct FreeDctx {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdStep final : public CodecStep {
 public:
  explicit ZstdStep(int window_log_max) : context_(ZSTD_createDCtx()), window_log_max_(window_log_max) {}

  Status begin() override {
    if (!context_) return Error(ErrorCode::io_error, "zstd: out of memory");
    ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
    const std::size_t code = ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window_log_max_);
    if (ZSTD_isError(code))
      return Error(ErrorCode::invalid_argument, "zstd: window limit " + std::to_string(window_log_max_));
    return {};
  }

  Result<StepState> step(std::string_view& input, std::span<char>& out) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer result{out.data(), out.size(), 0};
    const std::size_t code = ZSTD_decompressStream(context_.get(), &result, &in);
    if (ZSTD_isError(code)) return failure(code);
    input.remove_prefix(in.pos);
    out = out.subspan(result.pos);
    return code == 0 ? StepState::frame_end : StepState::running;
  }

  bool has_frames() const override { return true; }

 private:
  Error failure(std::size_t code) const {
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge) {
      return Error(ErrorCode::too_large, "zstd: the frame wants a window over 2^" + std::to_string(window_log_max_) +
                                             " bytes; repack it without --long, or unpack it before");
    }
    return Error(ErrorCode::corruption, std::string("zstd: ") + ZSTD_getErrorName(code));
  }

  std::unique_ptr<ZSTD_DCtx, FreeDctx> context_;
  const int window_log_max_;
};

}  // namespace

std::unique_ptr<CodecStep> make_zstd_step(int window_log_max) {
  return std::make_unique<ZstdStep>(window_log_max);
}

}  // namespace dendro
