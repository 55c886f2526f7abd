#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"
#include "io/file_system.h"
#include "storage/store_paths.h"

namespace dendro {

// Invariants of the WAL folder:
//   W1 `<number>.wal` has a durable header of that number before it has that name, and that name durably before a frame
//   in it is
//      acknowledged; numbers have no gap from the manifest's first live one on;
//   W2 a file below the manifest's first live number holds nothing that is needed: it is a spare that was not renamed
//   yet; W3 `spare-<n>` is as long as a WAL file and written throughout (zeros or old frames), so that frames find
//   allocated blocks; W4 `*.tmp` is being zeroed and means nothing.

/// A file that no frame will be added to.
struct ClosedWalFile {
  WalNumber number;
  SequenceNumber last_sequence;  ///< 0: it has no frame
  std::uint64_t bytes = 0;
};

/// A WAL file open for frames behind its header.
struct OpenWalFile {
  WalNumber number;
  std::unique_ptr<WritableFile> file;
  std::uint64_t bytes = 0;  ///< allocated
};

/// Makes, recycles and releases the files of the WAL, zeroes spares in the background. Thread-safe; `next` by the
/// committer only.
class WalFiles {
 public:
  struct Options {
    std::uint64_t file_bytes = 0;
    std::size_t spare_files_max = 0;
  };
  WalFiles(const StorePaths& paths, FileSystem& files, Clock& clock, Bytes16 store_id, Options options);
  ~WalFiles();
  WalFiles(const WalFiles&) = delete;
  WalFiles& operator=(const WalFiles&) = delete;

  /// Finds spares and left-overs of an earlier run; files below `first_live` become spares (W2). Once, before the rest.
  Status adopt(WalNumber first_live);
  /// Files that recovery has read, in order, and the number after the last one. Before start().
  void set_closed(std::vector<ClosedWalFile> closed, WalNumber next_number);
  /// Starts zeroing spares in the background.
  void start();

  /// A new file, empty but for its header. Takes a spare, or writes one if none is there.
  /// Errors: storage_full (nothing changed), io_error.
  Result<OpenWalFile> next();
  /// `file` gets no more frames. All its frames are published by now.
  void close(ClosedWalFile file);
  std::vector<ClosedWalFile> closed() const;
  /// While it lives, files that are released stay where they are: for a reader of the folder. The WalFiles outlive it.
  class Hold {
   public:
    explicit Hold(WalFiles& files) : files_(files) { files_.begin_hold(); }
    ~Hold() { files_.end_hold(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    /// What no frame will be added to, by number: closed, or released since the hold began.
    std::vector<ClosedWalFile> files() const { return files_.closed_and_held(); }

   private:
    WalFiles& files_;
  };
  std::uint64_t closed_bytes() const;
  /// Turns the closed files below `first_live` into spares, or removes them. The manifest says `first_live` durably by
  /// now.
  void release_below(WalNumber first_live);
  /// What is in files now will not be found in the folder any more once they are released: spares are removed at once,
  /// files with a smaller number than the one given back are removed, not recycled. (Deleted records stay in neither.)
  /// Errors: those of FileSystem::remove; then it is to be tried again.
  Result<WalNumber> stop_recycling_old_files();
  /// True while files below the number are there. What is gone is gone durably when this says false.
  Result<bool> has_files_below(WalNumber number);

 private:
  Status adopt_spare(const std::string& path);
  std::string spare_path_locked() DENDRO_REQUIRES(mutex_);
  Status write_zeros(const std::string& path);
  Result<std::string> make_spare(const std::string& path);
  Status turn_into_wal_file(const std::string& spare, OpenWalFile& next);
  void recycle(const ClosedWalFile& file);
  void begin_hold();
  void end_hold();
  std::vector<ClosedWalFile> closed_and_held() const;
  void run(const std::stop_token& stop);

  // Fixed after construction.
  const StorePaths& paths_;
  FileSystem& files_;
  Clock& clock_;
  const Bytes16 store_id_;
  const Options options_;

  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<ClosedWalFile> closed_ DENDRO_GUARDED_BY(mutex_);
  std::vector<ClosedWalFile> held_ DENDRO_GUARDED_BY(mutex_);  ///< released meanwhile
  std::size_t holds_ DENDRO_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> spares_ DENDRO_GUARDED_BY(mutex_);  ///< paths
  WalNumber next_number_ DENDRO_GUARDED_BY(mutex_){1};
  std::uint64_t next_spare_ DENDRO_GUARDED_BY(mutex_) = 1;
  WalNumber first_recycled_ DENDRO_GUARDED_BY(mutex_);  ///< files below it are removed when released
  bool wants_spare_ DENDRO_GUARDED_BY(mutex_) = true;
  bool stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread zeroer_;
};

}  // namespace dendro
