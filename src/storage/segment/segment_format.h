#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "record/record_batch.h"
#include "storage/batch_key_window.h"
#include "storage/manifest_edit.h"

namespace dendro {

// Segment encoding version 0 (docs/formats/segment-v0.md): batches, sorted and packed with zstd. It serves until the
// column format of engine.md 2.4 replaces it and refuses it by name.

inline constexpr std::string_view kSegmentMagic = "DNDRSEG0";
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kSegmentTailBytes = 32;

/// Where a block lies and what is in it.
struct SegmentBlockInfo {
  std::uint64_t offset = 0;
  std::uint32_t stored_bytes = 0;
  std::uint32_t plain_bytes = 0;
  std::uint32_t record_count = 0;
  Timestamp min_timestamp;
  Timestamp max_timestamp;
  SequenceNumber first_sequence;  ///< smallest and largest of the block
  SequenceNumber last_sequence;
  std::uint64_t hash = 0;
};

/// Everything in a segment but its blocks: enough to write its manifest entry again.
struct SegmentMeta {
  SegmentInfo info;
  std::vector<KeyedReply> keys;
  std::vector<SegmentBlockInfo> blocks;
};

/// A block unpacked: records by (timestamp, sequence), and the two columns a batch does not hold.
struct SegmentBlock {
  std::shared_ptr<const RecordBatch> batch;
  std::shared_ptr<const std::vector<SequenceNumber>> sequences;
  std::shared_ptr<const std::vector<Timestamp>> receive_times;
  std::size_t bytes() const {
    return batch->encoded().size() + batch->size() * (sizeof(SequenceNumber) + sizeof(Timestamp));
  }
};

std::string encode_segment_header(const Bytes16& store_id, SegmentId id, Timestamp day);
/// Errors: corruption; unimplemented (another version).
Status check_segment_header(std::string_view bytes, const Bytes16& store_id, SegmentId id);

std::string encode_segment_meta(const SegmentMeta& meta);
/// `info` without id, file size and footer hash, which stand elsewhere. Errors: corruption.
Result<SegmentMeta> parse_segment_meta(std::string_view bytes);

struct SegmentTail {
  std::uint64_t meta_offset = 0;
  std::uint32_t meta_bytes = 0;
  std::uint64_t meta_hash = 0;
};
std::string encode_segment_tail(const SegmentTail& tail);
/// Errors: corruption.
Result<SegmentTail> parse_segment_tail(std::string_view bytes);

/// The plain bytes of a block: batch, sequences, receive times.
std::string encode_segment_block(const RecordBatch& batch, const std::vector<SequenceNumber>& sequences,
                                 const std::vector<Timestamp>& receive_times);
/// Errors: corruption.
Result<SegmentBlock> parse_segment_block(std::string_view plain);

}  // namespace dendro
