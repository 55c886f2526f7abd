#include "storage/spool/spool_files.h"

#include <algorithm>
#include <charconv>

#include "storage/limits.h"
#include "storage/wal_reader.h"

namespace dendro {
namespace {

constexpr std::string_view kSpoolSuffix = ".q";
constexpr std::string_view kSpoolTemporarySuffix = ".q.tmp";
constexpr std::size_t kSpoolNameDigits = 6;

std::optional<WalNumber> spool_number_of(std::string_view name) {
  if (!name.ends_with(kSpoolSuffix)) return std::nullopt;
  name.remove_suffix(kSpoolSuffix.size());
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.size() < kSpoolNameDigits || parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) {
    return std::nullopt;
  }
  return WalNumber(number);
}

Error damaged(const std::string& path, std::uint64_t offset, const std::string& what) {
  return Error(ErrorCode::corruption,
               path + ": offset " + std::to_string(offset) + ": " + what +
                   ": messages that were taken are damaged. Move the folder aside to begin an empty queue");
}

}  // namespace

std::string SpoolFiles::path(WalNumber number) const {
  std::string digits = std::to_string(number.number());
  digits.insert(0, kSpoolNameDigits - std::min(kSpoolNameDigits, digits.size()), '0');
  return directory_ + "/" + digits + std::string(kSpoolSuffix);
}

std::uint64_t SpoolFiles::bytes() const {
  std::uint64_t total = 0;
  for (const FileSize& file : sizes_) total += file.bytes;
  return total;
}

Result<std::vector<WalNumber>> SpoolFiles::list_files() {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
  std::vector<WalNumber> numbers;
  for (const std::string& name : names) {
    if (name.ends_with(kSpoolTemporarySuffix)) DENDRO_TRY(files_.remove(directory_ + "/" + name));
    if (const auto number = spool_number_of(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] == numbers[i - 1].next()) continue;
    return Error(ErrorCode::corruption, path(numbers[i - 1].next()) + ": the file is missing");
  }
  return numbers;
}

Result<FoundSpool> SpoolFiles::open() {
  DENDRO_TRY(files_.create_directories(directory_));
  DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, list_files());
  FoundSpool found;
  for (const WalNumber number : numbers) {
    DENDRO_TRY(read_file(number, number == numbers.front(), number == numbers.back(), found));
  }
  if (numbers.empty()) {
    queue_id_ = random_.bytes16();
    DENDRO_TRY(begin(WalNumber(1), found.next_id));
  } else {
    DENDRO_TRY(resume(found));
  }
  return found;
}

Status SpoolFiles::read_file(WalNumber number, bool is_first, bool is_last, FoundSpool& found) {
  const std::string name = path(number);
  DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files_, name, kMaxWalFileBytes));
  const Result<SpoolHeader> header = parse_spool_header(bytes, number);
  if (!header) return header.error().with_context(name);
  if (is_first) {
    queue_id_ = header->queue_id;
    found.next_id = header->next_id;
  }
  if (header->queue_id != queue_id_) return damaged(name, 0, "the file belongs to another queue");
  if (header->next_id != found.next_id) return damaged(name, 0, "messages before this file are missing");
  const Result<WalContents> contents = read_frames(bytes, number, wal_seed(queue_id_, number));
  if (!contents) return contents.error().with_context(name);
  if (!is_last && contents->end_offset != bytes.size()) {
    return damaged(name, contents->end_offset, "a bad frame in a file that others follow");
  }
  std::uint64_t offset = kWalHeaderBytes;
  for (const WalFrame& frame : contents->frames) {
    const QueueMessageId id(frame.header.first_sequence.number());
    if (id != found.next_id) {
      return damaged(name, offset, "the numbers of messages do not go on");
    }
    Result<SpoolFrame> parsed = parse_spool_frame(frame);
    if (!parsed) return damaged(name, offset, parsed.error().message());
    found.next_id = id.next(frame.header.record_count);
    found.frames.push_back({number, offset, frame.bytes(), std::move(*parsed)});
    offset += frame.bytes();
  }
  found.dropped_bytes += bytes.size() - contents->end_offset;
  sizes_.push_back({number, contents->end_offset});
  return {};
}

Status SpoolFiles::resume(const FoundSpool& found) {
  DENDRO_TRY_ASSIGN(file_, files_.open_writable(path(last()), OpenMode::open_existing));
  if (found.dropped_bytes > 0) DENDRO_TRY(file_->truncate(last_bytes()));
  // What was read may have been in the page cache only, of a process that was killed.
  DENDRO_TRY(file_->sync());
  DENDRO_TRY(files_.sync_directory(directory_));
  synced_offset_ = last_bytes();
  return {};
}

Status SpoolFiles::begin(WalNumber number, QueueMessageId next_id) {
  const std::string name = path(number);
  const std::string temporary = name + ".tmp";
  if (files_.exists(temporary)) DENDRO_TRY(files_.remove(temporary));
  DENDRO_TRY_ASSIGN(auto file, files_.open_writable(temporary, OpenMode::create_new));
  const std::string header = encode_spool_header({queue_id_, number, clock_.now(), next_id});
  const std::string_view part = header;
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
  sizes_.push_back({number, kWalHeaderBytes});
  return {};
}

Status SpoolFiles::check_writable() const {
  if (!has_failed_) return {};
  return Error(ErrorCode::unavailable, directory_ + ": given up after a failed write; restart to go on");
}

Result<QueueMessage> SpoolFiles::read(const SpoolPlace& place) const {
  const std::string name = path(place.file);
  DENDRO_TRY_ASSIGN(const auto reader, files_.open_reader(name));
  std::string bytes(place.frame_bytes, '\0');
  DENDRO_TRY_ASSIGN(const std::size_t read, reader->read_at(place.frame_offset, bytes));
  const auto frame = parse_frame(std::string_view(bytes).substr(0, read), place.file, wal_seed(queue_id_, place.file));
  if (!frame) return damaged(name, place.frame_offset, frame.error().message());
  return parse_spool_message(frame->payload.substr(place.offset, place.bytes));
}

Result<SpoolFiles::Written> SpoolFiles::append(SpoolFrameKind kind, QueueMessageId next_id, std::uint32_t message_count,
                                               std::string_view payload) {
  DENDRO_TRY(check_writable());
  FileSize& size = sizes_.back();
  const std::string frame = seal_spool_frame({kind, next_id, message_count, synced_offset_}, payload, size.number,
                                             wal_seed(queue_id_, size.number));
  const std::string_view part = frame;
  const Status written = file_->write_at(size.bytes, {&part, 1});
  if (!written) {
    if (written.error().code() == ErrorCode::storage_full) DENDRO_TRY(cut_back(written.error()));
    has_failed_ = true;
    return written.error();
  }
  const Written place{size.number, size.bytes, frame.size()};
  size.bytes += frame.size();
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
  sizes_.erase(sizes_.begin());
  Status gone = files_.sync_directory(directory_);
  if (!gone) has_failed_ = true;  // S3: no other may go before this one
  return gone;
}

}  // namespace dendro
