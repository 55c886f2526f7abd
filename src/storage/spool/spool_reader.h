#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "storage/spool/spool_format.h"

namespace dendro {

/// A frame as it was found, in the order of writing.
struct FoundSpoolFrame {
  WalNumber file;
  std::uint64_t offset = 0, bytes = 0;
  SpoolFrame frame;
};
struct FoundSpoolFile {
  SpoolHeader header;
  std::uint64_t bytes = 0;  ///< up to the end of its last good frame
};
struct FoundSpool {
  std::vector<FoundSpoolFile> files;
  std::vector<FoundSpoolFrame> frames;
  QueueMessageId next_id{1};
  std::uint64_t dropped_bytes = 0;  ///< of a torn tail
};

/// Reads the files of a spool, the first one first. Not thread-safe.
class SpoolReader {
 public:
  enum class Look : std::uint8_t {
    frames,    ///< what opening needs
    messages,  ///< into each message, too
  };
  explicit SpoolReader(Look look) : look_(look) {}

  enum class Place : std::uint8_t {
    followed,  ///< whole, or it is damaged
    last,      ///< may end in a torn tail
  };
  /// `bytes`: of the file at `path`. Errors: corruption (names file and offset), unimplemented (a later version).
  Status read(const std::string& path, WalNumber number, std::string_view bytes, Place place);
  FoundSpool take() { return std::move(found_); }

 private:
  const Look look_;
  FoundSpool found_;
};

/// "000001.q".
std::string spool_file_name(WalNumber number);
/// The numbers of a spool's files, without a gap. Errors: corruption (one is missing), io_error.
Result<std::vector<WalNumber>> list_spool_files(const std::string& directory, FileSystem& files);
/// What is wrong at a place of a spool's file, with the remedy.
Error spool_damage_at(const std::string& path, std::uint64_t offset, const std::string& what);

}  // namespace dendro
