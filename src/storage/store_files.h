#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "storage/manifest.h"
#include "storage/store_paths.h"

namespace dendro {

/// The manifest that CURRENT names, read and not opened.
struct LiveManifest {
  std::uint64_t number = 0;
  std::string path;
  ManifestContents contents;
};
/// Errors: corruption (names the file), unimplemented, io_error.
Result<LiveManifest> read_live_manifest(const StorePaths& paths, FileSystem& files);

/// True if the folder looks like a store, damaged or not.
bool is_store(const StorePaths& paths, FileSystem& files);

/// Paths of the files below `t/` whose names end so, sorted. A missing folder has none.
Result<std::vector<std::string>> list_segment_files(const StorePaths& paths, FileSystem& files,
                                                    const std::string& suffix = ".seg");

/// Paths of the manifest files, by number.
Result<std::vector<std::string>> list_manifest_files(const StorePaths& paths, FileSystem& files);

/// Names of the queues of a store, sorted. A missing folder has none. A name with a dot is no queue's: so somebody puts
/// a damaged one aside.
Result<std::vector<std::string>> list_queue_names(const StorePaths& paths, FileSystem& files);

/// Size and hash of a file: XXH3-64 of each 4 MiB piece, seeded with the hash of the piece before (the first with 0).
struct CopiedFile {
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;
};
Result<CopiedFile> hash_file(FileSystem& files, const std::string& path);
enum class CopyAccess : std::uint8_t { usual, owner_only };
/// Copies a file, its first `bytes_max` bytes at most, and syncs it; the name is durable once its folder is synced.
/// `to` must not be there.
Result<CopiedFile> copy_file(FileSystem& files, const std::string& from, const std::string& to,
                             std::uint64_t bytes_max = UINT64_MAX, CopyAccess access = CopyAccess::usual);

/// Writes a file that must not be there, and syncs it.
Status write_new_file(FileSystem& files, const std::string& path, std::string_view bytes);

/// Replaces a file by way of `path`.tmp, durably.
Status replace_file(FileSystem& files, const std::string& folder, const std::string& path, std::string_view bytes);

/// A name for what is saved aside: `path`.damaged-<n>, the first that is free.
std::string damaged_name(FileSystem& files, const std::string& path);

}  // namespace dendro
