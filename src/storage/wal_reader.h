#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "storage/wal_format.h"

namespace dendro {

/// The frames of one WAL file; borrows its bytes.
struct WalContents {
  std::vector<WalFrame> frames;     ///< of whole requests, in order
  std::uint64_t end_offset = 0;     ///< behind the last of them; the file is cut here if it is the last one
  std::uint64_t dropped_bytes = 0;  ///< of frames behind end_offset: torn ones, those of an incomplete request
  std::optional<SequenceNumber> next_sequence() const {
    if (frames.empty()) return std::nullopt;
    return frames.back().header.first_sequence.next(frames.back().header.record_count);
  }
};

/// Reads a whole file. What stands behind the last good frame is the end, a torn tail, or damage: engine.md 2.2. It is
/// damage if a later frame of this file says that the bytes here were synced. Whether the end may be *here* the reader
/// cannot know for a file that is not the last one: its caller compares with the next file's first sequence number.
/// @param file_bytes  the file goes on with zeros up to here, if that is further than `bytes`.
/// Errors: corruption (names the offset), unimplemented (version of later times).
Result<WalContents> read_wal_file(std::string_view bytes, const Bytes16& store_id, WalNumber number,
                                  std::uint64_t file_bytes = 0);
/// The same of a file whose header the caller has checked: what follows its first kWalHeaderBytes is frames of this
/// seed. Errors: corruption.
Result<WalContents> read_frames(std::string_view bytes, WalNumber number, HashSeed seed);

}  // namespace dendro
