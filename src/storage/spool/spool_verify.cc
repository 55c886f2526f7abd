#include "storage/spool/spool_verify.h"

#include <set>

#include "storage/limits.h"

namespace dendro {
namespace {

Status read_all_files(const std::string& directory, FileSystem& files, SpoolReader& reader) {
  DENDRO_TRY_ASSIGN(const std::vector<WalNumber> numbers, list_spool_files(directory, files));
  for (const WalNumber number : numbers) {
    const std::string path = directory + "/" + spool_file_name(number);
    const auto place = number == numbers.back() ? SpoolReader::Place::last : SpoolReader::Place::followed;
    DENDRO_TRY_ASSIGN(const std::string bytes, read_whole_file(files, path, kMaxWalFileBytes));
    DENDRO_TRY(reader.read(path, number, bytes, place));
  }
  return {};
}

Status read_live_files(const std::string& directory, FileSystem& files, const std::vector<FoundSpoolFile>& live,
                       SpoolReader& reader) {
  for (const FoundSpoolFile& file : live) {
    const std::string path = directory + "/" + spool_file_name(file.header.number);
    DENDRO_TRY_ASSIGN(const auto opened, files.open_reader(path));
    std::string bytes(file.bytes, '\0');
    DENDRO_TRY_ASSIGN(const std::size_t count, opened->read_at(0, bytes));
    if (count < bytes.size()) return spool_damage_at(path, count, "the file ends early");
    DENDRO_TRY(reader.read(path, file.header.number, bytes, SpoolReader::Place::followed));
  }
  return {};
}

std::uint64_t count_alive(const FoundSpool& found) {
  std::set<QueueMessageId> alive;
  for (const FoundSpoolFrame& frame : found.frames) {
    for (const SpoolMessagePlace& message : frame.frame.messages) alive.insert(message.row.id);
    for (const SpoolStateRow& row : frame.frame.states) {
      if (row.state == SpoolState::done) alive.erase(row.id);
    }
  }
  return alive.size();
}

}  // namespace

Result<SpoolReport> verify_spool(const std::string& directory, FileSystem& files,
                                 const std::vector<FoundSpoolFile>* live) {
  SpoolReader reader(SpoolReader::Look::messages);
  const Status read =
      live == nullptr ? read_all_files(directory, files, reader) : read_live_files(directory, files, *live, reader);
  if (!read && read.error().code() == ErrorCode::io_error) return read.error();
  SpoolReport report;
  if (!read) report.fault = StorageFault::of(directory, read.error());
  const FoundSpool found = reader.take();
  report.messages = count_alive(found);
  report.torn_tail_bytes = found.dropped_bytes;
  return report;
}

}  // namespace dendro
