#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment/row_group_encoder.h"
#include "storage/segment/segment_file_writer.h"

namespace dendro {

/// Writes one segment: records of one tenant and UTC day, by (timestamp, sequence). The file appears as
/// SegmentFileWriter says. Each row group is decoded again and compared with its records before it is written
/// (segment_proof.h). Not thread-safe.
class SegmentWriter {
 public:
  using Place = SegmentPlace;
  /// Errors: storage_full, io_error, permission_denied.
  static Result<std::unique_ptr<SegmentWriter>> create(const StorePaths& paths, FileSystem& files, Place place);

  /// The next record; its batch lives until finish() or until it was handed to hold(). Errors as create; internal (a
  /// row group does not come back from its encoding).
  Status add(const SegmentRow& row);
  /// Keeps a batch alive for as long as records of it wait to be encoded.
  void hold(std::shared_ptr<const RecordBatch> batch) { held_.push_back(std::move(batch)); }
  /// A retry key of a request that has records here.
  void add_key(const KeyedReply& keyed) { file_->add_key(keyed); }
  /// A segment whose records this one takes over.
  void add_replaced(SegmentId id) { file_->add_replaced(id); }
  std::uint64_t record_count() const { return file_->info().record_count + rows_.size(); }
  /// Writes the rest, syncs, gives the file its name, syncs the folder. Once, after at least one add.
  Result<SegmentInfo> finish();

 private:
  SegmentWriter(FileSystem& files, std::unique_ptr<SegmentFileWriter> file, Place place);
  Status write_rows();
  Status write_row_group(std::span<const SegmentRow>& rows);
  Result<RowGroupEntry> encode_proved(std::span<const SegmentRow> rows, std::string& stored);
  Result<RowGroupEntry> try_encode(std::span<const SegmentRow> rows, EncodeForm form, std::string& stored);
  void note_receive_times(std::span<const SegmentRow> rows);

  FileSystem& files_;
  const std::unique_ptr<SegmentFileWriter> file_;
  std::atomic<std::uint64_t>* const reencoded_row_groups_;
  const std::function<void(EncodeForm, const RowGroupEntry&, std::string&)> tamper_for_test_;
  SegmentDictionaryBuilder dictionary_;
  BlockCompressor compressor_;
  RowGroupEncoder encoder_;
  std::string stored_;  ///< blocks of the row group at hand
  // The row group at hand.
  std::vector<SegmentRow> rows_;
  std::size_t row_bytes_ = 0;
  std::vector<std::shared_ptr<const RecordBatch>> held_;
};

}  // namespace dendro
