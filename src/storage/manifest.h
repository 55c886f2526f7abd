#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "io/file_system.h"
#include "storage/manifest_edit.h"
#include "storage/store_paths.h"

namespace dendro {

// Invariants of the manifest (docs/formats/manifest.md):
//   N1 CURRENT names a manifest whose first group, the snapshot, is durable;
//   N2 a group is written only after the one before it was synced, so at most the last group of a file can be
//   incomplete; N3 `state()` is what a reader of the files would find: an edit is applied once its group is durable, or
//   not at all.

inline constexpr std::string_view kManifestMagic = "DNDRMAN1";
inline constexpr std::uint16_t kManifestVersion = 1;
inline constexpr std::size_t kManifestHeaderBytes = 64;
inline constexpr std::size_t kGroupFrontBytes = 8;  ///< u32 bytes of the edits, u32 count of the edits
inline constexpr std::size_t kGroupHashBytes = 8;

/// The contents of a manifest file.
struct ManifestContents {
  Bytes16 store_id{};
  ManifestState state;
  std::uint64_t end_offset = 0;  ///< behind the last whole group
  bool was_cut = false;          ///< an incomplete group follows
};

/// Reads a whole manifest file. An incomplete last group - one that reaches beyond the file, or of which a 512-byte
/// sector was never written - is left out; all else is an error that names the offset. Errors: corruption,
/// unimplemented.
Result<ManifestContents> read_manifest(std::string_view bytes, std::uint64_t number);

/// The bytes of a manifest that holds this state as its snapshot: for backup and repair.
std::string encode_manifest(const Bytes16& store_id, std::uint64_t number, Timestamp created,
                            const ManifestState& state);

/// The list of live segments and what goes with it, as a file of edits. One thread at a time.
class Manifest {
 public:
  /// Rewritten beyond this size if that halves it, and beyond 16 times its live state.
  static constexpr std::uint64_t kRewriteBytes = std::uint64_t{4} << 20;

  /// Opens what CURRENT names, or makes the first manifest of a new store. Errors: corruption (names file and offset;
  /// also if CURRENT is missing where there is data), unimplemented, and those of the file system.
  static Result<std::unique_ptr<Manifest>> open(const StorePaths& paths, FileSystem& files, Clock& clock,
                                                RandomSource& random, std::uint64_t rewrite_bytes = kRewriteBytes);

  const Bytes16& store_id() const { return store_id_; }
  const ManifestState& state() const { return state_; }
  std::uint64_t number() const { return number_; }
  /// False if a last group had to be left out: files that are not listed may then belong to it.
  bool was_read_clean() const { return was_read_clean_; }

  /// Makes the edits durable, all or none. Errors: storage_full (nothing changed; may be tried again); io_error
  /// (unknown what the disk holds: no more edits, only reopening helps).
  Status append(const std::vector<ManifestEdit>& edits);
  /// Writes the state to a new file, so that nothing is left of edits that it no longer holds. Errors as append.
  Status rewrite_now();
  /// Errors: io_error once an append or a rewrite has failed for good.
  Status check_usable() const;

 private:
  Manifest(const StorePaths& paths, FileSystem& files, Clock& clock, std::uint64_t rewrite_bytes)
      : paths_(paths), files_(files), clock_(clock), rewrite_bytes_(rewrite_bytes) {}
  Status load();
  Status create(RandomSource& random);
  Status refuse_orphaned_data();
  void remove_old_files();
  bool should_rewrite() const;
  /// Writes the state to a new file and lets CURRENT name it. Errors as append.
  Status rewrite();
  Status write_new_manifest(std::uint64_t number, std::unique_ptr<WritableFile>& file, std::uint64_t& size);
  Status point_current_at(std::uint64_t number);
  Status fail(const Error& error);

  // Fixed after opening.
  const StorePaths& paths_;
  FileSystem& files_;
  Clock& clock_;
  const std::uint64_t rewrite_bytes_;
  Bytes16 store_id_{};
  bool was_read_clean_ = true;

  ManifestState state_;
  std::uint64_t number_ = 0;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t synced_bytes_ = 0;
  std::uint64_t snapshot_bytes_ = 0;  ///< of the first group
  bool has_failed_ = false;
};

}  // namespace dendro
