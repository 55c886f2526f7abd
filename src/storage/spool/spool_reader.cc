#include "storage/spool/spool_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "storage/wal_reader.h"

namespace dendro {
namespace {

constexpr std::string_view kSpoolSuffix = ".q";
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

Status check_spool_messages(const WalFrame& frame, const SpoolFrame& parsed, const SpoolHeader& header) {
  for (const SpoolMessagePlace& message : parsed.messages) {
    const auto read = parse_spool_message(frame.payload.substr(message.offset, message.bytes), header);
    if (!read) return read.error();
  }
  return {};
}

}  // namespace

std::string spool_file_name(WalNumber number) {
  std::string digits = std::to_string(number.number());
  digits.insert(0, kSpoolNameDigits - std::min(kSpoolNameDigits, digits.size()), '0');
  return digits + std::string(kSpoolSuffix);
}

Error spool_damage_at(const std::string& path, std::uint64_t offset, const std::string& what) {
  return Error(
      ErrorCode::corruption,
      path + ": offset " + std::to_string(offset) + ": " + what +
          ": messages that were taken are damaged. Rename the folder to a name with a dot to begin an empty queue");
}

Result<std::vector<WalNumber>> list_spool_files(const std::string& directory, FileSystem& files) {
  DENDRO_TRY_ASSIGN(const std::vector<std::string> names, files.list(directory));
  std::vector<WalNumber> numbers;
  for (const std::string& name : names) {
    if (const auto number = spool_number_of(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] == numbers[i - 1].next()) continue;
    return Error(ErrorCode::corruption,
                 directory + "/" + spool_file_name(numbers[i - 1].next()) + ": the file is missing");
  }
  return numbers;
}

Status SpoolReader::read(const std::string& path, WalNumber number, std::string_view bytes, Place place) {
  const Result<SpoolHeader> header = parse_spool_header(bytes, number);
  if (!header) return header.error().with_context(path);
  if (found_.files.empty()) {
    found_.next_id = header->next_id;
  } else if (header->queue_id != found_.files.front().header.queue_id) {
    return spool_damage_at(path, 0, "the file belongs to another queue");
  }
  if (header->next_id != found_.next_id) return spool_damage_at(path, 0, "messages before this file are missing");
  const Result<WalContents> contents = read_frames(bytes, number, wal_seed(header->queue_id, number));
  if (!contents) return contents.error().with_context(path);
  if (place == Place::followed && contents->end_offset != bytes.size()) {
    return spool_damage_at(path, contents->end_offset, "a bad frame in a file that others follow");
  }
  std::uint64_t offset = kWalHeaderBytes;
  for (const WalFrame& frame : contents->frames) {
    const QueueMessageId id(frame.header.first_sequence.number());
    if (id != found_.next_id) return spool_damage_at(path, offset, "the numbers of messages do not go on");
    Result<SpoolFrame> parsed = parse_spool_frame(frame, *header);
    const Status checked = !parsed                   ? Status(parsed.error())
                           : look_ == Look::messages ? check_spool_messages(frame, *parsed, *header)
                                                     : Status();
    if (!checked) return spool_damage_at(path, offset, checked.error().message());
    found_.next_id = id.next(frame.header.record_count);
    found_.frames.push_back({number, offset, frame.bytes(), std::move(*parsed)});
    offset += frame.bytes();
  }
  found_.dropped_bytes += bytes.size() - contents->end_offset;
  found_.files.push_back({*header, contents->end_offset});
  return {};
}

}  // namespace dendro
