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
#include "storage/spool/spool_verify.h"

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
/// On a full disk what is there can be worked off: an acknowledgement that finds no room says storage_full, but the
/// message does not come again in this process; that it is done is written with the next change that finds room.
class Spool final : public Queue {
 public:
  /// The files at one moment. While it lives none of them goes, and what they hold up to their sizes does not change;
  /// messages go on being sent and acknowledged. The spool outlives it.
  class Hold {
   public:
    explicit Hold(Spool& spool);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    const std::vector<FoundSpoolFile>& files() const { return files_; }

   private:
    Spool& spool_;
    std::vector<FoundSpoolFile> files_;
  };

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
  Result<std::vector<DeadLetter>> dead_letters(std::size_t count_max, std::string_view after = {}) override;
  Result<DeadLetter> dead_letter(std::string_view id) override;
  Result<std::size_t> redrive(std::optional<std::string_view> id = std::nullopt) override;
  Result<std::size_t> drop(std::optional<std::string_view> id = std::nullopt) override;

  /// Reads everything again; messages go on meanwhile. Errors: those of verify_spool.
  Result<SpoolReport> verify();
  /// Bytes of a torn tail that opening cut off: nothing of them was acknowledged.
  std::uint64_t dropped_bytes() const { return dropped_bytes_; }
  /// Of the files.
  std::uint64_t disk_bytes();
  const std::string& directory() const { return options_.directory; }

 private:
  struct SpoolMessageInfo {
    SpoolPlace place;
    Timestamp sent;
  };
  Spool(const SpoolOptions& options, FileSystem& files, const Clock& clock, RandomSource& random);
  Status recover_locked() DENDRO_REQUIRES(mutex_);
  void apply_locked(const FoundSpoolFrame& found) DENDRO_REQUIRES(mutex_);
  void place_locked(QueueMessageId id, const SpoolMessageInfo& info) DENDRO_REQUIRES(mutex_);
  void forget_locked(QueueMessageId id) DENDRO_REQUIRES(mutex_);
  Result<SpoolFiles::Written> append_locked(SpoolFrameKind kind, std::uint32_t message_count, std::string_view payload)
      DENDRO_REQUIRES(mutex_);
  Status write_states_locked(std::span<const SpoolStateRow> rows) DENDRO_REQUIRES(mutex_);
  Status sync_states_locked(std::span<const SpoolStateRow> rows) DENDRO_REQUIRES(mutex_);
  void owe_locked(std::span<const SpoolStateRow> rows) DENDRO_REQUIRES(mutex_);
  Status finish_locked(std::span<const QueueMessageId> ids) DENDRO_REQUIRES(mutex_);
  Status bury_locked() DENDRO_REQUIRES(mutex_);
  Status drop_old_letters_locked() DENDRO_REQUIRES(mutex_);
  Status clean_locked() DENDRO_REQUIRES(mutex_);
  Status keep_first_file_locked() DENDRO_REQUIRES(mutex_);
  Result<std::optional<SpoolMessage>> read_locked(QueueMessageId id) DENDRO_REQUIRES(mutex_);
  Result<std::optional<DeadLetter>> letter_locked(QueueMessageId id) DENDRO_REQUIRES(mutex_);
  SpoolStateRow state_of_locked(QueueMessageId id) const DENDRO_REQUIRES(mutex_);

  // Fixed after construction.
  const SpoolOptions options_;
  FileSystem& file_system_;
  const Clock& clock_;
  Mutex mutex_;
  SpoolFiles files_ DENDRO_GUARDED_BY(mutex_);
  QueueLedger ledger_ DENDRO_GUARDED_BY(mutex_);
  std::map<QueueMessageId, SpoolMessageInfo> messages_ DENDRO_GUARDED_BY(mutex_);  ///< all that is not done
  std::uint64_t bytes_ DENDRO_GUARDED_BY(mutex_) = 0;                              ///< of messages_
  /// States that found no room on the disk.
  std::map<QueueMessageId, SpoolStateRow> owed_ DENDRO_GUARDED_BY(mutex_);
  std::size_t holds_ DENDRO_GUARDED_BY(mutex_) = 0;
  QueueMessageId next_id_ DENDRO_GUARDED_BY(mutex_){1};
  std::uint64_t dropped_bytes_ = 0;  ///< fixed after opening
};

}  // namespace dendro
