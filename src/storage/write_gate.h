#pragma once

#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "io/file_system.h"
#include "storage/store_health.h"

namespace dendro {

// States: open <-> full (check_space, by free space), both -> stopped (a failed sync), for good.

/// Whether the store takes writes. Thread-safe.
class WriteGate {
 public:
  struct SpaceLimits {
    std::uint64_t free_bytes_min = 0;
    double free_share_min = 0;
  };
  /// @param folder  on the disk that is looked at; `files` outlives this.
  WriteGate(FileSystem& files, std::string folder, SpaceLimits limits)
      : files_(files), folder_(std::move(folder)), limits_(limits) {}

  /// What the disk holds is no longer known: no more writes until the store is opened again. The first reason stays.
  void stop(const Error& reason);
  /// A write found no space; until the next one finds some.
  void set_full(const Error& reason);
  /// Asks the disk. Errors: storage_full below the limits.
  Status check_space();
  /// Asks the disk without changing the state: room for so many bytes above the limits? Errors: storage_full.
  Status check_room(std::uint64_t bytes) const;
  /// Errors: unavailable once stopped.
  Status check_open() const;
  StoreHealth health() const;

 private:
  FileSystem& files_;
  const std::string folder_;
  const SpaceLimits limits_;
  mutable Mutex mutex_;
  bool is_stopped_ DENDRO_GUARDED_BY(mutex_) = false;
  std::string reason_ DENDRO_GUARDED_BY(mutex_);  ///< "": open
};

}  // namespace dendro
