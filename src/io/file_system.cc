#include "io/file_system.h"

namespace dendro {

Result<std::string> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max) {
  DENDRO_TRY_ASSIGN(const std::unique_ptr<RandomReader> reader, files.open_reader(path));
  DENDRO_TRY_ASSIGN(const std::uint64_t size, reader->size());
  if (size > bytes_max) {
    return Error(ErrorCode::too_large,
                 path + ": " + std::to_string(size) + " bytes, at most " + std::to_string(bytes_max) + " are read");
  }
  std::string bytes(size, '\0');
  DENDRO_TRY_ASSIGN(const std::size_t count, reader->read_at(0, bytes));
  bytes.resize(count);  // shorter if it was cut meanwhile
  return bytes;
}

}  // namespace dendro
