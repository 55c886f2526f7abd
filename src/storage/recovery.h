#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "storage/manifest.h"
#include "storage/tenant_table.h"
#include "storage/wal_files.h"

namespace dendro {

/// What the WAL gave at opening.
struct RecoveredWal {
  std::vector<ClosedWalFile> closed;  ///< files with frames, in order; no frame is added to them
  WalNumber next_number{1};
  SequenceNumber last_sequence;
  std::uint64_t torn_tail_bytes = 0;
  std::uint64_t records = 0;  ///< put into memtables
};

/// Opens the listed segments and gives them and their retry keys to the table. Damaged segments are there, too, and say
/// so.
void recover_segments(const StorePaths& paths, FileSystem& files, Clock& clock, const Manifest& manifest,
                      std::chrono::nanoseconds key_age_max, TenantTable& tenants);

/// Gives the live tombstones to the table. Errors: corruption, unimplemented (of a later version): without them deleted
/// records would be seen again.
Status recover_tombstones(const ManifestState& state, TenantTable& tenants);

/// Removes a tenant's folders of days that are empty, then its own. What makes a file in one meanwhile may fail.
void remove_empty_folders(FileSystem& files, const std::string& tenant_folder);

/// Removes files below `t/` that the manifest does not list. Only after a clean read of it.
Status remove_unlisted_files(const StorePaths& paths, FileSystem& files, const ManifestState& state);

/// Replays the frames that are not in segments yet, each request whole, in order of sequence; cuts a torn tail; makes
/// durable what was read, since it may have been in the page cache only. Errors: corruption (names file and offset),
/// unimplemented, and those of the file system.
Result<RecoveredWal> recover_wal(const StorePaths& paths, FileSystem& files, Clock& clock, const Bytes16& store_id,
                                 const ManifestState& state, TenantTable& tenants);

}  // namespace dendro
