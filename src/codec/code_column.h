#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/block_codec.h"

namespace dendro {

/// Appends indices into a table whose rows are numbered in the order of their first use (so codes[0] is 0 and a new
/// code is the largest so far plus one). Bytes, two bytes, or the distance from the newest code, whichever packs
/// smaller.
/// @param trial  tells the packed sizes; not kept.
void encode_codes(std::span<const std::uint16_t> codes, BlockCompressor& trial, std::string& out);

/// Reads `count` codes, each below `code_count`, from the front of `bytes` and drops them. Errors: corruption.
Status decode_codes(std::string_view& bytes, std::size_t count, std::size_t code_count,
                    std::vector<std::uint16_t>& codes);

}  // namespace dendro
