#include "storage/segment.h"

#include <zstd.h>

#include "base/checksum.h"
#include "storage/limits.h"

namespace dendro {
namespace {

Status check_block_places(const SegmentMeta& meta, std::uint64_t meta_offset) {
  for (const SegmentBlockInfo& block : meta.blocks) {
    const bool is_inside = block.offset >= kSegmentHeaderBytes && block.offset <= meta_offset &&
                           block.stored_bytes <= meta_offset - block.offset;
    if (!is_inside || block.plain_bytes > kMaxSegmentBlockPlainBytes || block.record_count == 0) {
      return Error(ErrorCode::corruption, "META: a block lies outside");
    }
  }
  return {};
}

}  // namespace

std::shared_ptr<const Segment> Segment::open(FileSystem& files, const std::string& path, const Bytes16& store_id,
                                             const SegmentInfo& info) {
  std::shared_ptr<Segment> segment(new Segment(path, info));
  const Status loaded = segment->load(files, store_id);
  if (!loaded) {
    // A missing file is damage like any other: never silently empty.
    segment->damage_ = Error(ErrorCode::corruption, "segment " + path + ": " + loaded.error().message());
    segment->blocks_.clear();
  }
  return segment;
}

Status Segment::load(FileSystem& files, const Bytes16& store_id) {
  DENDRO_TRY_ASSIGN(reader_, files.open_reader(path_));
  DENDRO_TRY_ASSIGN(const std::uint64_t size, reader_->size());
  if (size != info_.file_bytes || size < kSegmentHeaderBytes + kSegmentTailBytes) {
    return Error(ErrorCode::corruption,
                 "has " + std::to_string(size) + " bytes, not " + std::to_string(info_.file_bytes));
  }
  std::string header(kSegmentHeaderBytes, '\0');
  DENDRO_TRY(read_exactly(0, header));
  DENDRO_TRY(check_segment_header(header, store_id, info_.id));
  std::string tail_bytes(kSegmentTailBytes, '\0');
  DENDRO_TRY(read_exactly(size - kSegmentTailBytes, tail_bytes));
  DENDRO_TRY_ASSIGN(const SegmentTail tail, parse_segment_tail(tail_bytes));
  if (tail.meta_offset > size || tail.meta_offset + tail.meta_bytes + kSegmentTailBytes != size) {
    return Error(ErrorCode::corruption, "tail: META lies outside");
  }
  std::string meta_bytes(tail.meta_bytes, '\0');
  DENDRO_TRY(read_exactly(tail.meta_offset, meta_bytes));
  const std::uint64_t hash = xxh3(meta_bytes, HashSeed(info_.id.number()));
  if (hash != tail.meta_hash || hash != info_.footer_hash)
    return Error(ErrorCode::corruption, "META: checksum mismatch");
  DENDRO_TRY_ASSIGN(SegmentMeta meta, parse_segment_meta(meta_bytes));
  DENDRO_TRY(check_block_places(meta, tail.meta_offset));
  blocks_ = std::move(meta.blocks);
  keys_ = std::move(meta.keys);
  return {};
}

Status Segment::read_exactly(std::uint64_t offset, std::span<char> out) const {
  DENDRO_TRY_ASSIGN(const std::size_t count, reader_->read_at(offset, out));
  if (count != out.size()) return Error(ErrorCode::corruption, "ends at offset " + std::to_string(offset + count));
  return {};
}

Result<SegmentBlock> Segment::read_block(std::size_t index) const {
  const SegmentBlockInfo& info = blocks_[index];
  Result<SegmentBlock> block = read_packed_block(info);
  if (block) return block;
  return block.error().with_context("segment " + path_ + ": block at offset " + std::to_string(info.offset));
}

Result<SegmentBlock> Segment::read_packed_block(const SegmentBlockInfo& info) const {
  std::string packed(info.stored_bytes, '\0');
  DENDRO_TRY(read_exactly(info.offset, packed));
  if (xxh3(packed, HashSeed(info_.id.number())) != info.hash) return Error(ErrorCode::corruption, "checksum mismatch");
  std::string plain(info.plain_bytes, '\0');
  const std::size_t size = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != plain.size()) return Error(ErrorCode::corruption, "does not unpack");
  DENDRO_TRY_ASSIGN(SegmentBlock block, parse_segment_block(plain));
  if (block.batch->size() != info.record_count) return Error(ErrorCode::corruption, "another count of records");
  return block;
}

}  // namespace dendro
