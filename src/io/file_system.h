#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// A file open for writing at any offset. One thread at a time. Closing does not sync.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Writes the parts one after the other at `offset`, all of them (a short write is an error).
  /// Errors: storage_full (ENOSPC, EDQUOT; some bytes may be there), io_error.
  virtual Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) = 0;
  /// Data, and size if it changed, are on the disk when this returns (fdatasync). Errors: io_error, storage_full; then
  /// what the disk holds is unknown and this file must not be written again.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

/// A file open for reading at any offset. Thread-safe.
class RandomReader {
 public:
  virtual ~RandomReader() = default;
  /// Fills `out` from `offset`; fewer bytes only at the end of the file. Errors: io_error.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

/// Held while it lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DiskSpace {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

enum class OpenMode : std::uint8_t {
  create_new,      ///< already_exists if it is there
  create_private,  ///< the same; its owner alone may read it, where the file system knows of owners
  open_existing,   ///< not_found if it is not
};

/// The disk as the engine sees it, handed in so that a test can own it. Thread-safe. Paths are plain, "/" separates.
/// A name (create, rename, remove) is durable only after sync_directory of its folder.
/// Errors where a call does not say otherwise: not_found, permission_denied, storage_full, io_error; the text names the
/// path.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Makes the folder and those above it that are missing, and syncs the folders that hold the new names. Present:
  /// fine.
  virtual Status create_directories(const std::string& path) = 0;
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::unique_ptr<RandomReader>> open_reader(const std::string& path) = 0;
  /// Replaces `to` atomically if it is there.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  /// Names (without folder) of files and folders in `path`, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<DiskSpace> disk_space(const std::string& path) = 0;
  /// Takes an exclusive lock on the file, made if missing, without waiting.
  /// Errors: unavailable ("is held by another process").
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// The operating system's files.
std::unique_ptr<FileSystem> make_posix_file_system();

/// The whole of a file. Errors: those of open_reader and read_at; too_large over `bytes_max`.
Result<std::string> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max);

/// A file that was filled with zeros before it was written.
struct PreparedFile {
  std::string bytes;             ///< without most of the zeros at its end, if there are many
  std::uint64_t file_bytes = 0;  ///< with them
};
/// As read_whole_file; memory for what was written only.
Result<PreparedFile> read_prepared_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max);

}  // namespace dendro
