#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment/row_group_encoder.h"
#include "storage/segment/segment_format.h"
#include "storage/store_paths.h"

namespace dendro {

/// zstd levels: of a flush, which must keep up with the intake, and of the last compaction (engine.md 2.6).
inline constexpr int kFlushZstdLevel = 1;
inline constexpr int kLastZstdLevel = 9;

/// Writes one segment: records of one tenant and UTC day, by (timestamp, sequence). The file has its name only once it
/// is complete and synced; an unfinished one is removed by the destructor. Each row group is decoded again and compared
/// with its records before it is written (segment_proof.h). Not thread-safe.
class SegmentWriter {
 public:
  struct Place {
    Bytes16 store_id{};
    SegmentId id;
    TenantId tenant = TenantId::default_tenant();
    Timestamp day;
    std::uint8_t level = 0;
    int zstd_level = kFlushZstdLevel;
    /// Counts row groups that did not come back from their best form and were encoded again; must stay 0. Outlives the
    /// writer if given.
    std::atomic<std::uint64_t>* reencoded_row_groups = nullptr;
    /// Damages what was encoded before it is proved.
    std::function<void(EncodeForm, const RowGroupEntry&, std::string& stored)> tamper_for_test = nullptr;
  };
  /// Errors: storage_full, io_error, permission_denied.
  static Result<std::unique_ptr<SegmentWriter>> create(const StorePaths& paths, FileSystem& files, Place place);
  ~SegmentWriter();

  /// The next record; its batch lives until finish() or until it was handed to hold(). Errors as create; internal (a
  /// row group does not come back from its encoding).
  Status add(const SegmentRow& row);
  /// Keeps a batch alive for as long as records of it wait to be encoded.
  void hold(std::shared_ptr<const RecordBatch> batch) { held_.push_back(std::move(batch)); }
  /// A retry key of a request that has records here.
  void add_key(const KeyedReply& keyed) { meta_.keys.push_back(keyed); }
  /// A segment whose records this one takes over.
  void add_replaced(SegmentId id) { meta_.replaces.push_back(id); }
  std::uint64_t record_count() const { return meta_.info.record_count + rows_.size(); }
  /// Writes the rest, syncs, gives the file its name, syncs the folder. Once, after at least one add.
  Result<SegmentInfo> finish();

 private:
  SegmentWriter(const StorePaths& paths, FileSystem& files, Place place);
  Status open();
  Status write(std::string_view bytes);
  Status write_rows();
  Status write_row_group(std::span<const SegmentRow>& rows);
  Result<RowGroupEntry> encode_proved(std::span<const SegmentRow> rows, std::string& stored);
  Result<RowGroupEntry> try_encode(std::span<const SegmentRow> rows, EncodeForm form, std::string& stored);
  void note_receive_times(std::span<const SegmentRow> rows);
  Status write_sections();
  Status write_section(SectionKind kind, std::string_view plain);

  FileSystem& files_;
  const std::string folder_;
  const std::string path_;
  const std::string temporary_;
  const Bytes16 store_id_;
  std::atomic<std::uint64_t>* const reencoded_row_groups_;
  const std::function<void(EncodeForm, const RowGroupEntry&, std::string&)> tamper_for_test_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t offset_ = 0;
  bool is_named_ = false;
  SegmentMeta meta_;
  SegmentDictionaryBuilder dictionary_;
  BlockCompressor compressor_;
  RowGroupEncoder encoder_;
  std::string directory_;  ///< entries of row groups written so far
  std::uint64_t row_groups_ = 0;
  std::vector<SectionEntry> sections_;
  // The row group at hand.
  std::vector<SegmentRow> rows_;
  std::size_t row_bytes_ = 0;
  std::vector<std::shared_ptr<const RecordBatch>> held_;
};

}  // namespace dendro
