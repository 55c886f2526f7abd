#include "codec/block_codec.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

namespace dendro {
namespace {

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

std::string block_round_trip(BlockCompressor& compressor, const std::string& plain, BlockCodec expected) {
  const BlockCompressor::Packed packed = compressor.pack(plain);
  EXPECT_EQ(packed.codec, expected);
  std::string back = "old";
  const Status unpacked = unpack_block(packed.codec, packed.bytes, plain.size(), back);
  EXPECT_TRUE(unpacked.has_value());
  EXPECT_EQ(back, plain);
  return std::string(packed.bytes);
}

TEST(BlockCodec, GivesBackBlocksOfEachKind) {
  for (const int level : {1, 9}) {
    BlockCompressor compressor(level);
    block_round_trip(compressor, std::string(100'000, 'a'), BlockCodec::zstd);
    block_round_trip(compressor, random_bytes(100'000, 1), BlockCodec::none);
    block_round_trip(compressor, "", BlockCodec::none);
    block_round_trip(compressor, "a", BlockCodec::none);
    block_round_trip(compressor, random_bytes(95, 2) + std::string(300, 'z'), BlockCodec::zstd);
  }
}

TEST(BlockCodec, PacksOnlyWhatSavesASixteenth) {
  BlockCompressor compressor(1);
  const std::string almost = random_bytes(100'000, 3) + std::string(5'000, 'a');
  block_round_trip(compressor, almost, BlockCodec::none);
  block_round_trip(compressor, almost + std::string(5'000, 'a'), BlockCodec::zstd);
}

TEST(BlockCodec, RefusesAnotherSizeOrCodec) {
  BlockCompressor compressor(1);
  const std::string plain(10'000, 'a');
  const std::string stored(compressor.pack(plain).bytes);
  std::string back;
  for (const std::size_t size : {std::size_t{0}, plain.size() - 1, plain.size() + 1, std::size_t{1} << 40}) {
    const Status unpacked = unpack_block(BlockCodec::zstd, stored, size, back);
    ASSERT_FALSE(unpacked.has_value());
    EXPECT_EQ(unpacked.error().code(), ErrorCode::corruption);
  }
  EXPECT_FALSE(unpack_block(BlockCodec::none, stored, stored.size() + 1, back).has_value());
  EXPECT_FALSE(unpack_block(static_cast<BlockCodec>(2), stored, plain.size(), back).has_value());
  EXPECT_FALSE(unpack_block(BlockCodec::zstd, "", 0, back).has_value());
}

TEST(BlockCodec, CutsAndFlipsGiveCorruptionOrTheStatedSize) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 42;
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  BlockCompressor compressor(1);
  const std::string plain = random_bytes(200, seed) + std::string(3'000, 'b') + random_bytes(100, seed + 1);
  const std::string stored(compressor.pack(plain).bytes);
  std::string back;
  for (std::size_t size = 0; size < stored.size(); ++size) {
    const std::vector<char> exact(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(unpack_block(BlockCodec::zstd, {exact.data(), exact.size()}, plain.size(), back).has_value());
  }
  for (int round = 0; round < 5'000; ++round) {
    std::vector<char> damaged(stored.begin(), stored.end());
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    const Status unpacked = unpack_block(BlockCodec::zstd, {damaged.data(), damaged.size()}, plain.size(), back);
    if (unpacked) ASSERT_EQ(back.size(), plain.size());
    if (!unpacked) ASSERT_EQ(unpacked.error().code(), ErrorCode::corruption);
  }
}

}  // namespace
}  // namespace dendro
