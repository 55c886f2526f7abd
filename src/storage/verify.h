#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/file_system.h"
#include "storage/spool/spool_verify.h"
#include "storage/storage_fault.h"

namespace dendro {

struct VerifyProgress {
  std::string file;
  std::uint64_t files_done = 0, files_total = 0;
};

/// What a look at every file of a store found.
struct VerifyReport {
  std::vector<StorageFault> faults;   ///< damage
  std::vector<std::string> unlisted;  ///< files that nothing lists: no damage, the next opening removes them
  std::vector<std::string> remarks;   ///< what opening will mend by itself
  std::uint64_t segments = 0, records = 0, segment_bytes = 0, raw_bytes = 0;
  std::uint64_t wal_records = 0;     ///< acknowledged, not in segments yet
  std::uint64_t queue_messages = 0;  ///< on their way, or dead letters
  bool is_clean() const { return faults.empty(); }
};

/// Reads the whole of a store that no process has open, and changes nothing but its LOCK: CURRENT and manifest, every
/// segment with all its records and statistics (segment_check.h), the WAL as opening would read it, every message of
/// the queues. Errors: unavailable (another process holds the folder), not_found (no store there), io_error.
Result<VerifyReport> verify_store(const std::string& directory, FileSystem& files, Clock& clock,
                                  const std::function<void(const VerifyProgress&)>& on_progress = {});

/// Takes over what was found of a queue.
void add_spool_report(const std::string& directory, const SpoolReport& spool, VerifyReport& report);

}  // namespace dendro
