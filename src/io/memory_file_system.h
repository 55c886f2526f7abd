#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "io/file_system.h"

namespace dendro {

// Invariants of a MemoryFileSystem:
//   M1 readers see every change at once, synced or not, as with a page cache;
//   M2 the log holds every change in the order in which it was made, so `after_power_cut(n, seed)` depends on nothing
//   else; M3 a disk after a power cut holds: the data of a file up to its last sync; of later writes any subset of
//   their 512-byte
//      sectors, of later cuts any subset; names as of the folder's last sync, and any subset of the later changes of
//      names.

/// What goes wrong next. A call that fails changes nothing, except a write out of space, which keeps what fits.
struct FileFaults {
  std::uint64_t fail_call = 0;  ///< the k-th call from now that changes something fails; 0: none
  std::uint64_t fail_sync = 0;  ///< the k-th sync from now (of a file or a folder) fails; 0: none
  bool fail_on = false;         ///< all such calls after it fail too
  std::string path_part;        ///< only calls on paths that contain this count for the two above; "": every call
  ErrorCode code = ErrorCode::io_error;
  std::uint64_t space_bytes = UINT64_MAX;  ///< bytes that files may still grow by; then storage_full
  std::string
      ignore_syncs_of;  ///< syncs of paths that contain this do nothing and say they did; "=p": of p only; "": none
  std::string fail_reads_of;  ///< readers of paths that contain this cannot be opened, with `code`; "": none
};

/// Files in memory, with a log of writes for simulated power cuts, and faults to order. For tests of any layer.
/// Thread-safe.
class MemoryFileSystem final : public FileSystem {
 public:
  enum class KeepLog : std::uint8_t { no, yes };
  explicit MemoryFileSystem(KeepLog keep_log = KeepLog::no);
  ~MemoryFileSystem() override;

  Status create_directories(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<RandomReader>> open_reader(const std::string& path) override;
  /// Within one folder only: invalid_argument otherwise.
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  /// 1 TiB, all free, until set_disk_space.
  Result<DiskSpace> disk_space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  void set_disk_space(DiskSpace space);
  void set_faults(FileFaults faults);
  /// Calls so far that change something, failed ones included; and of those the syncs.
  std::uint64_t change_calls() const;
  /// Those of paths that contain `path_part`.
  std::uint64_t sync_calls(std::string_view path_part = {}) const;

  /// Entries of the log: power can be cut before, between and behind them. 0 without KeepLog::yes.
  std::size_t log_size() const;
  /// A disk as it may be after power went when the log had `changes` entries; unlocked, its own log is kept and empty.
  /// The same arguments give the same disk.
  std::unique_ptr<MemoryFileSystem> after_power_cut(std::size_t changes, std::uint64_t seed) const;

  /// Flips bits of one stored byte, behind everyone's back. The file must be that long.
  void damage(const std::string& path, std::uint64_t offset, std::uint8_t flip_bits = 0x01);

 private:
  friend class MemoryWritableFile;
  friend class MemoryReader;
  friend class MemoryLock;
  class PowerCut;

  using FileId = std::size_t;
  /// Names and contents. Ids are never given twice.
  struct Disk {
    std::map<std::string, FileId> names;
    std::map<FileId, std::string> contents;
    std::set<std::string> folders;
  };
  struct WriteChange {
    FileId file;
    std::uint64_t offset;
    std::string bytes;
  };
  struct CutChange {
    FileId file;
    std::uint64_t size;
  };
  struct SyncChange {
    FileId file;
  };
  struct CreateChange {
    std::string path;
    FileId file;
  };
  struct RenameChange {
    std::string from, to;
  };
  struct RemoveChange {
    std::string path;
  };
  struct FolderChange {
    std::string path;  ///< a new folder, durable at once: create_directories syncs
  };
  struct SyncFolderChange {
    std::string path;
  };
  using Change = std::variant<WriteChange, CutChange, SyncChange, CreateChange, RenameChange, RemoveChange,
                              FolderChange, SyncFolderChange>;

  Status begin_change_locked(const char* call, const std::string& path) DENDRO_REQUIRES(mutex_);
  Status begin_sync_locked(const char* call, const std::string& path) DENDRO_REQUIRES(mutex_);
  void record_locked(Change change) DENDRO_REQUIRES(mutex_);
  Status write(FileId file, const std::string& path, std::uint64_t offset, std::span<const std::string_view> parts);
  Status sync(FileId file, const std::string& path);
  Status truncate(FileId file, const std::string& path, std::uint64_t size);
  std::uint64_t size(FileId file) const;
  std::size_t read(FileId file, std::uint64_t offset, std::span<char> out) const;
  void unlock(const std::string& path);

  // Fixed after construction (after_power_cut fills base_ before anyone sees the new object).
  const bool keeps_log_;
  Disk base_;  ///< where the log begins
  mutable Mutex mutex_;
  Disk disk_ DENDRO_GUARDED_BY(mutex_);
  FileId next_file_ DENDRO_GUARDED_BY(mutex_) = 1;
  std::vector<Change> log_ DENDRO_GUARDED_BY(mutex_);
  std::set<std::string> locked_ DENDRO_GUARDED_BY(mutex_);
  DiskSpace space_ DENDRO_GUARDED_BY(mutex_) = {std::uint64_t{1} << 40, std::uint64_t{1} << 40};
  FileFaults faults_ DENDRO_GUARDED_BY(mutex_);
  std::uint64_t change_calls_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::uint64_t, std::less<>> sync_calls_ DENDRO_GUARDED_BY(mutex_);  ///< by path
};

}  // namespace dendro
