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
    place_locked(message.row.id, {found.file, found.offset, found.bytes, message.offset, message.bytes});
    ledger_.add(message.row.id, message.row.receive_count,
                message.row.state == SpoolState::dead ? QueueLedger::Place::dead : QueueLedger::Place::waiting);
  }
  for (const SpoolStateRow& row : found.frame.states) {
    if (!places_.contains(row.id)) continue;  // its file went
    if (row.state == SpoolState::done) {
      forget_locked(row.id);
    } else {
      ledger_.add(row.id, row.receive_count,
                  row.state == SpoolState::dead ? QueueLedger::Place::dead : QueueLedger::Place::waiting);
    }
  }
}

void Spool::place_locked(QueueMessageId id, const SpoolPlace& place) {
  const auto [row, is_new] = places_.insert_or_assign(id, place);
  if (is_new) bytes_ += place.bytes;  // a kept one is as large as before
}

void Spool::forget_locked(QueueMessageId id) {
  const auto place = places_.find(id);
  if (place == places_.end()) return;
  bytes_ -= place->second.bytes;
  places_.erase(place);
  ledger_.remove(id);
}

Result<SpoolFiles::Written> Spool::append_locked(SpoolFrameKind kind, std::uint32_t message_count,
                                                 std::string_view payload) {
  if (files_.last_bytes() >= options_.file_bytes) DENDRO_TRY(files_.rotate(next_id_));
  return files_.append(kind, next_id_, message_count, payload);
}

Status Spool::write_states_locked(std::span<const SpoolStateRow> rows) {
  for (std::size_t first = 0; first < rows.size(); first += kStatesOfAFrame) {
    const std::string payload =
        encode_spool_states(rows.subspan(first, std::min(kStatesOfAFrame, rows.size() - first)));
    DENDRO_TRY(append_locked(SpoolFrameKind::states, 0, payload));
  }
  return {};
}

Result<std::vector<std::string>> Spool::send(std::span<const QueueMessage> messages) {
  DENDRO_TRY(check_queue_messages(messages));
  std::string payload, encoded;
  for (const QueueMessage& message : messages) {
    encoded.clear();
    append_spool_message(encoded, message);
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
    place_locked(next_id_,
                 {written.file, written.offset, written.bytes, static_cast<std::uint32_t>(one.data() - payload.data()),
                  static_cast<std::uint32_t>(one.size())});
    ledger_.add(next_id_);
    ids.push_back(std::to_string(next_id_.number()));
    next_id_ = next_id_.next();
  }
  return ids;
}

SpoolStateRow Spool::state_of_locked(QueueMessageId id) const {
  return {id, ledger_.is_dead(id) ? SpoolState::dead : SpoolState::waiting, ledger_.receive_count(id)};
}

/// Nothing: it is damaged, and gone.
std::optional<QueueMessage> Spool::read_locked(QueueMessageId id) {
  Result<QueueMessage> message = files_.read(places_.at(id));
  if (message) return std::move(*message);
  log(LogLevel::error, "storage", "a message of a queue cannot be read and is lost",
      {{"message", std::to_string(id.number())}, {"reason", message.error().message()}});
  forget_locked(id);
  return std::nullopt;
}

Result<std::vector<ReceivedMessage>> Spool::receive(std::size_t count_max, std::chrono::milliseconds visibility) {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  std::vector<ReceivedMessage> received;
  std::vector<SpoolStateRow> rows;
  for (QueueLedger::Taken& taken :
       ledger_.take(std::min(count_max, kQueueReceiveMax), visibility, clock_.monotonic())) {
    std::optional<QueueMessage> message = read_locked(taken.id);
    if (!message) continue;
    rows.push_back(state_of_locked(taken.id));
    received.push_back(
        {std::to_string(taken.id.number()), std::move(taken.receipt), taken.receive_count, std::move(*message)});
  }
  // A count that finds no room is only remembered: what is there can be worked off on a full disk.
  const Status counted = write_states_locked(rows);
  if (!counted && counted.error().code() != ErrorCode::storage_full) return counted.error();
  return received;
}

Result<std::size_t> Spool::acknowledge(std::span<const std::string> receipts) {
  MutexLock lock(mutex_);
  std::vector<SpoolStateRow> rows;
  for (const std::string& receipt : receipts) {
    const auto id = ledger_.holder(receipt);
    const bool is_double =
        id && std::any_of(rows.begin(), rows.end(), [&id](const SpoolStateRow& row) { return row.id == *id; });
    if (id && !is_double) rows.push_back({*id, SpoolState::done, 0});
  }
  if (rows.empty()) return std::size_t{0};
  DENDRO_TRY(write_states_locked(rows));
  DENDRO_TRY(files_.sync());
  for (const SpoolStateRow& row : rows) forget_locked(row.id);
  const Status cleaned = clean_locked();
  if (!cleaned) {
    log(LogLevel::warning, "storage", "files of a queue could not be removed",
        {{"directory", options_.directory}, {"reason", cleaned.error().message()}});
  }
  return rows.size();
}

Result<std::size_t> Spool::extend(std::span<const std::string> receipts, std::chrono::milliseconds visibility) {
  std::size_t held = 0;
  MutexLock lock(mutex_);
  for (const std::string& receipt : receipts) {
    const auto id = ledger_.holder(receipt);
    if (!id) continue;
    ledger_.set_visible_at(*id, clock_.monotonic() + visibility);
    ++held;
  }
  return held;
}

Result<std::size_t> Spool::release(std::span<const std::string> receipts) {
  return extend(receipts, std::chrono::milliseconds(0));
}

Status Spool::bury_locked() {
  std::vector<SpoolStateRow> rows;
  for (const QueueMessageId id : ledger_.bury(clock_.monotonic())) rows.push_back(state_of_locked(id));
  if (rows.empty()) return {};
  DENDRO_TRY(write_states_locked(rows));
  DENDRO_TRY(files_.sync());
  return drop_old_letters_locked();
}

Status Spool::drop_old_letters_locked() {
  const std::vector<QueueMessageId> letters = ledger_.dead(places_.size());
  std::uint64_t bytes = 0;
  for (const QueueMessageId id : letters) bytes += places_.at(id).bytes;
  std::vector<SpoolStateRow> rows;
  for (const QueueMessageId id : letters) {
    if (bytes <= options_.bytes_max / kDeadLetterShare) break;
    bytes -= places_.at(id).bytes;
    rows.push_back({id, SpoolState::done, 0});
  }
  if (rows.empty()) return {};
  DENDRO_TRY(write_states_locked(rows));
  DENDRO_TRY(files_.sync());
  for (const SpoolStateRow& row : rows) forget_locked(row.id);
  log(LogLevel::warning, "storage", "the oldest dead letters of a queue were dropped to make room",
      {{"directory", options_.directory}, {"messages", std::to_string(rows.size())}});
  return {};
}

/// Files go from the front. One that still holds messages goes, too, once the files are twice the messages: what it
/// holds is written again behind the others first. A pass over all files copies at most what lives, and frees as much.
Status Spool::clean_locked() {
  for (std::size_t left = files_.count(); left > 0 && files_.count() > 1; --left) {
    const WalNumber first = files_.first();
    const bool is_empty =
        std::none_of(places_.begin(), places_.end(), [first](const auto& row) { return row.second.file == first; });
    const bool is_wasteful = files_.bytes() > 2 * (bytes_ + kKeptFrameBytes * places_.size() + options_.file_bytes);
    if (!is_empty && !is_wasteful) return {};
    if (!is_empty) DENDRO_TRY(keep_first_file_locked());
    DENDRO_TRY(files_.remove_first());
  }
  return {};
}

Status Spool::keep_first_file_locked() {
  const WalNumber first = files_.first();
  std::vector<QueueMessageId> ids;
  for (const auto& [id, place] : places_) {
    if (place.file == first) ids.push_back(id);
  }
  for (const QueueMessageId id : ids) {
    const std::optional<QueueMessage> message = read_locked(id);
    if (!message) continue;
    const std::string payload = encode_spool_kept(state_of_locked(id), *message);
    DENDRO_TRY_ASSIGN(const SpoolFiles::Written written, append_locked(SpoolFrameKind::kept, 0, payload));
    const std::uint32_t bytes = places_.at(id).bytes;
    place_locked(
        id, {written.file, written.offset, written.bytes, static_cast<std::uint32_t>(payload.size()) - bytes, bytes});
  }
  return files_.sync();
}

Result<QueueDepth> Spool::depth() {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  const QueueLedger::Counts counts = ledger_.counts(clock_.monotonic());
  return QueueDepth{counts.waiting, counts.leased, counts.dead, bytes_};
}

Result<std::vector<DeadLetter>> Spool::dead_letters(std::size_t count_max) {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  std::vector<DeadLetter> letters;
  for (const QueueMessageId id : ledger_.dead(count_max)) {
    const std::uint32_t receive_count = ledger_.receive_count(id);
    std::optional<QueueMessage> message = read_locked(id);
    if (message) letters.push_back({std::to_string(id.number()), receive_count, std::move(*message)});
  }
  return letters;
}

Result<std::size_t> Spool::redrive() {
  MutexLock lock(mutex_);
  DENDRO_TRY(bury_locked());
  std::vector<SpoolStateRow> rows;
  for (const QueueMessageId id : ledger_.dead(places_.size())) rows.push_back({id, SpoolState::waiting, 0});
  if (rows.empty()) return std::size_t{0};
  DENDRO_TRY(write_states_locked(rows));
  DENDRO_TRY(files_.sync());
  return ledger_.revive().size();
}

std::uint64_t Spool::disk_bytes() {
  MutexLock lock(mutex_);
  return files_.bytes();
}

}  // namespace dendro
