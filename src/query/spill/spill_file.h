#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

class FileSystem;
class SpillSpace;
struct SpillPlace;

/// Where a block lies in its file.
struct SpillBlock {
  std::uint64_t offset = 0;
  std::uint32_t stored_bytes = 0;  ///< header included
};

/// A temporary file of compressed, checksummed blocks that only this process reads, and only while it is open. Its name
/// is gone as soon as it is open, so that nothing stays behind when the process is killed. Not thread-safe.
class SpillFile {
 public:
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Errors: resource_exhausted (the bound of the query, or the reserve of the disk; nothing written), storage_full,
  /// io_error.
  Result<SpillBlock> append(std::string_view plain);
  /// Errors: corruption (not what was written there), io_error.
  Status read(const SpillBlock& block, std::string& plain);

 private:
  friend class SpillSpace;
  struct Handles;
  SpillFile(SpillSpace& space, std::unique_ptr<Handles> handles);

  SpillSpace& space_;
  const std::unique_ptr<Handles> handles_;
  std::uint64_t bytes_ = 0;
  std::string buffer_;
};

/// The temporary files of one query, bounded together. Outlives its files. Not thread-safe.
class SpillSpace {
 public:
  SpillSpace(std::shared_ptr<const SpillPlace> place, std::uint64_t bytes_max);
  ~SpillSpace();
  SpillSpace(const SpillSpace&) = delete;
  SpillSpace& operator=(const SpillSpace&) = delete;

  /// False: there is no place for files.
  bool is_there() const { return place_ != nullptr; }
  /// Errors: those of making files.
  Result<std::unique_ptr<SpillFile>> open_file();
  /// Whether so many bytes more may be written. Errors: resource_exhausted.
  Status check_room(std::uint64_t bytes);
  /// All that was ever written.
  std::uint64_t written_bytes() const { return written_bytes_; }

 private:
  friend class SpillFile;
  struct Packer;
  Status take(std::uint64_t bytes);
  Status remove(const std::string& path);

  const std::shared_ptr<const SpillPlace> place_;
  const std::uint64_t bytes_max_;
  std::unique_ptr<Packer> packer_;  ///< made when first needed
  std::uint64_t bytes_ = 0;         ///< in files now
  std::uint64_t written_bytes_ = 0;
  std::uint64_t checked_bytes_ = 0;          ///< that the disk was seen to have room for
  std::vector<std::string> names_not_gone_;  ///< whose removal failed: tried again at the end
};

/// Removes what a process left that was killed between making a file and removing its name. No folder: fine.
Status clear_spill_directory(FileSystem& files, const std::string& directory);

}  // namespace dendro
