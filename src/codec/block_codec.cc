#include "codec/block_codec.h"

#include <zstd.h>

#include "base/check.h"

namespace dendro {

struct BlockCompressor::Context {
  explicit Context(int wanted_level) : level(wanted_level), zstd(ZSTD_createCCtx()) {}
  ~Context() { ZSTD_freeCCtx(zstd); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  const int level;
  ZSTD_CCtx* const zstd;
};

BlockCompressor::BlockCompressor(int level) : context_(std::make_unique<Context>(level)) {}
BlockCompressor::~BlockCompressor() = default;

BlockCompressor::Packed BlockCompressor::pack(std::string_view plain) {
  buffer_.resize(ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compressCCtx(context_->zstd, buffer_.data(), buffer_.size(), plain.data(), plain.size(), context_->level);
  DENDRO_CHECK(ZSTD_isError(size) == 0);  // the bound is enough, so nothing is left that could fail
  if (size + plain.size() / 16 >= plain.size()) return {BlockCodec::none, plain};
  return {BlockCodec::zstd, std::string_view(buffer_).substr(0, size)};
}

namespace {

struct Decompressor {
  struct Free {
    void operator()(ZSTD_DCtx* freed) const { ZSTD_freeDCtx(freed); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
};

}  // namespace

Status unpack_block(BlockCodec codec, std::string_view stored, std::size_t plain_bytes, std::string& plain) {
  if (codec == BlockCodec::none) {
    if (stored.size() != plain_bytes) return Error(ErrorCode::corruption, "block is not of the stated size");
    plain.assign(stored);
    return {};
  }
  if (codec != BlockCodec::zstd) return Error(ErrorCode::corruption, "unknown block codec");
  // Before anything is allocated: a writer states the size in the frame.
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != plain_bytes) {
    return Error(ErrorCode::corruption, "block does not unpack to the stated size");
  }
  thread_local Decompressor decompressor;
  plain.resize(plain_bytes);
  const std::size_t size =
      ZSTD_decompressDCtx(decompressor.context.get(), plain.data(), plain.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != plain_bytes) {
    return Error(ErrorCode::corruption, "block does not unpack to the stated size");
  }
  return {};
}

}  // namespace dendro
