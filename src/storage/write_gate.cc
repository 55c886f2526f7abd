#include "storage/write_gate.h"

#include <algorithm>

#include "base/log.h"

namespace dendro {

void WriteGate::stop(const Error& reason) {
  {
    MutexLock lock(mutex_);
    if (is_stopped_) return;
    is_stopped_ = true;
    reason_ = reason.message();
  }
  log(LogLevel::error, "storage", "writing stopped; open the store again to recover", {{"error", reason.message()}});
}

void WriteGate::set_full(const Error& reason) {
  MutexLock lock(mutex_);
  if (!is_stopped_) reason_ = reason.message();
}

Status WriteGate::check_space() {
  const Result<DiskSpace> space = files_.disk_space(folder_);
  if (!space) return space.error();
  const auto share_bytes = static_cast<std::uint64_t>(static_cast<double>(space->total_bytes) * limits_.free_share_min);
  const std::uint64_t needed = std::max(limits_.free_bytes_min, share_bytes);
  if (space->free_bytes >= needed) {
    MutexLock lock(mutex_);
    if (!is_stopped_) reason_.clear();
    return {};
  }
  const Error full(ErrorCode::storage_full, folder_ + ": " + std::to_string(space->free_bytes) +
                                                " bytes are free, writing needs " + std::to_string(needed) +
                                                "; free some space, the store goes on by itself");
  set_full(full);
  return full;
}

Status WriteGate::check_room(std::uint64_t bytes) const {
  const Result<DiskSpace> space = files_.disk_space(folder_);
  if (!space) return space.error();
  const auto share_bytes = static_cast<std::uint64_t>(static_cast<double>(space->total_bytes) * limits_.free_share_min);
  const std::uint64_t needed = std::max(limits_.free_bytes_min, share_bytes);
  if (space->free_bytes >= needed && space->free_bytes - needed >= bytes) return {};
  return Error(ErrorCode::storage_full, folder_ + ": " + std::to_string(space->free_bytes) + " bytes are free, " +
                                            std::to_string(bytes) + " more than " + std::to_string(needed) +
                                            " are needed");
}

Status WriteGate::check_open() const {
  MutexLock lock(mutex_);
  if (!is_stopped_) return {};
  return Error(ErrorCode::unavailable, "the store takes no more writes: " + reason_);
}

StoreHealth WriteGate::health() const {
  MutexLock lock(mutex_);
  return {reason_.empty(), reason_};
}

}  // namespace dendro
