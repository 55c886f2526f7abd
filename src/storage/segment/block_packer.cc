#include "storage/segment/block_packer.h"

namespace dendro {

ChunkPlace BlockPacker::add(std::string_view chunk) {
  if (chunk.size() >= kSharedBlockBytes) return add_alone(chunk);
  if (shared_.size() + chunk.size() > kSharedBlockBytes) close_shared();
  if (shared_.empty()) {
    shared_number_ = blocks_.size();
    blocks_.emplace_back();
  }
  const ChunkPlace place{static_cast<std::uint32_t>(shared_number_), static_cast<std::uint32_t>(shared_.size()),
                         static_cast<std::uint32_t>(chunk.size())};
  shared_.append(chunk);
  return place;
}

ChunkPlace BlockPacker::add_alone(std::string_view chunk) {
  const auto number = static_cast<std::uint32_t>(blocks_.size());
  pack(blocks_.emplace_back(), chunk);
  return {number, 0, static_cast<std::uint32_t>(chunk.size())};
}

void BlockPacker::close_shared() {
  if (shared_.empty()) return;
  pack(blocks_[shared_number_], shared_);
  shared_.clear();
}

void BlockPacker::pack(Block& block, std::string_view plain) {
  const BlockCompressor::Packed packed = compressor_.pack(plain);
  block.stored = packed.bytes;
  block.place.codec = packed.codec;
  block.place.stored_bytes = static_cast<std::uint32_t>(packed.bytes.size());
  block.place.plain_bytes = static_cast<std::uint32_t>(plain.size());
}

std::vector<BlockPlace> BlockPacker::finish(std::string& stored) {
  close_shared();
  std::vector<BlockPlace> places;
  for (Block& block : blocks_) {
    block.place.offset = stored.size();
    stored.append(block.stored);
    places.push_back(block.place);
  }
  blocks_.clear();
  return places;
}

}  // namespace dendro
