#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// Integers are packed this many at a time; a decoder can need no less than one byte for so many unequal values.
inline constexpr std::size_t kIntegerBlockValues = 128;

/// Appends `values` in the smallest of a few forms: one value for all; or frame of reference, delta, or delta of deltas
/// over the values' common unit (the greatest common divisor of their distances), packed 128 at a time, each block with
/// its own reference and width, outliers patched. The form is chosen by exact sizes up to 2,048 values, and by those of
/// 16 blocks spread over the column beyond. Wrap-around arithmetic, so that any int64 comes back. Appends nothing for
/// no values. Deterministic. Takes no memory but what it appends.
///
/// Bytes, little-endian; varint is LEB128, signed ones zigzag:
///   column   = form:u8 base:signed  [ unit:varint  [ slope:signed ] block* ]
///   form     = 0 all equal (ends after base) | 1 reference | 2 delta | 3 delta of deltas (the one with a slope)
///   block    = control:u8 [width:u8] [reference:signed] packed [outliers]    128 values, the last one the rest
///   control  = bits 0-4 width (31: it is in the next byte), 5 has a reference, 6 zigzag, 7 has outliers
///   packed   = 128 values: two interleaved lanes of 64-bit words (value i in lane i % 2), 16 * width bytes;
///              fewer: one lane, ceil(values * width / 8) bytes
///   outliers = count:u8 high_width:u8 position:u8 * count (ascending) high
///   high     = one lane of the bits above `width`, ceil(count * high_width / 8) bytes
/// A block's value is x = packed [unzigzagged] + reference. Form 1: value = base + unit * x. Form 2: value = base +
/// unit * (sum of x so far). Form 3: delta = slope + (sum of x so far), value = base + unit * (sum of deltas so far -
/// slope).
///
/// Sources: D. Lemire, L. Boytsov, Decoding billions of integers per second through vectorization, 2015 (block widths,
/// patching); A. Afroozeh, P. Boncz, The FastLanes compression layout, 2023 (interleaved lanes).
void encode_integers(std::span<const std::int64_t> values, std::string& out);

/// Reads `count` values from the front of `bytes` and drops them from it; `out` holds exactly them afterwards. On an
/// error `bytes` and `out` are unspecified but valid. Thread-safe, as the above. Errors: corruption (too short, unknown
/// form, unit 0, widths over 64, outliers out of place). Allocates `count` values and no more, and, unless all are
/// equal, only when `bytes` has a byte for every 128 of them: who passes on a count from a file bounds it first.
Status decode_integers(std::string_view& bytes, std::size_t count, std::vector<std::int64_t>& out);

}  // namespace dendro
