#include "io/decompress.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "io/codec_step.h"

namespace dendro {
namespace {

constexpr std::size_t kPackedBufferBytes = std::size_t{128} << 10;
constexpr std::uint64_t kRatioJudgedFrom = std::uint64_t{1} << 20;
constexpr std::uint32_t kZstdMagic = 0xFD2FB528;
constexpr std::uint32_t kZstdSkippableMagic = 0x184D2A50;  // and the fifteen after it

std::string_view packing_name(Packing packing) {
  switch (packing) {
    case Packing::plain:
      return "plain";
    case Packing::gzip:
      return "gzip";
    case Packing::zstd:
      return "zstd";
    case Packing::deflate:
      return "deflate";
  }
  return "";
}

std::unique_ptr<CodecStep> make_step(Packing packing, const DecompressLimits& limits) {
  switch (packing) {
    case Packing::gzip:
      return make_gzip_step();
    case Packing::zstd:
      return make_zstd_step(limits.zstd_window_log_max);
    case Packing::deflate:
      return make_deflate_step();
    case Packing::plain:
      break;
  }
  DENDRO_CHECK(false && "plain needs no codec");
  return nullptr;
}

/// Frames one after the other, NUL padding behind the last one, limits on what comes out.
class Decompressor final : public ByteSource {
 public:
  Decompressor(Packing packing, std::unique_ptr<ByteSource> packed, DecompressLimits limits)
      : packing_(packing),
        packed_(std::move(packed)),
        limits_(limits),
        step_(make_step(packing, limits)),
        buffer_(kPackedBufferBytes) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (failure_) return *failure_;
    Result<std::size_t> count = read_some(out);
    if (!count) failure_ = count.error();
    return count;
  }

 private:
  Result<std::size_t> read_some(std::span<char> out) {
    if (out.empty()) return std::size_t{0};
    while (true) {
      if (!in_frame_) {
        DENDRO_TRY_ASSIGN(const bool more, next_frame());
        if (!more) return std::size_t{0};
      }
      std::span<char> room = out;
      DENDRO_TRY_ASSIGN(const StepState state, step_->step(input_, room));
      if (state == StepState::frame_end) in_frame_ = false;
      const std::size_t count = out.size() - room.size();
      unpacked_bytes_ += count;
      DENDRO_TRY(check_limits());
      if (count > 0) return count;
      if (in_frame_ && input_.empty()) {
        DENDRO_TRY_ASSIGN(const bool more, refill());
        if (!more) return ends_early();
      }
    }
  }

  /// True: a frame begins in `input_`. False: the stream is at its proper end.
  Result<bool> next_frame() {
    while (true) {
      if (frames_ > 0) input_.remove_prefix(std::min(input_.find_first_not_of('\0'), input_.size()));
      if (!input_.empty()) break;
      DENDRO_TRY_ASSIGN(const bool more, refill());
      if (more) continue;
      if (frames_ == 0) return ends_early();
      return false;
    }
    if (frames_ > 0 && !step_->has_frames()) {
      return Error(ErrorCode::corruption, std::string(packing_name(packing_)) + ": bytes after the end of the stream");
    }
    DENDRO_TRY(step_->begin());
    in_frame_ = true;
    ++frames_;
    return true;
  }

  Result<bool> refill() {
    DENDRO_TRY_ASSIGN(const std::size_t count, packed_->read(buffer_));
    packed_bytes_ += count;
    input_ = std::string_view(buffer_.data(), count);
    return count > 0;
  }

  Error ends_early() const {
    return Error(ErrorCode::corruption, std::string(packing_name(packing_)) + ": ends early after " +
                                            std::to_string(packed_bytes_) + " packed bytes");
  }

  Status check_limits() const {
    if (unpacked_bytes_ > limits_.bytes_max) {
      return Error(ErrorCode::too_large,
                   "unpacks to more than the limit of " + std::to_string(limits_.bytes_max) + " bytes");
    }
    if (unpacked_bytes_ > kRatioJudgedFrom &&
        unpacked_bytes_ / std::max<std::uint64_t>(packed_bytes_, 1) > limits_.ratio_max) {
      return Error(ErrorCode::too_large,
                   "unpacks to more than " + std::to_string(limits_.ratio_max) + " times its size");
    }
    return {};
  }

  const Packing packing_;
  const std::unique_ptr<ByteSource> packed_;
  const DecompressLimits limits_;
  const std::unique_ptr<CodecStep> step_;
  std::vector<char> buffer_;
  std::string_view input_;  // part of buffer_ not yet taken
  std::uint64_t packed_bytes_ = 0;
  std::uint64_t unpacked_bytes_ = 0;
  std::uint64_t frames_ = 0;
  bool in_frame_ = false;
  std::optional<Error> failure_;
};

}  // namespace

Packing detect_packing(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1F\x8B")) return Packing::gzip;
  if (first_bytes.size() < 4) return Packing::plain;
  const auto magic = load_le<std::uint32_t>(first_bytes.data());
  const bool zstd = magic == kZstdMagic || (magic & 0xFFFFFFF0U) == kZstdSkippableMagic;
  return zstd ? Packing::zstd : Packing::plain;
}

std::unique_ptr<ByteSource> make_decompressor(Packing packing, std::unique_ptr<ByteSource> packed,
                                              DecompressLimits limits) {
  if (packing == Packing::plain) return packed;
  return std::make_unique<Decompressor>(packing, std::move(packed), limits);
}

Result<std::unique_ptr<ByteSource>> unpack_by_content(std::unique_ptr<ByteSource> source, DecompressLimits limits) {
  DENDRO_TRY_ASSIGN(std::string front, read_front(*source, kPackingMagicBytes));
  const Packing packing = detect_packing(front);
  return make_decompressor(packing, make_prefixed_source(std::move(front), std::move(source)), limits);
}

Result<std::string> decompress(Packing packing, std::string_view packed, DecompressLimits limits) {
  if (packing == Packing::plain) {
    if (packed.size() > limits.bytes_max) {
      return Error(ErrorCode::too_large, "is larger than the limit of " + std::to_string(limits.bytes_max) + " bytes");
    }
    return std::string(packed);
  }
  const std::unique_ptr<ByteSource> source =
      make_decompressor(packing, std::make_unique<MemoryByteSource>(std::string(packed)), limits);
  std::string out;
  std::size_t size = 0;
  while (true) {
    if (size == out.size()) out.resize(std::max<std::size_t>(out.size() * 2, std::size_t{16} << 10));
    DENDRO_TRY_ASSIGN(const std::size_t count, source->read(std::span<char>(out).subspan(size)));
    if (count == 0) break;
    size += count;
  }
  out.resize(size);
  return out;
}

}  // namespace dendro
