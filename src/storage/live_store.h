#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "storage/backup.h"
#include "storage/committer.h"
#include "storage/shared_manifest.h"
#include "storage/tenant_table.h"
#include "storage/verify.h"
#include "storage/wal_files.h"
#include "storage/work_watch.h"

namespace dendro {

/// A store while it works, for what reads all of its files. Everything outlives the call.
struct LiveStore {
  const StorePaths& paths;
  FileSystem& files;
  Clock& clock;
  SharedManifest& manifest;
  TenantTable& tenants;
  WalFiles& wal_files;
  Committer& committer;
};

/// The store's files at one moment: their segments stay on the disk as long as this lives.
struct PinnedFiles {
  ManifestState state;
  std::vector<std::shared_ptr<const Segment>> segments;
};
PinnedFiles pin_files(const LiveStore& store);

/// Copies the store as it is at one moment of the call, as backup_store (backup.h) does: everything acknowledged before
/// is in it. Records go on being taken, and WAL files pile up only while the live ones are copied, first of all.
/// Errors: as backup_store; cancelled; unavailable (writing has stopped: what the disk holds is not known).
/// Queues are not the store's: `add` brings them.
Result<BackupReport> backup_live(const LiveStore& store, const std::string& to, const WorkWatch& watch,
                                 const AddToBackup& add = {});

/// Reads every segment and every closed WAL file as verify_store (verify.h) does, and compares the manifest on the disk
/// with the one in memory. The WAL file that is being written is left out, and so are files that nothing lists: some
/// are just being made. Errors: cancelled, io_error.
Result<VerifyReport> verify_live(const LiveStore& store, const WorkWatch& watch);

}  // namespace dendro
