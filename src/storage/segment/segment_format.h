#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "codec/block_codec.h"
#include "storage/batch_key_window.h"
#include "storage/manifest_edit.h"

namespace dendro {

// The frame of a segment file, version 1 (docs/formats/segment.md): header, blocks of the row groups, then the sections
// DICT, DIRECTORY and META one behind the other, their table (the footer) and a tail of fixed size.

inline constexpr std::string_view kSegmentMagic = "DNDRSEG1";
inline constexpr std::uint16_t kSegmentMajor = 1;
inline constexpr std::uint16_t kSegmentMinor = 0;
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kSegmentTailBytes = 32;

std::string encode_segment_header(const Bytes16& store_id, SegmentId id, Timestamp day);
/// Errors: corruption; unimplemented (another major version, version 0 among them, by name).
Status check_segment_header(std::string_view bytes, const Bytes16& store_id, SegmentId id);

enum class SectionKind : std::uint16_t { dictionary = 1, directory = 2, meta = 3 };
/// A reader that does not know the section must refuse the file.
inline constexpr std::uint16_t kSectionMustUnderstand = 1;

struct SectionEntry {
  SectionKind kind = SectionKind::meta;
  std::uint16_t flags = kSectionMustUnderstand;
  std::uint64_t offset = 0;
  std::uint32_t stored_bytes = 0;
  std::uint32_t plain_bytes = 0;
  BlockCodec codec = BlockCodec::none;
  std::uint64_t hash = 0;  ///< of the stored bytes, seeded with the segment's id
};

std::string encode_footer(const std::vector<SectionEntry>& sections);
/// Sections this version does not know are left out if they may be. Errors: corruption, unimplemented.
Result<std::vector<SectionEntry>> parse_footer(std::string_view bytes);

struct SegmentTail {
  std::uint64_t footer_offset = 0;
  std::uint32_t footer_bytes = 0;
  std::uint64_t footer_hash = 0;
};
std::string encode_segment_tail(const SegmentTail& tail);
/// Errors: corruption.
Result<SegmentTail> parse_segment_tail(std::string_view bytes);

/// From `first_sequence` on, records of this segment came with a request received then.
struct ReceiveTime {
  SequenceNumber first_sequence;
  Timestamp time;
};

/// META: what the manifest says of the segment too, and what is known of its requests.
struct SegmentMeta {
  SegmentInfo info;  ///< without id, file size and footer hash, which stand elsewhere
  std::vector<SegmentId> replaces;
  std::vector<ReceiveTime> receive_times;  ///< by sequence
  std::vector<KeyedReply> keys;
};
std::string encode_segment_meta(const SegmentMeta& meta);
/// Errors: corruption.
Result<SegmentMeta> parse_segment_meta(std::string_view bytes);

}  // namespace dendro
