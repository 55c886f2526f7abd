#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "record/record_batch_builder.h"
#include "storage/segment_format.h"
#include "storage/store_paths.h"

namespace dendro {

/// Writes one segment: records of one tenant and UTC day, by (timestamp, sequence). The file has its name only once it
/// is complete and synced; an unfinished one is removed by the destructor. Not thread-safe.
class SegmentWriter {
 public:
  struct Place {
    Bytes16 store_id{};
    SegmentId id;
    TenantId tenant = TenantId::default_tenant();
    Timestamp day;
  };
  /// Errors: storage_full, io_error, permission_denied.
  static Result<std::unique_ptr<SegmentWriter>> create(const StorePaths& paths, FileSystem& files, Place place);
  ~SegmentWriter();

  /// The next record. Errors as create.
  Status add(const RecordView& record, SequenceNumber sequence);
  /// A retry key of a request that has records here.
  void add_key(const KeyedReply& keyed) { meta_.keys.push_back(keyed); }
  /// Writes the rest, syncs, gives the file its name, syncs the folder. Once, after at least one add.
  Result<SegmentInfo> finish();

 private:
  struct Compressor;
  SegmentWriter(const StorePaths& paths, FileSystem& files, Place place);
  Status open();
  Status write(std::string_view bytes);
  Status write_block();

  FileSystem& files_;
  const std::string folder_;
  const std::string path_;
  const std::string temporary_;
  const Bytes16 store_id_;
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<Compressor> compressor_;
  std::uint64_t offset_ = 0;
  bool is_named_ = false;
  SegmentMeta meta_;
  // The block at hand.
  RecordBatchBuilder builder_;
  std::vector<SequenceNumber> sequences_;
  std::vector<Timestamp> receive_times_;
};

}  // namespace dendro
