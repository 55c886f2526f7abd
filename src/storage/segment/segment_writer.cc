#include "storage/segment/segment_writer.h"

#include "base/log.h"
#include "storage/limits.h"
#include "storage/segment/segment_proof.h"

namespace dendro {

SegmentWriter::SegmentWriter(FileSystem& files, std::unique_ptr<SegmentFileWriter> file, Place place)
    : files_(files),
      file_(std::move(file)),
      reencoded_row_groups_(place.reencoded_row_groups),
      tamper_for_test_(std::move(place.tamper_for_test)),
      compressor_(place.zstd_level),
      encoder_(dictionary_, compressor_) {}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(const StorePaths& paths, FileSystem& files, Place place) {
  DENDRO_TRY_ASSIGN(std::unique_ptr<SegmentFileWriter> file, SegmentFileWriter::create(paths, files, place));
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(files, std::move(file), std::move(place)));
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
    block.hash = xxh3(std::string_view(stored).substr(block.offset, block.stored_bytes), file_->hash_seed());
  }
  const EncodedRowGroup encoded{file_->path(), file_->info(), dictionary_, group, stored};
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
  return Error(ErrorCode::internal, "segment " + file_->path() + ": row group " +
                                        std::to_string(file_->row_group_count()) +
                                        " cannot be encoded: " + plain.error().message());
}

/// Takes what it wrote from the front of `rows`.
Status SegmentWriter::write_row_group(std::span<const SegmentRow>& rows) {
  DENDRO_TRY_ASSIGN(RowGroupEntry group, encode_proved(rows, stored_));
  const std::size_t count = group.record_count;
  DENDRO_TRY(file_->add_row_group(std::move(group), stored_));
  note_receive_times(rows.first(count));
  rows = rows.subspan(count);
  return {};
}

/// One entry a run of sequence numbers without a gap: where numbers are left out, they may be another request's, whose
/// records lie elsewhere in time, and the entry before would be taken for theirs.
void SegmentWriter::note_receive_times(std::span<const SegmentRow> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool goes_on =
        i > 0 && rows[i].receive_time == rows[i - 1].receive_time && rows[i].sequence == rows[i - 1].sequence.next();
    if (!goes_on) file_->add_receive_time({rows[i].sequence, rows[i].receive_time});
  }
}

Result<SegmentInfo> SegmentWriter::finish() {
  DENDRO_TRY(write_rows());
  return file_->finish(dictionary_.encode());
}

}  // namespace dendro
