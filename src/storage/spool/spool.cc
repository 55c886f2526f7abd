#include "storage/spool/spool.h"

#include <algorithm>

#include "base/log.h"
#include "storage/limits.h"

namespace dendro {
namespace {

/// Of bytes_max, for dead letters.
constexpr std::uint64_t kDeadLetterShare = 4;
/// Messages whose states share one frame when many change at once.
constexpr std::size_t kStatesOfAFrame = 10'000;
/// Around a message that is kept: head of its frame, state, padding.
constexpr std::uint64_t kKeptFrameBytes = 80;

}  // namespace

Spool::Spool(const SpoolOptions& options, FileSystem& files, const Clock& clock, RandomSource& random)
    : options_(options),
      file_system_(files),
      clock_(clock),
      files_(options.directory, files, clock, random),
      // Receipts of an earlier opening must not hold here.
      ledger_(static_cast<std::uint64_t>(clock.now().number())) {}

Result<std::unique_ptr<Spool>> Spool::open(const SpoolOptions& options, FileSystem& files, const Clock& clock,
                                           RandomSource& random) {
  std::unique_ptr<Spool> spool(new Spool(options, files, clock, random));
  MutexLock lock(spool->mutex_);
  DENDRO_TRY(spool->recover_locked());
  return spool;
}

Status Spool::recover_locked() {
  DENDRO_TRY_ASSIGN(const FoundSpool found, files_.open());
  for (const FoundSpoolFrame& frame : found.frames) apply_locked(frame);
  next_id_ = found.next_id;
  dropped_bytes_ = found.dropped_bytes;
  if (dropped_bytes_ > 0) {
    log(LogLevel::warning, "storage", "a queue ended in a torn write, which was cut off",
        {{"directory", options_.directory}, {"bytes", std::to_string(dropped_bytes_)}});
  }
  return {};
}

void Spool::apply_locked(const FoundSpoolFrame& found) {
  for (const SpoolMessagePlace& message : found.frame.messages) {
    place_locked(message.row.id,
                 {{found.file, found.offset, found.bytes, message.offset, message.bytes}, message.sent});
    ledger_.add(message.row.id, message.row.receive_count,
                message.row.state == SpoolState::dead ? QueueLedger::Place::dead : QueueLedger::Place::waiting);
  }
  for (const SpoolStateRow& row : found.frame.states) {
    if (!messages_.contains(row.id)) continue;  // its file went
    if (row.state == SpoolState::done) {
      forget_locked(row.id);
    } else {
      ledger_.add(row.id, row.receive_count,
                  row.state == SpoolState::dead ? QueueLedger::Place::dead : QueueLedger::Place::waiting);
    }
  }
}

void Spool::place_locked(QueueMessageId id, const SpoolMessageInfo& info) {
  SpoolMessageInfo& here = messages_[id];
  bytes_ += info.place.bytes;
  bytes_ -= here.place.bytes;  // of a kept one: where it lay before
  here = info;
}

void Spool::forget_locked(QueueMessageId id) {
  const auto message = messages_.find(id);
  if (message == messages_.end()) return;
  bytes_ -= message->second.place.bytes;
  messages_.erase(message);
  ledger_.remove(id);
}

Result<SpoolFiles::Written> Spool::append_locked(SpoolFrameKind kind, std::uint32_t message_count,
                                                 std::string_view payload) {
  if (files_.last_bytes() >= options_.file_bytes) DENDRO_TRY(files_.rotate(next_id_));
  return files_.append(kind, next_id_, message_count, payload);
}

/// With those that are owed, which come first. If it fails they are owed still, and `rows` are not.
Status Spool::write_states_locked(std::span<const SpoolStateRow> rows) {
  std::vector<SpoolStateRow> all;
  for (const auto& [id, row] : owed_) all.push_back(row);
  all.insert(all.end(), rows.begin(), rows.end());
  const std::span<const SpoolStateRow> left(all);
  for (std::size_t first = 0; first < left.size(); first += kStatesOfAFrame) {
    const std::string payload =
        encode_spool_states(left.subspan(first, std::min(kStatesOfAFrame, left.size() - first)));
    DENDRO_TRY(append_locked(SpoolFrameKind::states, 0, payload));
  }
  owed_.clear();
  return {};
}

Status Spool::sync_states_locked(std::span<const SpoolStateRow> rows) {
  DENDRO_TRY(write_states_locked(rows));
  return files_.sync();
}

void Spool::owe_locked(std::span<const SpoolStateRow> rows) {
  for (const SpoolStateRow& row : rows) owed_.insert_or_assign(row.id, row);
}

/// These are done. On a full disk they are, too, as far as this process goes.
Status Spool::finish_locked(std::span<const QueueMessageId> ids) {
  std::vector<SpoolStateRow> rows;
  for (const QueueMessageId id : ids) rows.push_back({id, SpoolState::done, 0});
  if (rows.empty()) return {};
  const Status written = sync_states_locked(rows);
  if (!written && written.error().code() != ErrorCode::storage_full) return written;
  if (!written) owe_locked(rows);
  for (const QueueMessageId id : ids) forget_locked(id);
  const Status cleaned = clean_locked();
  if (!cleaned) {
    log(LogLevel::warning, "storage", "files of a queue could not be removed",
        {{"directory", options_.directory}, {"reason", cleaned.error().message()}});
  }
  return written;
}

Result<std::vector<std::string>> Spool::send(std::span<const QueueMessage> messages) {
  DENDRO_TRY(check_queue_messages(messages));
  const Timestamp now = clock_.now();
  std::string payload, encoded;
  for (const QueueMessage& message : messages) {
    encoded.clear();
    append_spool_message(encoded, {message, now});
    append_sized(payload, encoded);
  }
  if (payload.size() > kMaxFramePayloadBytes) {
    return Error(ErrorCode::too_large, "queue: " + std::to_string(messages.size()) + " messages have " +
                                           std::to_string(payload.size()) + " bytes, at most " +
                                           std::to_string(kMaxFramePayloadBytes) + " are taken at once");
  }
  MutexLock lock(mutex_);
  if (bytes_ + payload.size() > options_.bytes_max) {
    return Error(ErrorCode::resource_exhausted, options_.directory + ": holds " + std::to_string(bytes_) +
                                                    " bytes of " + std::to_string(options_.bytes_max) +
                                                    "; retry later");
  }
  const auto count = static_cast<std::uint32_t>(messages.size());
  DENDRO_TRY_ASSIGN(const SpoolFiles::Written written, append_locked(SpoolFrameKind::messages, count, payload));
  DENDRO_TRY(files_.sync());
  std::vector<std::string> ids;
  ByteReader reader(payload);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view one = reader.read_sized();
    const auto offset = static_cast<std::uint32_t>(one.data() - payload.data());
    place_locked(next_id_,
                 {{written.file, written.offset, written.bytes, offset, static_cast<std::uint32_t>(one.size())}, now});
    ledger_.add(next_id_);
    ids.push_back(std::to_string(next_id_.number()));
    next_id_ = next_id_.next();
  }
  return ids;
}

SpoolStateRow Spool::state_of_locked(QueueMessageId id) const {
  return {id, ledger_.is_dead(id) ? SpoolState::dead : SpoolState::waiting, ledger_.receive_count(id)};
}

/// Nothing: it is damaged, and gone. A disk that cannot be read just now is no damage.
Result<std::optional<SpoolMessage>> Spool::read_locked(QueueMessageId id) {
  Result<SpoolMessage> message = files_.read(messages_.at(id).place);
  if (message) return std::optional(std::move(*message));
  if (message.error().code() != ErrorCode::corruption) return message.error();
  log(LogLevel::error, "storage", "a message of a queue cannot be read and is lost",
      {{"message", std::to_string(id.number())}, {"reason", message.error().message()}});
  forget_locked(id);
  return std::optional<SpoolMessage>();
}

Result<std::vector<ReceivedMessage>> Spool::receive(std::size_t count_max, std::chrono::milliseconds visibility) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  std::vector<ReceivedMessage> received;
  std::vector<SpoolStateRow> rows;
  std::optional<Error> unreadable;
  for (QueueLedger::Taken& taken : ledger_.take(std::min(count_max, kQueueReceiveMax), visibility, now)) {
    Result<std::optional<SpoolMessage>> message = read_locked(taken.id);
    if (!message) {
      unreadable = message.error();
      ledger_.put_back(taken.id, now);
      continue;
    }
    if (!message->has_value()) continue;
    rows.push_back(state_of_locked(taken.id));
    received.push_back({std::to_string(taken.id.number()), std::move(taken.receipt), taken.receive_count,
                        std::move((*message)->message)});
  }
  if (received.empty() && unreadable) return *unreadable;
  if (rows.empty()) return received;
  const Status counted = write_states_locked(rows);
  if (!counted && counted.error().code() != ErrorCode::storage_full) return counted.error();
  if (!counted) owe_locked(rows);
  return received;
}

Result<std::size_t> Spool::acknowledge(std::span<const std::string> receipts) {
  MutexLock lock(mutex_);
  std::vector<QueueMessageId> ids;
  for (const std::string& receipt : receipts) {
    const auto id = ledger_.holder(receipt);
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  DENDRO_TRY(finish_locked(ids));
  return ids.size();
}

Result<std::size_t> Spool::extend(std::span<const std::string> receipts, std::chrono::milliseconds visibility) {
  MutexLock lock(mutex_);
  return ledger_.extend(receipts, clock_.monotonic() + visibility);
}

Result<std::size_t> Spool::release(std::span<const std::string> receipts) {
  return extend(receipts, std::chrono::milliseconds(0));
}

Status Spool::bury_locked() {
  std::vector<SpoolStateRow> rows;
  for (const QueueMessageId id : ledger_.bury(clock_.monotonic())) rows.push_back(state_of_locked(id));
  if (rows.empty()) return {};
  const Status written = sync_states_locked(rows);
  if (!written && written.error().code() != ErrorCode::storage_full) return written;
  if (!written) owe_locked(rows);
  return drop_old_letters_locked();
}

Status Spool::drop_old_letters_locked() {
  const std::vector<QueueMessageId> letters = ledger_.dead(messages_.size());
  std::uint64_t bytes = 0;
  for (const QueueMessageId id : letters) bytes += messages_.at(id).place.bytes;
  std::vector<QueueMessageId> dropped;
  for (const QueueMessageId id : letters) {
    if (bytes <= options_.bytes_max / kDeadLetterShare) break;
    bytes -= messages_.at(id).place.bytes;
    dropped.push_back(id);
  }
  if (dropped.empty()) return {};
  log(LogLevel::warning, "storage", "the oldest dead letters of a queue are dropped to make room",
      {{"directory", options_.directory}, {"messages", std::to_string(dropped.size())}});
  const Status done = finish_locked(dropped);
  return done || done.error().code() == ErrorCode::storage_full ? Status() : done;
}

/// Files go from the front. One that still holds messages goes, too, once the files are twice the messages: what it
/// holds is written again behind the others first. A pass over all files copies at most what lives, and frees as much.
Status Spool::clean_locked() {
  if (holds_ > 0) return {};
  for (std::size_t left = files_.count(); left > 0 && files_.count() > 1; --left) {
    const WalNumber first = files_.first();
    const bool is_empty = std::none_of(messages_.begin(), messages_.end(),
                                       [first](const auto& m) { return m.second.place.file == first; });
    const bool is_wasteful = files_.bytes() > 2 * (bytes_ + kKeptFrameBytes * messages_.size() + options_.file_bytes);
    if (!is_empty && !is_wasteful) return {};
    if (!is_empty) DENDRO_TRY(keep_first_file_locked());
    DENDRO_TRY(files_.remove_first());
  }
  return {};
}

Status Spool::keep_first_file_locked() {
  const WalNumber first = files_.first();
  std::vector<QueueMessageId> ids;
  for (const auto& [id, message] : messages_) {
    if (message.place.file == first) ids.push_back(id);
  }
  for (const QueueMessageId id : ids) {
    DENDRO_TRY_ASSIGN(const std::optional<SpoolMessage> message, read_locked(id));
    if (!message) continue;
    std::string encoded;
    append_spool_message(encoded, *message);
    const std::string payload = encode_spool_kept(state_of_locked(id), *message);
    DENDRO_TRY_ASSIGN(const SpoolFiles::Written written, append_locked(SpoolFrameKind::kept, 0, payload));
    const auto bytes = static_cast<std::uint32_t>(encoded.size());
    const auto offset = static_cast<std::uint32_t>(payload.size() - encoded.size());
    place_locked(id, {{written.file, written.offset, written.bytes, offset, bytes}, message->sent});
  }
  return files_.sync();
}

Result<QueueDepth> Spool::depth() {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  const QueueLedger::Counts counts = ledger_.counts(clock_.monotonic());
  QueueDepth depth{counts.waiting, counts.leased, counts.dead, bytes_, {}, {}};
  if (counts.oldest) depth.oldest = messages_.at(*counts.oldest).sent;
  if (counts.oldest_dead) depth.oldest_dead = messages_.at(*counts.oldest_dead).sent;
  return depth;
}

/// Nothing: it is damaged, and gone.
Result<std::optional<DeadLetter>> Spool::letter_locked(QueueMessageId id) {
  const std::uint32_t receive_count = ledger_.receive_count(id);
  DENDRO_TRY_ASSIGN(std::optional<SpoolMessage> message, read_locked(id));
  if (!message) return std::optional<DeadLetter>();
  return std::optional(
      DeadLetter{std::to_string(id.number()), receive_count, message->sent, std::move(message->message)});
}

Result<std::vector<DeadLetter>> Spool::dead_letters(std::size_t count_max, std::string_view after) {
  DENDRO_TRY_ASSIGN(const QueueMessageId first, parse_dead_letter_start(after));
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  std::vector<DeadLetter> letters;
  for (const QueueMessageId id : ledger_.dead(count_max, first)) {
    DENDRO_TRY_ASSIGN(std::optional<DeadLetter> letter, letter_locked(id));
    if (letter) letters.push_back(std::move(*letter));
  }
  return letters;
}

Result<DeadLetter> Spool::dead_letter(std::string_view id) {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  const std::vector<QueueMessageId> chosen = ledger_.choose_dead(id);
  if (chosen.empty()) return no_such_dead_letter(id);
  DENDRO_TRY_ASSIGN(std::optional<DeadLetter> letter, letter_locked(chosen.front()));
  if (!letter) return no_such_dead_letter(id);
  return std::move(*letter);
}

Result<std::size_t> Spool::redrive(std::optional<std::string_view> id) {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  const std::vector<QueueMessageId> chosen = ledger_.choose_dead(id);
  std::vector<SpoolStateRow> rows;
  for (const QueueMessageId one : chosen) rows.push_back({one, SpoolState::waiting, 0});
  if (rows.empty()) return std::size_t{0};
  DENDRO_TRY(sync_states_locked(rows));
  for (const QueueMessageId one : chosen) ledger_.revive(one);
  return chosen.size();
}

Result<std::size_t> Spool::drop(std::optional<std::string_view> id) {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  const std::vector<QueueMessageId> chosen = ledger_.choose_dead(id);
  DENDRO_TRY(finish_locked(chosen));
  return chosen.size();
}

std::uint64_t Spool::disk_bytes() {
  MutexLock lock(mutex_);
  return files_.bytes();
}

Result<SpoolReport> Spool::verify() {
  const Hold held(*this);
  return verify_spool(options_.directory, file_system_, &held.files());
}

Spool::Hold::Hold(Spool& spool) : spool_(spool) {
  MutexLock lock(spool_.mutex_);
  ++spool_.holds_;
  files_ = spool_.files_.live();
}

Spool::Hold::~Hold() {
  MutexLock lock(spool_.mutex_);
  --spool_.holds_;
}

}  // namespace dendro
