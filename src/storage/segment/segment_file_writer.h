#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/checksum.h"
#include "base/result.h"
#include "io/file_system.h"
#include "storage/segment/row_group_encoder.h"
#include "storage/segment/segment_format.h"
#include "storage/store_paths.h"

namespace dendro {

/// zstd levels: of a flush, which must keep up with the intake, and of the last compaction (engine.md 2.6).
inline constexpr int kFlushZstdLevel = 1;
inline constexpr int kLastZstdLevel = 9;

/// Which segment is written, and how.
struct SegmentPlace {
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

/// The file of a segment around row groups that are encoded already. It has its name only once it is complete and
/// synced; an unfinished one is removed by the destructor. Not thread-safe.
class SegmentFileWriter {
 public:
  /// Errors: storage_full, io_error, permission_denied.
  static Result<std::unique_ptr<SegmentFileWriter>> create(const StorePaths& paths, FileSystem& files,
                                                           const SegmentPlace& place);
  ~SegmentFileWriter();
  SegmentFileWriter(const SegmentFileWriter&) = delete;
  SegmentFileWriter& operator=(const SegmentFileWriter&) = delete;

  const std::string& path() const { return path_; }
  /// Of the row groups so far.
  const SegmentInfo& info() const { return meta_.info; }
  std::uint64_t row_group_count() const { return row_groups_; }
  HashSeed hash_seed() const { return HashSeed(meta_.info.id.number()); }

  /// A retry key of a request that has records here.
  void add_key(const KeyedReply& keyed) { meta_.keys.push_back(keyed); }
  /// A segment whose records this one takes over.
  void add_replaced(SegmentId id) { meta_.replaces.push_back(id); }
  /// When the records from a sequence number on were received; in any order, see finish().
  void add_receive_time(const ReceiveTime& time) { meta_.receive_times.push_back(time); }

  /// Writes the next row group. Offsets of its blocks count from the front of `stored`, their hashes are filled in
  /// here. Errors as create.
  Status add_row_group(RowGroupEntry group, std::string_view stored);
  /// Writes the sections, syncs, gives the file its name, syncs the folder. Once, after at least one row group. Receive
  /// times are put in order; those that say the same as the one before are left out.
  /// @param dictionary  plain bytes of DICT.
  Result<SegmentInfo> finish(std::string_view dictionary);

 private:
  SegmentFileWriter(const StorePaths& paths, FileSystem& files, const SegmentPlace& place);
  Status open();
  Status write(std::string_view bytes);
  Status write_section(SectionKind kind, std::string_view plain);
  Status write_tail();

  FileSystem& files_;
  const std::string folder_;
  const std::string path_;
  const std::string temporary_;
  const Bytes16 store_id_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t offset_ = 0;
  bool is_named_ = false;
  SegmentMeta meta_;
  std::string directory_;  ///< entries of row groups written so far
  std::uint64_t row_groups_ = 0;
  std::vector<SectionEntry> sections_;
};

}  // namespace dendro
