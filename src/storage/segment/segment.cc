#include "storage/segment/segment.h"

#include <algorithm>

#include "base/checksum.h"
#include "storage/limits.h"

namespace dendro {
namespace {

/// A directory entry takes about so many times its encoded bytes in memory.
constexpr std::size_t kDirectoryGrowth = 6;

std::string_view section_name(SectionKind kind) {
  switch (kind) {
    case SectionKind::dictionary:
      return "DICT";
    case SectionKind::directory:
      return "DIRECTORY";
    case SectionKind::meta:
      break;
  }
  return "META";
}

Status check_places(const RowGroupEntry& group, std::uint64_t blocks_end) {
  for (const BlockPlace& block : group.blocks) {
    if (block.offset < kSegmentHeaderBytes || block.offset > blocks_end ||
        block.stored_bytes > blocks_end - block.offset) {
      return Error(ErrorCode::corruption, "a block lies outside");
    }
  }
  return {};
}

}  // namespace

std::shared_ptr<const Segment> Segment::open(FileSystem& files, const std::string& path, const Bytes16& store_id,
                                             const SegmentInfo& info) {
  std::shared_ptr<Segment> segment(new Segment(files, path, info));
  const Status loaded = segment->load(store_id);
  if (!loaded) {
    // A missing file is damage like any other: never silently empty.
    const ErrorCode code =
        loaded.error().code() == ErrorCode::unimplemented ? ErrorCode::unimplemented : ErrorCode::corruption;
    segment->damage_ = Error(code, "segment " + path + ": " + loaded.error().message());
  }
  return segment;
}

std::shared_ptr<const Segment> Segment::of_blocks(FileSystem& files, const std::string& path, const SegmentInfo& info,
                                                  std::unique_ptr<RandomReader> blocks) {
  std::shared_ptr<Segment> segment(new Segment(files, path, info));
  segment->reader_ = std::move(blocks);
  return segment;
}

Segment::~Segment() {
  if (!is_unlisted_.load(std::memory_order_relaxed)) return;
  reader_.reset();
  (void)files_.remove(path_);
}

Status Segment::load(const Bytes16& store_id) {
  DENDRO_TRY_ASSIGN(reader_, files_.open_reader(path_));
  DENDRO_TRY_ASSIGN(const std::uint64_t size, reader_->size());
  std::string header(std::min<std::uint64_t>(size, kSegmentHeaderBytes), '\0');
  DENDRO_TRY(read_exactly(0, header));
  DENDRO_TRY(check_segment_header(header, store_id, info_.id));
  if (size != info_.file_bytes || size < kSegmentHeaderBytes + kSegmentTailBytes) {
    return Error(ErrorCode::corruption,
                 "has " + std::to_string(size) + " bytes, not " + std::to_string(info_.file_bytes));
  }
  DENDRO_TRY(read_footer(size));
  DENDRO_TRY_ASSIGN(const std::string meta_bytes, read_section(SectionKind::meta));
  Result<SegmentMeta> meta = parse_segment_meta(meta_bytes);
  if (!meta) return meta.error();
  keys_ = std::move(meta->keys);
  for (const ReceiveTime& time : meta->receive_times) {
    newest_receive_time_ = std::max(newest_receive_time_.value_or(time.time), time.time);
  }
  return {};
}

Status Segment::read_footer(std::uint64_t size) {
  std::string tail_bytes(kSegmentTailBytes, '\0');
  DENDRO_TRY(read_exactly(size - kSegmentTailBytes, tail_bytes));
  DENDRO_TRY_ASSIGN(const SegmentTail tail, parse_segment_tail(tail_bytes));
  if (tail.footer_offset > size || tail.footer_offset + tail.footer_bytes + kSegmentTailBytes != size) {
    return Error(ErrorCode::corruption, "tail: the footer lies outside");
  }
  std::string footer(tail.footer_bytes, '\0');
  DENDRO_TRY(read_exactly(tail.footer_offset, footer));
  const std::uint64_t hash = xxh3(footer, HashSeed(info_.id.number()));
  if (hash != tail.footer_hash || hash != info_.footer_hash) {
    return Error(ErrorCode::corruption, "footer: checksum mismatch");
  }
  DENDRO_TRY_ASSIGN(sections_, parse_footer(footer));
  for (const SectionEntry& section : sections_) {
    if (section.offset > tail.footer_offset || section.stored_bytes > tail.footer_offset - section.offset) {
      return Error(ErrorCode::corruption, "footer: a section lies outside");
    }
  }
  return {};
}

Result<std::string> Segment::read_section(SectionKind kind) const {
  const std::string name(section_name(kind));
  const auto section = std::find_if(sections_.begin(), sections_.end(),
                                    [kind](const SectionEntry& entry) { return entry.kind == kind; });
  if (section == sections_.end()) return Error(ErrorCode::corruption, name + ": missing");
  std::string stored(section->stored_bytes, '\0');
  DENDRO_TRY(read_exactly(section->offset, stored));
  if (xxh3(stored, HashSeed(info_.id.number())) != section->hash) {
    return Error(ErrorCode::corruption, name + " at offset " + std::to_string(section->offset) + ": checksum mismatch");
  }
  std::string plain;
  const Status unpacked = unpack_block(section->codec, stored, section->plain_bytes, plain);
  if (!unpacked) return unpacked.error().with_context(name);
  return plain;
}

Result<std::shared_ptr<const SegmentTables>> Segment::tables() const {
  if (damage_) return *damage_;
  MutexLock lock(mutex_);  // held over the read: a second reader of the same segment would only read the same
  if (std::shared_ptr<const SegmentTables> known = tables_.lock()) return known;
  const auto tables = std::make_shared<SegmentTables>();
  const Status loaded = load_tables(*tables);
  if (!loaded) return loaded.error().with_context("segment " + path_);
  tables_ = tables;
  return std::shared_ptr<const SegmentTables>(tables);
}

Status Segment::load_tables(SegmentTables& tables) const {
  DENDRO_TRY_ASSIGN(std::string dictionary, read_section(SectionKind::dictionary));
  DENDRO_TRY_ASSIGN(tables.dictionary, SegmentDictionary::parse(std::move(dictionary)));
  DENDRO_TRY_ASSIGN(const std::string directory, read_section(SectionKind::directory));
  ByteReader reader(directory);
  const std::uint64_t count = reader.read_varint();
  for (std::uint64_t i = 0; i < count; ++i) {
    RowGroupEntry& group = tables.row_groups.emplace_back();
    if (!read_row_group(reader, group)) return Error(ErrorCode::corruption, "DIRECTORY: bad row group");
    DENDRO_TRY(check_places(group, info_.file_bytes));
    if (!fits_dictionary(group, *tables.dictionary)) {
      return Error(ErrorCode::corruption, "DIRECTORY: a row group that does not fit DICT");
    }
  }
  if (!reader.ok() || !reader.at_end()) return Error(ErrorCode::corruption, "DIRECTORY: wrong size");
  DENDRO_TRY_ASSIGN(const std::string meta_bytes, read_section(SectionKind::meta));
  DENDRO_TRY_ASSIGN(SegmentMeta meta, parse_segment_meta(meta_bytes));
  tables.receive_times = std::move(meta.receive_times);
  tables.memory_bytes = sizeof(SegmentTables) + tables.dictionary->memory_bytes() +
                        directory.size() * kDirectoryGrowth + tables.receive_times.capacity() * sizeof(ReceiveTime);
  return {};
}

std::optional<Timestamp> SegmentTables::receive_time(SequenceNumber sequence) const {
  const auto behind =
      std::upper_bound(receive_times.begin(), receive_times.end(), sequence,
                       [](SequenceNumber wanted, const ReceiveTime& time) { return wanted < time.first_sequence; });
  if (behind == receive_times.begin()) return std::nullopt;
  return std::prev(behind)->time;
}

Result<std::shared_ptr<const SegmentTables>> cached_tables(PieceCache& cache, const Segment& segment) {
  struct Held {
    std::shared_ptr<const SegmentTables> tables;
    std::size_t memory_bytes() const { return tables->memory_bytes; }
  };
  DENDRO_TRY_ASSIGN(const auto held,
                    cache.get<Held>({segment.info().id, PieceKey::kWholeSegment, 0}, [&segment]() -> Result<Held> {
                      DENDRO_TRY_ASSIGN(auto tables, segment.tables());
                      return Held{std::move(tables)};
                    }));
  return held->tables;
}

Status Segment::read_exactly(std::uint64_t offset, std::span<char> out) const {
  DENDRO_TRY_ASSIGN(const std::size_t count, reader_->read_at(offset, out));
  if (count != out.size()) return Error(ErrorCode::corruption, "ends at offset " + std::to_string(offset + count));
  return {};
}

Result<std::string> Segment::read_block(const BlockPlace& block) const {
  const auto damaged = [&](const Error& error) {
    return error.with_context("segment " + path_ + ": block at offset " + std::to_string(block.offset));
  };
  std::string stored(block.stored_bytes, '\0');
  const Status read = read_exactly(block.offset, stored);
  if (!read) return damaged(read.error());
  if (xxh3(stored, HashSeed(info_.id.number())) != block.hash) {
    return damaged(Error(ErrorCode::corruption, "checksum mismatch"));
  }
  if (block.codec == BlockCodec::none && stored.size() == block.plain_bytes) return stored;
  std::string plain;
  const Status unpacked = unpack_block(block.codec, stored, block.plain_bytes, plain);
  if (!unpacked) return damaged(unpacked.error());
  return plain;
}

}  // namespace dendro
