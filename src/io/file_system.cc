#include "io/file_system.h"

#include <algorithm>
#include <cstring>

namespace dendro {

namespace {

constexpr std::uint64_t kTailStepBytes = std::uint64_t{1} << 20;

Result<std::uint64_t> bounded_size(RandomReader& reader, const std::string& path, std::uint64_t bytes_max) {
  DENDRO_TRY_ASSIGN(const std::uint64_t size, reader.size());
  if (size > bytes_max) {
    return Error(ErrorCode::too_large,
                 path + ": " + std::to_string(size) + " bytes, at most " + std::to_string(bytes_max) + " are read");
  }
  return size;
}

Result<std::string> read_first(RandomReader& reader, std::uint64_t size) {
  std::string bytes(size, '\0');
  DENDRO_TRY_ASSIGN(const std::size_t count, reader.read_at(0, bytes));
  bytes.resize(count);  // shorter if it was cut meanwhile
  return bytes;
}

bool is_zero(std::string_view bytes) {
  return bytes.empty() || (bytes.front() == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

Result<std::string> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RandomReader> reader, files.open_reader(path));
  DENDRO_TRY_ASSIGN(const std::uint64_t size, bounded_size(*reader, path, bytes_max));
  return read_first(*reader, size);
}

Result<PreparedFile> read_prepared_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RandomReader> reader, files.open_reader(path));
  PreparedFile file;
  DENDRO_TRY_ASSIGN(file.file_bytes, bounded_size(*reader, path, bytes_max));
  std::string step;
  std::uint64_t end = file.file_bytes;
  while (end > 0) {
    const std::uint64_t first = end - std::min(end, kTailStepBytes);
    step.resize(end - first);
    DENDRO_TRY_ASSIGN(const std::size_t count, reader->read_at(first, step));
    if (!is_zero(std::string_view(step).substr(0, count))) break;
    end = first;
  }
  // A step of zeros stays, so that what was written is seen to end.
  DENDRO_TRY_ASSIGN(file.bytes, read_first(*reader, std::min(file.file_bytes, end + kTailStepBytes)));
  return file;
}

}  // namespace dendro
