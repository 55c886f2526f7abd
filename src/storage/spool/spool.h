#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/queue.h"
#include "io/queue_ledger.h"
#include "storage/spool/spool_files.h"

namespace dendro {

struct SpoolOptions {
  std::string directory;                               ///< of this queue alone
  std::uint64_t bytes_max = std::uint64_t{256} << 20;  ///< of messages; the files take up to about twice as much
  std::uint64_t file_bytes = std::uint64_t{4} << 20;   ///< a file that has so many gets no more
};

/// A queue in files of its own (docs/formats/spool.md): survives kills and power cuts. Thread-safe; one call at a time,
/// the others wait, and every call may wait for the disk.
///
/// Leases are in memory: after opening, whatever was not acknowledged can be received at once. `send` and `acknowledge`
/// are durable when they return. A receive is counted on disk without a sync: the count outlives a kill of the process
/// (so that a message that kills it becomes a dead letter), but not a power cut.
/// Dead letters may take a quarter of bytes_max; beyond it the oldest are dropped, with a warning in the own log.
/// A message whose bytes are found damaged when it is received is dropped, with an error in the own log that names file
/// and offset.
class Spool final : public Queue {
 public:
  /// Makes the folder if it is missing. All outlive the spool.
  /// Errors: corruption (names file and offset), unimplemented (a later version wrote it), io_error, storage_full.
  static Result<std::unique_ptr<Spool>> open(const SpoolOptions& options, FileSystem& files, const Clock& clock,
                                             RandomSource& random);

  Result<std::vector<std::string>> send(std::span<const QueueMessage> messages) override;
  Result<std::vector<ReceivedMessage>> receive(std::size_t count_max, std::chrono::milliseconds visibility) override;
  Result<std::size_t> acknowledge(std::span<const std::string> receipts) override;
  Result<std::size_t> extend(std::span<const std::string> receipts, std::chrono::milliseconds visibility) override;
  Result<std::size_t> release(std::span<const std::string> receipts) override;
  Result<QueueDepth> depth() override;
  Result<std::vector<DeadLetter>> dead_letters(std::size_t count_max) override;
  Result<std::size_t> redrive() override;

  /// Bytes of a torn tail that opening cut off: nothing of them was acknowledged.
  std::uint64_t dropped_bytes() const { return dropped_bytes_; }
  /// Of the files.
  std::uint64_t disk_bytes();

 private:
  Spool(const SpoolOptions& options, FileSystem& files, const Clock& clock, RandomSource& random);
  Status recover_locked() DENDRO_REQUIRES(mutex_);
  void apply_locked(const FoundSpoolFrame& found) DENDRO_REQUIRES(mutex_);
  void place_locked(QueueMessageId id, const SpoolPlace& place) DENDRO_REQUIRES(mutex_);
  void forget_locked(QueueMessageId id) DENDRO_REQUIRES(mutex_);
  Result<SpoolFiles::Written> append_locked(SpoolFrameKind kind, std::uint32_t message_count, std::string_view payload)
      DENDRO_REQUIRES(mutex_);
  Status write_states_locked(std::span<const SpoolStateRow> rows) DENDRO_REQUIRES(mutex_);
  Status bury_locked() DENDRO_REQUIRES(mutex_);
  Status drop_old_letters_locked() DENDRO_REQUIRES(mutex_);
  Status clean_locked() DENDRO_REQUIRES(mutex_);
  Status keep_first_file_locked() DENDRO_REQUIRES(mutex_);
  std::optional<QueueMessage> read_locked(QueueMessageId id) DENDRO_REQUIRES(mutex_);
  SpoolStateRow state_of_locked(QueueMessageId id) const DENDRO_REQUIRES(mutex_);

  // Fixed after construction.
  const SpoolOptions options_;
  const Clock& clock_;
  Mutex mutex_;
  SpoolFiles files_ DENDRO_GUARDED_BY(mutex_);
  QueueLedger ledger_ DENDRO_GUARDED_BY(mutex_);
  std::map<QueueMessageId, SpoolPlace> places_ DENDRO_GUARDED_BY(mutex_);  ///< of all that is not done
  std::uint64_t bytes_ DENDRO_GUARDED_BY(mutex_) = 0;                      ///< of the messages in places_
  QueueMessageId next_id_ DENDRO_GUARDED_BY(mutex_){1};
  std::uint64_t dropped_bytes_ = 0;  ///< fixed after opening
};

}  // namespace dendro
