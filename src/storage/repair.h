#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/file_system.h"

namespace dendro {

// Brings a store that refuses to open back, with everything in it that is still good. In order, so that a power cut at
// any moment leaves either the refusing store as it was or the repaired one:
//   R1 damaged files are copied aside as <name>.damaged-<n> and the copies synced; nothing of the store was touched;
//   R2 records of the WAL that are in no segment are written into new segments, unlisted still;
//   R3 an empty WAL file of the next number is made;
//   R4 one manifest edit (or a new manifest, where the old one is damaged) lists the new segments and lets go of all
//      WAL files before that number.
// What is not listed then and was not copied aside holds nothing that is not elsewhere.

/// What is wrong, what would be done about it, and what that loses. One line each, for people.
struct RepairPlan {
  std::vector<std::string> findings;
  std::vector<std::string> steps;
  std::vector<std::string> losses;  ///< what was acknowledged and is or may be gone
  bool is_needed() const { return !steps.empty(); }
};

/// A store held by its lock while somebody decides. Not thread-safe.
class StoreRepair {
 public:
  /// Looks at a store that no process has open, and changes nothing but its LOCK. Only what hinders opening is looked
  /// at: damage inside segments hinders nobody.
  /// Errors: unavailable (another process holds the folder), not_found (no store), unimplemented (files of a later
  /// version: nothing is damaged), io_error, corruption (nothing is left to tell the store by).
  static Result<std::unique_ptr<StoreRepair>> open(const std::string& directory, FileSystem& files, Clock& clock);
  virtual ~StoreRepair() = default;

  virtual const RepairPlan& plan() const = 0;
  /// Once. Errors: storage_full (the store is as it was, but for files aside), io_error.
  virtual Status carry_out() = 0;
};

}  // namespace dendro
