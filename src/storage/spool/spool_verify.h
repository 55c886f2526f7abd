#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "storage/spool/spool_reader.h"
#include "storage/storage_fault.h"

namespace dendro {

/// What reading all of a spool found.
struct SpoolReport {
  std::optional<StorageFault> fault;  ///< the first one: what follows it cannot be told
  std::uint64_t messages = 0;         ///< that are not done
  std::uint64_t torn_tail_bytes = 0;  ///< never acknowledged; the next opening cuts it
};

/// Reads every frame and message and changes nothing. `live`: the files as of a Spool::Hold, up to their sizes; without
/// it every file of the folder, which no process has open. Errors: those of the file system.
Result<SpoolReport> verify_spool(const std::string& directory, FileSystem& files,
                                 const std::vector<FoundSpoolFile>* live = nullptr);

}  // namespace dendro
