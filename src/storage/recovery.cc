#include "storage/recovery.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "storage/batch_frame.h"
#include "storage/limits.h"
#include "storage/wal_format.h"
#include "storage/wal_reader.h"

namespace dendro {
namespace {

/// Ages over a restart can only be told by the wall clock; one that stepped back makes nothing older.
std::chrono::nanoseconds age_at(Timestamp received, Timestamp now) {
  std::int64_t age_ns = 0;
  if (__builtin_sub_overflow(now.number(), received.number(), &age_ns)) return std::chrono::nanoseconds::max() / 2;
  return std::chrono::nanoseconds(std::max<std::int64_t>(0, age_ns));
}

/// Replays the WAL files one after the other.
class WalReplay {
 public:
  WalReplay(const StorePaths& paths, FileSystem& files, Clock& clock, const Bytes16& store_id,
            const ManifestState& state, TenantTable& tenants)
      : paths_(paths), files_(files), now_(clock.now()), store_id_(store_id), state_(state), tenants_(tenants) {
    recovered_.last_sequence = state.counters.last_sequence;
  }

  Result<RecoveredWal> run() {
    DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, list_live_files());
    for (const WalNumber number : numbers) DENDRO_TRY(replay_file(number));
    recovered_.next_number = numbers.empty() ? state_.counters.first_live_wal : numbers.back().next();
    DENDRO_TRY(settle_tail());
    tenants_.set_last_sequence(recovered_.last_sequence);
    return std::move(recovered_);
  }

 private:
  /// A file without a frame that is worth keeping, behind the last one with some: recycled.
  struct ReadFile {
    ClosedWalFile file;
    std::uint64_t end_offset = 0;
    std::uint64_t dropped_bytes = 0;
  };

  Result<std::vector<WalNumber>> list_live_files() const {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(paths_.wal_folder()));
    std::vector<WalNumber> numbers;
    for (const std::string& name : names) {
      const auto number = StorePaths::parse_wal_name(name);
      if (number && *number >= state_.counters.first_live_wal) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    WalNumber expected = state_.counters.first_live_wal;
    const bool is_new_store = expected == WalNumber(1) && numbers.empty();
    if (numbers.empty() && !is_new_store) return missing(expected);
    for (const WalNumber number : numbers) {
      if (number != expected) return missing(expected);
      expected = expected.next();
    }
    return numbers;
  }

  Error missing(WalNumber number) const {
    return Error(ErrorCode::corruption, paths_.wal_file(number) + " is missing: records in it were acknowledged");
  }

  Status replay_file(WalNumber number) {
    const std::string path = paths_.wal_file(number);
    DENDRO_TRY_ASSIGN(const PreparedFile file, read_prepared_file(files_, path, kMaxWalFileBytes));
    Result<WalContents> contents = read_wal_file(file.bytes, store_id_, number, file.file_bytes);
    if (!contents) return contents.error().with_context(path);
    DENDRO_TRY(check_joint(*contents));
    const Status replayed = replay_frames(contents->frames);
    if (!replayed) return replayed.error().with_context(path);
    ReadFile read;
    read.file = {number, SequenceNumber(), file.file_bytes};
    read.end_offset = contents->end_offset;
    read.dropped_bytes = contents->dropped_bytes;
    if (const auto next = contents->next_sequence()) {
      read.file.last_sequence = SequenceNumber(next->number() - 1);
      next_sequence_ = next;
      last_with_frames_ = read_files_.size();
    }
    read_files_.push_back(read);
    return {};
  }

  /// A later file has frames, so all before it was synced, and a torn end was cut off at the opening in between: the
  /// files must hold nothing torn and join without a gap.
  Status check_joint(const WalContents& contents) const {
    if (contents.frames.empty()) return {};
    for (const ReadFile& earlier : read_files_) {
      if (earlier.dropped_bytes == 0) continue;
      return Error(ErrorCode::corruption, paths_.wal_file(earlier.file.number) + ": bad frame at offset " +
                                              std::to_string(earlier.end_offset) +
                                              ", but a later file holds records: acknowledged records are damaged");
    }
    const SequenceNumber first = contents.frames.front().header.first_sequence;
    const bool is_first_ever = !next_sequence_ && state_.counters.first_live_wal == WalNumber(1);
    if (is_first_ever && first != SequenceNumber(1)) {
      return Error(ErrorCode::corruption,
                   paths_.wal_file(WalNumber(1)) + ": bad frame at offset " + std::to_string(kWalHeaderBytes) +
                       ": records from sequence number 1 up to " + std::to_string(first.number()) + " are damaged");
    }
    if (!next_sequence_) return {};
    if (first == *next_sequence_) return {};
    const ReadFile& before = read_files_[*last_with_frames_];
    return Error(ErrorCode::corruption,
                 paths_.wal_file(before.file.number) + ": bad frame at offset " + std::to_string(before.end_offset) +
                     ": records from sequence number " + std::to_string(next_sequence_->number()) + " up to " +
                     std::to_string(first.number()) + ", where the next file begins, are damaged");
  }

  Status replay_frames(const std::vector<WalFrame>& frames) {
    std::vector<CommittedRequest> requests;
    replayed_bytes_ = 0;
    bool begins_request = true;
    for (const WalFrame& frame : frames) {
      const bool is_first = begins_request;
      begins_request = frame.header.frames_following == 0;
      const Status replayed = replay_frame(frame, is_first, requests);
      if (!replayed) {
        return replayed.error().with_context("frame of sequence number " +
                                             std::to_string(frame.header.first_sequence.number()));
      }
    }
    tenants_.publish(std::move(requests), recovered_.last_sequence);
    return {};
  }

  Status replay_frame(const WalFrame& frame, bool is_first, std::vector<CommittedRequest>& requests) {
    if (frame.header.kind != FrameKind::batch)
      return Error(ErrorCode::unimplemented, "a kind of frame of a later version");
    if (frame.header.record_count == 0) return Error(ErrorCode::corruption, "a frame without records");
    const SequenceNumber last = frame.header.first_sequence.next(frame.header.record_count - 1);
    recovered_.last_sequence = std::max(recovered_.last_sequence, last);
    DENDRO_TRY_ASSIGN(const BatchPayload payload, parse_batch_payload(frame.payload));
    if (last <= state_.flushed_of(payload.tenant)) return {};  // in a segment, with its whole request
    DENDRO_TRY_ASSIGN(std::shared_ptr<const RecordBatch> batch, unpack_batch(payload, frame.header));
    if (is_first) {
      const CommitReply reply{frame.header.first_sequence, payload.receive_time, payload.accepted, payload.rejected,
                              false};
      requests.push_back({payload.tenant, {}, payload.key, reply, age_at(payload.receive_time, now_)});
    }
    if (requests.empty() || requests.back().tenant != payload.tenant) {
      return Error(ErrorCode::corruption, "the frames of a request do not belong together");
    }
    recovered_.records += batch->size();
    replayed_bytes_ += memtable_bytes_of(*batch);
    requests.back().batches.push_back(memtable_batch(std::move(batch), frame.header.codec, payload.packed_batch,
                                                     tenants_.wants_packed(replayed_bytes_)));
    return {};
  }

  /// Files behind the last one with frames hold nothing; the end of that one is made durable, and cut if torn bytes
  /// follow.
  Status settle_tail() {
    const std::size_t tail_first = last_with_frames_ ? *last_with_frames_ : 0;
    for (std::size_t i = 0; i < read_files_.size(); ++i) {
      ReadFile& read = read_files_[i];
      if (i >= tail_first) {
        DENDRO_TRY(settle_file(read));
        recovered_.torn_tail_bytes += read.dropped_bytes;
      }
      recovered_.closed.push_back(read.file);
    }
    drop_unused_files();
    return {};
  }

  Status settle_file(ReadFile& read) {
    DENDRO_TRY_ASSIGN(const std::unique_ptr<WritableFile> file,
                      files_.open_writable(paths_.wal_file(read.file.number), OpenMode::open_existing));
    if (read.dropped_bytes > 0) {
      DENDRO_TRY(file->truncate(read.end_offset));
      read.file.bytes = read.end_offset;
    }
    return file->sync();
  }

  /// The last files, as far as nothing was ever written into them, are named anew: opening without writing uses up no
  /// files.
  void drop_unused_files() {
    while (!recovered_.closed.empty() && recovered_.closed.back().last_sequence == SequenceNumber() &&
           read_files_[recovered_.closed.size() - 1].dropped_bytes == 0) {
      recovered_.next_number = recovered_.closed.back().number;
      recovered_.closed.pop_back();
    }
  }

  const StorePaths& paths_;
  FileSystem& files_;
  const Timestamp now_;
  const Bytes16& store_id_;
  const ManifestState& state_;
  TenantTable& tenants_;
  RecoveredWal recovered_;
  std::vector<ReadFile> read_files_;
  std::uint64_t replayed_bytes_ = 0;  ///< of the file at hand
  std::optional<std::size_t> last_with_frames_;
  std::optional<SequenceNumber> next_sequence_;
};

/// Retry keys of one tenant as its segments tell them, each once, oldest first.
void restore_keys(const TenantId& tenant, std::vector<KeyedReply> keys, Timestamp now, std::chrono::nanoseconds age_max,
                  TenantTable& tenants) {
  std::sort(keys.begin(), keys.end(),
            [](const KeyedReply& a, const KeyedReply& b) { return a.reply.first_sequence < b.reply.first_sequence; });
  SequenceNumber sequence_before;
  for (const KeyedReply& keyed : keys) {
    if (keyed.reply.first_sequence == sequence_before) continue;  // its records lie in several segments
    sequence_before = keyed.reply.first_sequence;
    const std::chrono::nanoseconds age = age_at(keyed.reply.receive_time, now);
    if (age < age_max) tenants.restore_key(tenant, keyed, age);
  }
}

bool is_segment_file(std::string_view name) {
  return name.ends_with(".seg") || name.ends_with(".seg.tmp");
}

}  // namespace

void recover_segments(const StorePaths& paths, FileSystem& files, Clock& clock, const Manifest& manifest,
                      std::chrono::nanoseconds key_age_max, TenantTable& tenants) {
  std::map<TenantId, SegmentList> lists;
  std::map<TenantId, std::vector<KeyedReply>> keys = manifest.state().retry_keys;
  for (const auto& [id, info] : manifest.state().segments) {
    auto segment = Segment::open(files, paths.segment(info.tenant, info.day, id), manifest.store_id(), info);
    if (segment->damage()) {
      log(LogLevel::error, "storage", "a segment cannot be read", {{"error", segment->damage()->message()}});
    }
    auto& of_tenant = keys[info.tenant];
    of_tenant.insert(of_tenant.end(), segment->keys().begin(), segment->keys().end());
    lists[info.tenant].push_back(std::move(segment));
  }
  for (const auto& [tenant, list] : lists) tenants.add_segments(tenant, list);
  for (auto& [tenant, list] : keys) restore_keys(tenant, std::move(list), clock.now(), key_age_max, tenants);
}

Status recover_tombstones(const ManifestState& state, TenantTable& tenants) {
  for (const auto& [id, info] : state.tombstones) {
    DENDRO_TRY_ASSIGN(std::shared_ptr<const Tombstone> tombstone, Tombstone::open(info));
    tenants.add_tombstone(std::move(tombstone));
  }
  return {};
}

void remove_empty_folders(FileSystem& files, const std::string& tenant_folder) {
  // Synced first: what was in it must be gone for good before it goes itself.
  const auto remove_if_empty = [&files](const std::string& folder) {
    const auto names = files.list(folder);
    return names && names->empty() && files.sync_directory(folder) && files.remove(folder);
  };
  const auto days = files.list(tenant_folder);
  if (!days) return;
  bool is_changed = false;
  for (const std::string& day : *days) is_changed = remove_if_empty(tenant_folder + "/" + day) || is_changed;
  if (is_changed) (void)files.sync_directory(tenant_folder);
  if (!remove_if_empty(tenant_folder)) return;
  (void)files.sync_directory(tenant_folder.substr(0, tenant_folder.rfind('/')));
}

Status remove_unlisted_files(const StorePaths& paths, FileSystem& files, const ManifestState& state) {
  std::set<std::string> listed;
  for (const auto& [id, info] : state.segments) listed.insert(paths.segment(info.tenant, info.day, id));
  const std::string root = paths.tenants_folder();
  DENDRO_TRY_ASSIGN(const std::vector<std::string> tenants, files.list(root));
  for (const std::string& tenant : tenants) {
    DENDRO_TRY_ASSIGN(const std::vector<std::string> days, files.list(root + "/" + tenant));
    for (const std::string& day : days) {
      const std::string folder = root + "/" + tenant + "/" + day;
      DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(folder));
      for (const std::string& name : names) {
        const std::string path = folder + "/" + name;
        if (is_segment_file(name) && !listed.contains(path)) DENDRO_TRY(files.remove(path));
      }
    }
    remove_empty_folders(files, root + "/" + tenant);
  }
  return {};
}

Result<RecoveredWal> recover_wal(const StorePaths& paths, FileSystem& files, Clock& clock, const Bytes16& store_id,
                                 const ManifestState& state, TenantTable& tenants) {
  return WalReplay(paths, files, clock, store_id, state, tenants).run();
}

}  // namespace dendro
