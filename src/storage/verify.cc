#include "storage/verify.h"

#include <set>

#include "storage/limits.h"
#include "storage/read_only_files.h"
#include "storage/recovery.h"
#include "storage/segment/segment_file.h"
#include "storage/store_files.h"
#include "storage/verify_segment.h"
#include "storage/wal_survey.h"

namespace dendro {
namespace {

class StoreVerifier {
 public:
  StoreVerifier(const std::string& directory, FileSystem& files, Clock& clock,
                const std::function<void(const VerifyProgress&)>& on_progress)
      : paths_(directory), files_(files), clock_(clock), on_progress_(on_progress) {}

  Result<VerifyReport> run() {
    if (!is_store(paths_, files_)) {
      return Error(ErrorCode::not_found, "'" + paths_.root() + "' is not a data folder of dendro");
    }
    DENDRO_TRY_ASSIGN(const std::unique_ptr<FileLock> lock, files_.lock(paths_.lock_file()));
    DENDRO_TRY_ASSIGN(const std::vector<std::string> segments, list_segment_files(paths_, files_));
    files_total_ = segments.size() + 2;
    tell(paths_.current());
    Result<LiveManifest> live = read_live_manifest(paths_, files_);
    if (live) {
      check_listed(*live, segments);
      check_wal(*live);
    } else {
      if (live.error().code() == ErrorCode::io_error) return live.error();
      note_manifest(live.error());
      for (const std::string& path : segments) check_unlisted(path);
    }
    DENDRO_TRY(check_queues());
    DENDRO_TRY(note_leftovers());
    return std::move(report_);
  }

 private:
  void tell(const std::string& file) {
    if (on_progress_) on_progress_({file, files_done_, files_total_});
    ++files_done_;
  }

  void note_manifest(const Error& error) {
    const std::string& text = error.message();
    const std::size_t end = text.find(": ");
    report_.faults.push_back({text.substr(0, end), {}, end == std::string::npos ? "damaged" : text.substr(end + 2)});
  }

  void check_listed(const LiveManifest& live, const std::vector<std::string>& present) {
    if (live.contents.was_cut) {
      report_.remarks.push_back(live.path + ": an incomplete last edit group at offset " +
                                std::to_string(live.contents.end_offset) + " is left out at opening");
    }
    std::set<std::string> unlisted(present.begin(), present.end());
    for (const auto& [id, info] : live.contents.state.segments) {
      const std::string path = paths_.segment(info.tenant, info.day, id);
      unlisted.erase(path);
      check_segment_file(path, live.contents.store_id, info);
    }
    report_.unlisted.insert(report_.unlisted.end(), unlisted.begin(), unlisted.end());
  }

  void check_segment_file(const std::string& path, const Bytes16& store_id, const SegmentInfo& info) {
    tell(path);
    verify_segment_file(files_, path, store_id, info, report_);
  }

  /// Without a manifest every segment there is may be a listed one.
  void check_unlisted(const std::string& path) {
    SegmentDescription file;
    const Status described = describe_segment(files_, path, file);
    if (!described) {
      tell(path);
      report_.faults.push_back(StorageFault::of(path, described.error()));
      return;
    }
    check_segment_file(path, file.header.store_id, file.meta.info);
  }

  /// Recovery itself says whether it succeeds; on a failure every file is looked at, for it stops at the first.
  void check_wal(const LiveManifest& live) {
    tell(paths_.wal_folder());
    ReadOnlyFiles files(files_);
    TenantTable tenants(clock_, {std::chrono::hours(24), 0});
    const Result<RecoveredWal> recovered =
        recover_wal(paths_, files, clock_, live.contents.store_id, live.contents.state, tenants);
    if (recovered) {
      report_.wal_records = recovered->records;
      if (recovered->torn_tail_bytes > 0) {
        report_.remarks.push_back(paths_.wal_folder() + ": a torn tail of " +
                                  std::to_string(recovered->torn_tail_bytes) +
                                  " bytes, never acknowledged, is cut at opening");
      }
      return;
    }
    const Result<WalSalvage> salvage =
        salvage_wal(paths_, files_, live.contents.store_id, live.contents.state.counters.first_live_wal);
    if (salvage) {
      report_.faults.insert(report_.faults.end(), salvage->faults.begin(), salvage->faults.end());
      for (const WalNumber number : salvage->missing_files) {
        report_.faults.push_back({paths_.wal_file(number), {}, "missing: records in it were acknowledged"});
      }
    }
    if (!salvage || (salvage->faults.empty() && salvage->missing_files.empty())) note_manifest(recovered.error());
  }

  Status check_queues() {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, list_queue_names(paths_, files_));
    for (const std::string& name : names) {
      const std::string folder = paths_.queue_folder(name);
      tell(folder);
      DENDRO_TRY_ASSIGN(const SpoolReport found, verify_spool(folder, files_));
      add_spool_report(folder, found, report_);
    }
    return {};
  }

  Status note_leftovers() {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> temporary, list_segment_files(paths_, files_, ".seg.tmp"));
    report_.unlisted.insert(report_.unlisted.end(), temporary.begin(), temporary.end());
    return {};
  }

  const StorePaths paths_;
  FileSystem& files_;
  Clock& clock_;
  const std::function<void(const VerifyProgress&)>& on_progress_;
  VerifyReport report_;
  std::uint64_t files_done_ = 0;
  std::uint64_t files_total_ = 0;
};

}  // namespace

void add_spool_report(const std::string& directory, const SpoolReport& spool, VerifyReport& report) {
  if (spool.fault) report.faults.push_back(*spool.fault);
  if (spool.torn_tail_bytes > 0) {
    report.remarks.push_back(directory + ": a torn tail of " + std::to_string(spool.torn_tail_bytes) +
                             " bytes, never acknowledged, is cut at opening");
  }
  report.queue_messages += spool.messages;
}

Result<VerifyReport> verify_store(const std::string& directory, FileSystem& files, Clock& clock,
                                  const std::function<void(const VerifyProgress&)>& on_progress) {
  return StoreVerifier(directory, files, clock, on_progress).run();
}

}  // namespace dendro
