#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/byte_source.h"

namespace dendro {

/// How bytes are packed. `deflate` is what HTTP calls so: zlib-wrapped or raw, told by the first bytes.
enum class Packing : std::uint8_t { plain, gzip, zstd, deflate };

/// What detect_packing looks at.
inline constexpr std::size_t kPackingMagicBytes = 4;
/// Told by the first bytes (magic numbers of gzip and zstd), never by a name; `deflate` is never guessed.
Packing detect_packing(std::string_view first_bytes);

struct DecompressLimits {
  std::uint64_t bytes_max = UINT64_MAX;  ///< decompressed
  std::uint64_t ratio_max = UINT64_MAX;  ///< decompressed bytes per packed byte, judged once over 1 MiB has come out
  int zstd_window_log_max = 27;          ///< 27 = 128 MiB of window, what `zstd --long` writes; at most 31 (2 GiB)
};

/// Unpacks a stream: gzip with several members and trailing NUL padding, zstd with several and skippable frames.
/// `read` fails with corruption where the stream is damaged or ends early, too_large over a limit; what came before was
/// right.
std::unique_ptr<ByteSource> make_decompressor(Packing packing, std::unique_ptr<ByteSource> packed,
                                              DecompressLimits limits = {});

/// Looks at the front of `source` and unpacks it if it is packed (once; a gzip inside a gzip stays packed).
Result<std::unique_ptr<ByteSource>> unpack_by_content(std::unique_ptr<ByteSource> source, DecompressLimits limits = {});

/// Unpacks a whole body. Errors: corruption (not what it says, or cut), too_large.
Result<std::string> decompress(Packing packing, std::string_view packed, DecompressLimits limits);

}  // namespace dendro
