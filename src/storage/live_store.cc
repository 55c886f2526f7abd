#include "storage/live_store.h"

#include <set>

#include "storage/backup_folder.h"
#include "storage/limits.h"
#include "storage/store_files.h"
#include "storage/verify_segment.h"
#include "storage/wal_reader.h"

namespace dendro {
namespace {

constexpr std::uint64_t kFirstManifestNumber = 1;

Error live_work_cancelled() {
  return Error(ErrorCode::cancelled, "it was cancelled");
}

/// A file of the store by its path within the folder.
std::string inner_path(const StorePaths& paths, const std::string& path) {
  return path.substr(paths.root().size() + 1);
}

class LiveVerifier {
 public:
  LiveVerifier(const LiveStore& store, const WorkWatch& watch) : store_(store), watch_(watch) {}

  Result<VerifyReport> run() {
    const PinnedFiles pinned = pin_files(store_);
    {
      const WalFiles::Hold hold(store_.wal_files);
      const std::vector<ClosedWalFile> wal = hold.files();
      files_total_ = pinned.segments.size() + wal.size() + 1;
      check_manifest();
      for (const ClosedWalFile& file : wal) {
        DENDRO_TRY(step());
        DENDRO_TRY(check_wal_file(file));
      }
    }
    for (const auto& segment : pinned.segments) {
      DENDRO_TRY(step());
      verify_segment_file(store_.files, segment->path(), store_.manifest.store_id(), segment->info(), report_);
    }
    watch_.tell(files_total_, files_total_);
    return std::move(report_);
  }

 private:
  Status step() {
    if (watch_.cancel.cancelled()) return live_work_cancelled();
    watch_.tell(++files_done_, files_total_);
    return {};
  }

  /// Its writers are kept away meanwhile: a group that is half written would look like damage.
  void check_manifest() {
    store_.manifest.read([this](const ManifestState& state) {
      const Result<LiveManifest> live = read_live_manifest(store_.paths, store_.files);
      if (!live) {
        report_.faults.push_back(StorageFault::of(store_.paths.current(), live.error()));
      } else if (live->contents.was_cut || live->contents.state != state) {
        report_.faults.push_back({live->path, live->contents.end_offset, "differs from the manifest in memory"});
      }
    });
  }

  Status check_wal_file(const ClosedWalFile& file) {
    const std::string path = store_.paths.wal_file(file.number);
    const Result<std::string> bytes = read_whole_file(store_.files, path, kMaxWalFileBytes);
    if (!bytes && bytes.error().code() == ErrorCode::io_error) return bytes.error();
    if (!bytes) {
      report_.faults.push_back(StorageFault::of(path, bytes.error()));
      return {};
    }
    const Result<WalContents> contents = read_wal_file(*bytes, store_.manifest.store_id(), file.number);
    if (!contents) {
      report_.faults.push_back(StorageFault::of(path, contents.error()));
    } else if (contents->dropped_bytes > 0) {
      report_.faults.push_back({path, contents->end_offset, "bad frame"});
    } else {
      const auto next = contents->next_sequence();
      const SequenceNumber last(next ? next->number() - 1 : 0);
      if (last != file.last_sequence) report_.faults.push_back({path, contents->end_offset, "ends early"});
      for (const WalFrame& frame : contents->frames) report_.wal_records += frame.header.record_count;
    }
    return {};
  }

  const LiveStore& store_;
  const WorkWatch& watch_;
  VerifyReport report_;
  std::uint64_t files_done_ = 0;
  std::uint64_t files_total_ = 0;
};

}  // namespace

PinnedFiles pin_files(const LiveStore& store) {
  PinnedFiles pinned;
  // Under the manifest's lock no edit is between its disk and its readers: both sides say the same.
  store.manifest.read([&](const ManifestState& state) {
    pinned.state = state;
    std::set<TenantId> tenants;
    for (const auto& [id, info] : state.segments) tenants.insert(info.tenant);
    for (const TenantId& tenant : tenants) {
      const TenantView view = store.tenants.view(tenant);
      pinned.segments.insert(pinned.segments.end(), view.segments->begin(), view.segments->end());
    }
  });
  return pinned;
}

Result<BackupReport> backup_live(const LiveStore& store, const std::string& to, const WorkWatch& watch,
                                 const AddToBackup& add) {
  DENDRO_TRY(make_empty_target(store.files, to));
  std::optional<WalFiles::Hold> hold(std::in_place, store.wal_files);
  // In this order: what the state does not list as flushed is in files that are held from here on; and the file that is
  // open now ends behind the state, so all of it is in files that no longer change.
  const PinnedFiles pinned = pin_files(store);
  DENDRO_TRY(store.committer.rotate_wal());
  std::vector<std::string> wal;
  for (const ClosedWalFile& file : hold->files()) {
    if (file.number >= pinned.state.counters.first_live_wal) wal.push_back(store.paths.wal_file(file.number));
  }
  const OnBackupProgress on_progress = [&watch](const BackupProgress& at) {
    watch.tell(at.files_done, at.files_total);
  };
  BackupFolder backup(store.files, store.clock, store.paths.root(), to, on_progress,
                      wal.size() + pinned.segments.size() + 2);
  const auto take = [&](const std::string& path) -> Status {
    if (watch.cancel.cancelled()) return live_work_cancelled();
    return backup.take(inner_path(store.paths, path));
  };
  for (const std::string& path : wal) DENDRO_TRY(take(path));
  hold.reset();
  for (const auto& segment : pinned.segments) DENDRO_TRY(take(segment->path()));
  if (watch.cancel.cancelled()) return live_work_cancelled();
  if (add) DENDRO_TRY(add(backup));
  DENDRO_TRY_ASSIGN(const BackupReport report,
                    backup.finish(store.manifest.store_id(), kFirstManifestNumber, pinned.state));
  watch.tell(report.files, report.files);
  return report;
}

Result<VerifyReport> verify_live(const LiveStore& store, const WorkWatch& watch) {
  return LiveVerifier(store, watch).run();
}

}  // namespace dendro
