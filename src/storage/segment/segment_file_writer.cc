#include "storage/segment/segment_file_writer.h"

#include <algorithm>

#include "codec/block_codec.h"
#include "storage/limits.h"

namespace dendro {

SegmentFileWriter::SegmentFileWriter(const StorePaths& paths, FileSystem& files, const SegmentPlace& place)
    : files_(files),
      folder_(paths.segment_folder(place.tenant, place.day)),
      path_(paths.segment(place.tenant, place.day, place.id)),
      temporary_(path_ + ".tmp"),
      store_id_(place.store_id) {
  meta_.info.id = place.id;
  meta_.info.tenant = place.tenant;
  meta_.info.day = place.day;
  meta_.info.level = place.level;
  meta_.info.min_timestamp = kTimestampMax;
  meta_.info.max_timestamp = kTimestampMin;
}

SegmentFileWriter::~SegmentFileWriter() {
  if (file_ == nullptr || is_named_) return;
  file_.reset();
  (void)files_.remove(temporary_);  // gives the space back; without it the next start removes it
}

Result<std::unique_ptr<SegmentFileWriter>> SegmentFileWriter::create(const StorePaths& paths, FileSystem& files,
                                                                     const SegmentPlace& place) {
  std::unique_ptr<SegmentFileWriter> writer(new SegmentFileWriter(paths, files, place));
  DENDRO_TRY(writer->open());
  return writer;
}

Status SegmentFileWriter::open() {
  DENDRO_TRY(files_.create_directories(folder_));
  if (files_.exists(temporary_)) DENDRO_TRY(files_.remove(temporary_));
  DENDRO_TRY_ASSIGN(file_, files_.open_writable(temporary_, OpenMode::create_new));
  return write(encode_segment_header(store_id_, meta_.info.id, meta_.info.day));
}

Status SegmentFileWriter::write(std::string_view bytes) {
  DENDRO_TRY(file_->write_at(offset_, {&bytes, 1}));
  offset_ += bytes.size();
  return {};
}

Status SegmentFileWriter::add_row_group(RowGroupEntry group, std::string_view stored) {
  for (BlockPlace& block : group.blocks) {
    block.hash = xxh3(stored.substr(block.offset, block.stored_bytes), hash_seed());
    block.offset += offset_;
  }
  DENDRO_TRY(write(stored));
  SegmentInfo& info = meta_.info;
  const bool is_first = row_groups_ == 0;
  info.record_count += group.record_count;
  info.raw_bytes += group.raw_bytes;
  info.min_timestamp = std::min(info.min_timestamp, group.min_timestamp);
  info.max_timestamp = std::max(info.max_timestamp, group.max_timestamp);
  info.first_sequence = is_first ? group.first_sequence : std::min(info.first_sequence, group.first_sequence);
  info.last_sequence = std::max(info.last_sequence, group.last_sequence);
  append_row_group(directory_, group);
  ++row_groups_;
  return {};
}

namespace {

/// By sequence, and only where the time changes.
void compact_receive_times(std::vector<ReceiveTime>& times) {
  const auto by_sequence = [](const ReceiveTime& a, const ReceiveTime& b) {
    return a.first_sequence < b.first_sequence;
  };
  if (!std::is_sorted(times.begin(), times.end(), by_sequence)) std::sort(times.begin(), times.end(), by_sequence);
  const auto last = std::unique(times.begin(), times.end(),
                                [](const ReceiveTime& a, const ReceiveTime& b) { return a.time == b.time; });
  times.erase(last, times.end());
}

}  // namespace

Status SegmentFileWriter::write_section(SectionKind kind, std::string_view plain) {
  if (plain.size() > kMaxSegmentSectionBytes) {
    return Error(ErrorCode::internal, "segment " + path_ + ": a section of " + std::to_string(plain.size()) + " bytes");
  }
  BlockCompressor strong(kLastZstdLevel);  // small, read at every opening
  const BlockCompressor::Packed packed = strong.pack(plain);
  SectionEntry section;
  section.kind = kind;
  section.offset = offset_;
  section.stored_bytes = static_cast<std::uint32_t>(packed.bytes.size());
  section.plain_bytes = static_cast<std::uint32_t>(plain.size());
  section.codec = packed.codec;
  section.hash = xxh3(packed.bytes, hash_seed());
  sections_.push_back(section);
  return write(packed.bytes);
}

Status SegmentFileWriter::write_tail() {
  const std::string footer = encode_footer(sections_);
  SegmentTail tail;
  tail.footer_offset = offset_;
  tail.footer_bytes = static_cast<std::uint32_t>(footer.size());
  tail.footer_hash = xxh3(footer, hash_seed());
  meta_.info.footer_hash = tail.footer_hash;
  DENDRO_TRY(write(footer));
  return write(encode_segment_tail(tail));
}

Result<SegmentInfo> SegmentFileWriter::finish(std::string_view dictionary) {
  DENDRO_TRY(write_section(SectionKind::dictionary, dictionary));
  std::string directory;
  append_varint(directory, row_groups_);
  directory += directory_;
  DENDRO_TRY(write_section(SectionKind::directory, directory));
  compact_receive_times(meta_.receive_times);
  DENDRO_TRY(write_section(SectionKind::meta, encode_segment_meta(meta_)));
  DENDRO_TRY(write_tail());
  DENDRO_TRY(file_->sync());
  DENDRO_TRY(files_.rename(temporary_, path_));
  is_named_ = true;
  DENDRO_TRY(files_.sync_directory(folder_));
  meta_.info.file_bytes = offset_;
  return meta_.info;
}

}  // namespace dendro
