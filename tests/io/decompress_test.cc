#include "io/decompress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <vector>

namespace dendro {
namespace {

/// Gives one byte at a time, or all.
class SteppedSource final : public ByteSource {
 public:
  SteppedSource(std::string bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = bytes_.copy(out.data(), std::min(out.size(), step_), offset_);
    offset_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t step_;
  std::size_t offset_ = 0;
};

std::string zlib_pack(std::string_view text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string gzip(std::string_view text) {
  return zlib_pack(text, MAX_WBITS + 16);
}
std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}
const std::string kSkippable("\x53\x2A\x4D\x18\x03\x00\x00\x00xyz", 11);

Result<std::string> unpack(Packing packing, const std::string& packed, std::size_t step, std::size_t room = 4096) {
  const auto source = make_decompressor(packing, std::make_unique<SteppedSource>(packed, step));
  std::string text;
  std::string piece(room, '\0');
  while (true) {
    DENDRO_TRY_ASSIGN(const std::size_t count, source->read(piece));
    if (count == 0) return text;
    text.append(piece, 0, count);
  }
}

std::string sample(std::size_t size) {
  std::mt19937 random(5);
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(random() % 5000) + "\n";
  return text;
}

struct Format {
  Packing packing;
  std::string packed_once;
  std::string packed_twice;  // several members or frames, padding; what comes out is the text twice
};

std::vector<Format> formats(const std::string& text) {
  return {{Packing::gzip, gzip(text), gzip(text) + gzip("") + gzip(text) + std::string(1000, '\0')},
          {Packing::zstd, zstd(text),
           kSkippable + zstd(text) + kSkippable + zstd("") + zstd(text) + kSkippable + std::string(9, '\0')},
          {Packing::deflate, zlib_pack(text, MAX_WBITS), ""},
          {Packing::deflate, zlib_pack(text, -MAX_WBITS), ""}};
}

TEST(Decompress, UnpacksInAnySteps) {
  const std::string text = sample(70000);
  for (const Format& format : formats(text)) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      for (const std::size_t room : {std::size_t{1}, std::size_t{100}, std::size_t{1} << 17}) {
        const auto once = unpack(format.packing, format.packed_once, step, room);
        ASSERT_TRUE(once.has_value()) << once.error().message();
        ASSERT_EQ(*once, text);
        if (format.packed_twice.empty()) continue;
        const auto twice = unpack(format.packing, format.packed_twice, step, room);
        ASSERT_TRUE(twice.has_value()) << twice.error().message();
        ASSERT_EQ(*twice, text + text);
      }
    }
  }
}

TEST(Decompress, EveryCutIsAnError) {
  const std::string text = sample(300);
  for (const Format& format : formats(text)) {
    for (std::size_t size = 0; size < format.packed_once.size(); ++size) {
      const auto cut = unpack(format.packing, format.packed_once.substr(0, size), 1 << 16);
      ASSERT_FALSE(cut.has_value()) << static_cast<int>(format.packing) << " cut at " << size;
      ASSERT_EQ(cut.error().code(), ErrorCode::corruption);
    }
  }
}

TEST(Decompress, DamageIsAnErrorOrHarmless) {
  const std::string text = sample(3000);
  for (const Format& format : formats(text)) {
    if (format.packing == Packing::deflate && format.packed_once[0] != '\x78') continue;  // raw deflate has no checksum
    for (std::size_t at = 0; at < format.packed_once.size(); ++at) {
      std::string packed = format.packed_once;
      packed[at] = static_cast<char>(packed[at] ^ 0x10);
      const auto damaged = unpack(format.packing, packed, 1 << 16);
      if (damaged) {
        ASSERT_EQ(*damaged, text) << "byte " << at;  // header fields that do not matter
      }
    }
  }
}

TEST(Decompress, GarbageBehindTheEndIsAnError) {
  for (const Format& format : formats("text")) {
    EXPECT_FALSE(unpack(format.packing, format.packed_once + "garbage", 1 << 16).has_value());
    EXPECT_FALSE(unpack(format.packing, format.packed_once + std::string("\0\0g", 3), 1).has_value());
  }
  EXPECT_FALSE(unpack(Packing::gzip, gzip("a") + gzip("b").substr(0, 9), 1).has_value());
}

TEST(Decompress, CountsLimitsAsOutputRuns) {
  const std::string zeros(std::size_t{8} << 20, '0');
  for (const Format& format : formats(zeros)) {
    EXPECT_EQ(decompress(format.packing, format.packed_once, {.bytes_max = zeros.size()})->size(), zeros.size());
    EXPECT_EQ(decompress(format.packing, format.packed_once, {.bytes_max = zeros.size() - 1}).error().code(),
              ErrorCode::too_large);
    EXPECT_EQ(decompress(format.packing, format.packed_once, {.ratio_max = 50}).error().code(), ErrorCode::too_large);
  }
  EXPECT_EQ(decompress(Packing::plain, "abc", {.bytes_max = 2}).error().code(), ErrorCode::too_large);
}

TEST(Decompress, ErrorsAreFinal) {
  const auto source = make_decompressor(Packing::gzip, std::make_unique<MemoryByteSource>("not gzip at all"));
  std::string room(10, '\0');
  EXPECT_FALSE(source->read(room).has_value());
  EXPECT_FALSE(source->read(room).has_value());
}

TEST(Decompress, TellsPackingByContent) {
  EXPECT_EQ(detect_packing(gzip("a")), Packing::gzip);
  EXPECT_EQ(detect_packing(zstd("a")), Packing::zstd);
  EXPECT_EQ(detect_packing(kSkippable), Packing::zstd);
  EXPECT_EQ(detect_packing("{\"a\":1}"), Packing::plain);
  EXPECT_EQ(detect_packing(""), Packing::plain);
  for (const std::string& bytes : {gzip("text"), zstd("text"), std::string("text")}) {
    auto source = unpack_by_content(std::make_unique<SteppedSource>(bytes, 1));
    ASSERT_TRUE(source.has_value());
    std::string room(10, '\0');
    EXPECT_GT(*(*source)->read(room), 0u);
    EXPECT_EQ(room[0], 't');
  }
}

}  // namespace
}  // namespace dendro
