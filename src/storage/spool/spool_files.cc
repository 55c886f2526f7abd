#include "storage/spool/spool_files.h"

#include <algorithm>

#include "storage/limits.h"

namespace dendro {
namespace {

constexpr std::string_view kSpoolTemporarySuffix = ".q.tmp";

}  // namespace

std::uint64_t SpoolFiles::bytes() const {
  std::uint64_t total = 0;
  for (const FoundSpoolFile& file : live_) total += file.bytes;
  return total;
}

/// Of a rotation that did not come to its end.
Status SpoolFiles::remove_leftovers() {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
  for (const std::string& name : names) {
    if (name.ends_with(kSpoolTemporarySuffix)) DENDRO_TRY(files_.remove(directory_ + "/" + name));
  }
  return {};
}

Result<FoundSpool> SpoolFiles::open() {
  DENDRO_TRY(files_.create_directories(directory_));
  DENDRO_TRY(remove_leftovers());
  DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, list_spool_files(directory_, files_));
  SpoolReader reader(SpoolReader::Look::frames);
  for (const WalNumber number : numbers) {
    const auto place = number == numbers.back() ? SpoolReader::Place::last : SpoolReader::Place::followed;
    DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files_, path(number), kMaxWalFileBytes));
    DENDRO_TRY(reader.read(path(number), number, bytes, place));
  }
  FoundSpool found = reader.take();
  if (found.files.empty()) {
    queue_id_ = random_.bytes16();
    DENDRO_TRY(begin(WalNumber(1), found.next_id));
  } else {
    DENDRO_TRY(resume(found));
  }
  return found;
}

Status SpoolFiles::resume(const FoundSpool& found) {
  live_ = found.files;
  queue_id_ = live_.front().header.queue_id;
  DENDRO_TRY_ASSIGN(file_, files_.open_writable(path(last()), OpenMode::open_existing));
  if (found.dropped_bytes > 0) DENDRO_TRY(file_->truncate(last_bytes()));
  // What was read may have been in the page cache only, of a process that was killed.
  DENDRO_TRY(file_->sync());
  DENDRO_TRY(files_.sync_directory(directory_));
  synced_offset_ = last_bytes();
  // A file keeps the version that it began with.
  return live_.back().header.version == kSpoolVersion ? Status() : rotate(found.next_id);
}

Status SpoolFiles::begin(WalNumber number, QueueMessageId next_id) {
  const std::string name = path(number);
  const std::string temporary = name + ".tmp";
  if (files_.exists(temporary)) DENDRO_TRY(files_.remove(temporary));
  DENDRO_TRY_ASSIGN(auto file, files_.open_writable(temporary, OpenMode::create_new));
  const SpoolHeader header{queue_id_, number, clock_.now(), next_id};
  const std::string encoded = encode_spool_header(header);
  const std::string_view part = encoded;
  DENDRO_TRY(file->write_at(0, {&part, 1}));
  DENDRO_TRY(file->sync());
  DENDRO_TRY(files_.rename(temporary, name));
  const Status named = files_.sync_directory(directory_);
  if (!named) {
    has_failed_ = true;  // whether the file has its name is not known
    return named;
  }
  file_ = std::move(file);
  synced_offset_ = kWalHeaderBytes;
  live_.push_back({header, kWalHeaderBytes});
  return {};
}

Status SpoolFiles::check_writable() const {
  if (!has_failed_) return {};
  return Error(ErrorCode::unavailable, directory_ + ": given up after a failed write; restart to go on");
}

Result<SpoolMessage> SpoolFiles::read(const SpoolPlace& place) const {
  const std::string name = path(place.file);
  const SpoolHeader& header = live_[place.file.number() - first().number()].header;
  DENDRO_TRY_ASSIGN(const auto reader, files_.open_reader(name));
  std::string bytes(place.frame_bytes, '\0');
  DENDRO_TRY_ASSIGN(const std::size_t read, reader->read_at(place.frame_offset, bytes));
  const auto frame = parse_frame(std::string_view(bytes).substr(0, read), place.file, wal_seed(queue_id_, place.file));
  if (!frame) return spool_damage_at(name, place.frame_offset, frame.error().message());
  return parse_spool_message(frame->payload.substr(place.offset, place.bytes), header);
}

Result<SpoolFiles::Written> SpoolFiles::append(SpoolFrameKind kind, QueueMessageId next_id, std::uint32_t message_count,
                                               std::string_view payload) {
  DENDRO_TRY(check_writable());
  FoundSpoolFile& last_file = live_.back();
  const WalNumber number = last_file.header.number;
  const std::string frame =
      seal_spool_frame({kind, next_id, message_count, synced_offset_}, payload, number, wal_seed(queue_id_, number));
  const std::string_view part = frame;
  const Status written = file_->write_at(last_file.bytes, {&part, 1});
  if (!written) {
    if (written.error().code() == ErrorCode::storage_full) DENDRO_TRY(cut_back(written.error()));
    has_failed_ = true;
    return written.error();
  }
  const Written place{number, last_file.bytes, frame.size()};
  last_file.bytes += frame.size();
  return place;
}

/// Gives an error in any case. Synced, so that the piece of a frame does not come back behind later ones.
Status SpoolFiles::cut_back(const Error& full) {
  Status cut = file_->truncate(last_bytes());
  if (cut) cut = file_->sync();
  if (cut) {
    synced_offset_ = last_bytes();
    return full;
  }
  has_failed_ = true;
  return Error(ErrorCode::io_error, directory_ + ": " + cut.error().message() + ", after " + full.message());
}

Status SpoolFiles::sync() {
  DENDRO_TRY(check_writable());
  if (synced_offset_ == last_bytes()) return {};
  const Status synced = file_->sync();
  if (!synced) {
    has_failed_ = true;
    return Error(ErrorCode::io_error, directory_ + ": " + synced.error().message());
  }
  synced_offset_ = last_bytes();
  return {};
}

Status SpoolFiles::rotate(QueueMessageId next_id) {
  DENDRO_TRY(sync());
  return begin(last().next(), next_id);
}

Status SpoolFiles::remove_first() {
  DENDRO_TRY(check_writable());
  DENDRO_TRY(files_.remove(path(first())));
  live_.erase(live_.begin());
  Status gone = files_.sync_directory(directory_);
  if (!gone) has_failed_ = true;  // S3: no other may go before this one
  return gone;
}

}  // namespace dendro
