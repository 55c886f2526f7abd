#include "storage/segment/segment_writer.h"

#include <algorithm>

#include "base/checksum.h"
#include "base/log.h"
#include "storage/limits.h"
#include "storage/segment/segment_proof.h"

namespace dendro {

SegmentWriter::SegmentWriter(const StorePaths& paths, FileSystem& files, Place place)
    : files_(files),
      folder_(paths.segment_folder(place.tenant, place.day)),
      path_(paths.segment(place.tenant, place.day, place.id)),
      temporary_(path_ + ".tmp"),
      store_id_(place.store_id),
      reencoded_row_groups_(place.reencoded_row_groups),
      tamper_for_test_(std::move(place.tamper_for_test)),
      compressor_(place.zstd_level),
      encoder_(dictionary_, compressor_) {
  meta_.info.id = place.id;
  meta_.info.tenant = std::move(place.tenant);
  meta_.info.day = place.day;
  meta_.info.level = place.level;
  meta_.info.min_timestamp = kTimestampMax;
  meta_.info.max_timestamp = kTimestampMin;
}

SegmentWriter::~SegmentWriter() {
  if (file_ == nullptr || is_named_) return;
  file_.reset();
  (void)files_.remove(temporary_);  // gives the space back; without it the next start removes it
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(const StorePaths& paths, FileSystem& files, Place place) {
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(paths, files, std::move(place)));
  DENDRO_TRY(writer->open());
  return writer;
}

Status SegmentWriter::open() {
  DENDRO_TRY(files_.create_directories(folder_));
  if (files_.exists(temporary_)) DENDRO_TRY(files_.remove(temporary_));
  DENDRO_TRY_ASSIGN(file_, files_.open_writable(temporary_, OpenMode::create_new));
  return write(encode_segment_header(store_id_, meta_.info.id, meta_.info.day));
}

Status SegmentWriter::write(std::string_view bytes) {
  DENDRO_TRY(file_->write_at(offset_, {&bytes, 1}));
  offset_ += bytes.size();
  return {};
}

Status SegmentWriter::add(const SegmentRow& row) {
  rows_.push_back(row);
  row_bytes_ += row.batch->record(row.row).value_bytes().size();
  const bool is_full = rows_.size() >= kMaxBatchRecords || row_bytes_ >= kRowGroupBytes;
  return is_full ? write_rows() : Status();
}

Status SegmentWriter::write_rows() {
  for (std::span<const SegmentRow> rest = rows_; !rest.empty();) DENDRO_TRY(write_row_group(rest));
  rows_.clear();
  row_bytes_ = 0;
  held_.clear();
  return {};
}

Result<RowGroupEntry> SegmentWriter::try_encode(std::span<const SegmentRow> rows, EncodeForm form,
                                                std::string& stored) {
  stored.clear();
  RowGroupEntry group = encoder_.encode(rows, form, stored);
  if (tamper_for_test_) tamper_for_test_(form, group, stored);
  for (BlockPlace& block : group.blocks) {
    block.hash =
        xxh3(std::string_view(stored).substr(block.offset, block.stored_bytes), HashSeed(meta_.info.id.number()));
  }
  const EncodedRowGroup encoded{path_, meta_.info, dictionary_, group, stored};
  DENDRO_TRY(prove_row_group(rows.first(group.record_count), encoded, files_));
  return group;
}

Result<RowGroupEntry> SegmentWriter::encode_proved(std::span<const SegmentRow> rows, std::string& stored) {
  Result<RowGroupEntry> group = try_encode(rows, EncodeForm::best, stored);
  if (group) return group;
  if (reencoded_row_groups_ != nullptr) reencoded_row_groups_->fetch_add(1, std::memory_order_relaxed);
  log(LogLevel::error, "storage", "a row group did not come back from its encoding; it is stored plainly",
      {{"error", group.error().message()}});
  Result<RowGroupEntry> plain = try_encode(rows, EncodeForm::plain, stored);
  if (plain) return plain;
  return Error(ErrorCode::internal, "segment " + path_ + ": row group " + std::to_string(row_groups_) +
                                        " cannot be encoded: " + plain.error().message());
}

/// Takes what it wrote from the front of `rows`.
Status SegmentWriter::write_row_group(std::span<const SegmentRow>& rows) {
  std::string stored;
  DENDRO_TRY_ASSIGN(RowGroupEntry group, encode_proved(rows, stored));
  for (BlockPlace& block : group.blocks) block.offset += offset_;
  DENDRO_TRY(write(stored));
  note_receive_times(rows.first(group.record_count));
  rows = rows.subspan(group.record_count);

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

/// One entry a run of sequence numbers without a gap: where numbers are left out, they may be another request's, whose
/// records lie elsewhere in time, and the entry before would be taken for theirs.
void SegmentWriter::note_receive_times(std::span<const SegmentRow> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool goes_on =
        i > 0 && rows[i].receive_time == rows[i - 1].receive_time && rows[i].sequence == rows[i - 1].sequence.next();
    if (!goes_on) meta_.receive_times.push_back({rows[i].sequence, rows[i].receive_time});
  }
}

namespace {

/// By sequence, and only where the time changes.
void compact_receive_times(std::vector<ReceiveTime>& times) {
  std::sort(times.begin(), times.end(),
            [](const ReceiveTime& a, const ReceiveTime& b) { return a.first_sequence < b.first_sequence; });
  const auto last = std::unique(times.begin(), times.end(),
                                [](const ReceiveTime& a, const ReceiveTime& b) { return a.time == b.time; });
  times.erase(last, times.end());
}

}  // namespace

Status SegmentWriter::write_section(SectionKind kind, std::string_view plain) {
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
  section.hash = xxh3(packed.bytes, HashSeed(meta_.info.id.number()));
  sections_.push_back(section);
  return write(packed.bytes);
}

Status SegmentWriter::write_sections() {
  DENDRO_TRY(write_section(SectionKind::dictionary, dictionary_.encode()));
  std::string directory;
  append_varint(directory, row_groups_);
  directory += directory_;
  DENDRO_TRY(write_section(SectionKind::directory, directory));
  compact_receive_times(meta_.receive_times);
  return write_section(SectionKind::meta, encode_segment_meta(meta_));
}

Result<SegmentInfo> SegmentWriter::finish() {
  DENDRO_TRY(write_rows());
  DENDRO_TRY(write_sections());
  const std::string footer = encode_footer(sections_);
  SegmentTail tail;
  tail.footer_offset = offset_;
  tail.footer_bytes = static_cast<std::uint32_t>(footer.size());
  tail.footer_hash = xxh3(footer, HashSeed(meta_.info.id.number()));
  DENDRO_TRY(write(footer));
  DENDRO_TRY(write(encode_segment_tail(tail)));
  DENDRO_TRY(file_->sync());
  DENDRO_TRY(files_.rename(temporary_, path_));
  is_named_ = true;
  DENDRO_TRY(files_.sync_directory(folder_));
  meta_.info.file_bytes = offset_;
  meta_.info.footer_hash = tail.footer_hash;
  return meta_.info;
}

}  // namespace dendro
