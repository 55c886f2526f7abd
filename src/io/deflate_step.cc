#include <zlib.h>

#include <algorithm>
#include <string>

#include "io/codec_step.h"

namespace dendro {
namespace {

constexpr std::size_t kZlibBytesMax = std::size_t{1} << 30;

/// RFC 1950: method 8, and the two bytes as a number are a multiple of 31.
bool looks_zlib_wrapped(unsigned char first, unsigned char second) {
  return (first & 0x0F) == 8 && (first >> 4) <= 7 && (first * 256 + second) % 31 == 0;
}

/// `deflate` of HTTP: with the zlib wrapper as RFC 9110 says, or raw as some senders do; the first two bytes tell.
class DeflateStep final : public CodecStep {
 public:
  ~DeflateStep() override {
    if (open_) inflateEnd(&stream_);
  }

  Status begin() override { return {}; }

  Result<StepState> step(std::string_view& input, std::span<char>& out) override {
    if (!open_) {
      take_head(input);
      if (head_.size() < 2) return StepState::running;
      if (inflateInit2(&stream_, looks_zlib_wrapped(byte(0), byte(1)) ? MAX_WBITS : -MAX_WBITS) != Z_OK) {
        return Error(ErrorCode::io_error, "deflate: out of memory");
      }
      open_ = true;
    }
    std::string_view head = head_;
    DENDRO_TRY_ASSIGN(StepState state, inflate_some(head, out));
    head_.erase(0, head_.size() - head.size());
    if (state == StepState::frame_end || !head_.empty()) return state;
    return inflate_some(input, out);
  }

  bool has_frames() const override { return false; }

 private:
  unsigned char byte(std::size_t i) const { return static_cast<unsigned char>(head_[i]); }

  void take_head(std::string_view& input) {
    const std::size_t count = std::min(input.size(), 2 - head_.size());
    head_.append(input.substr(0, count));
    input.remove_prefix(count);
  }

  Result<StepState> inflate_some(std::string_view& input, std::span<char>& out) {
    const std::size_t in_bytes = std::min(input.size(), kZlibBytesMax);
    const std::size_t out_bytes = std::min(out.size(), kZlibBytesMax);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // only read
    stream_.avail_in = static_cast<uInt>(in_bytes);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out_bytes);
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return Error(ErrorCode::corruption,
                   std::string("deflate: ") + (stream_.msg != nullptr ? stream_.msg : "damaged"));
    }
    input.remove_prefix(in_bytes - stream_.avail_in);
    out = out.subspan(out_bytes - stream_.avail_out);
    return code == Z_STREAM_END ? StepState::frame_end : StepState::running;
  }

  z_stream stream_{};
  bool open_ = false;
  std::string head_;  // the first two bytes, until the stream has taken them
};

}  // namespace

std::unique_ptr<CodecStep> make_deflate_step() {
  return std::make_unique<DeflateStep>();
}

}  // namespace dendro
