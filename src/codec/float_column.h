#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// Appends doubles as integers times a common power of two or of ten where every one comes back bit for bit, else as
/// they are, byte plane by byte plane. Differences of times in seconds are of the first kind, prices of the second.
void encode_floats(std::span<const double> values, std::string& out);

/// Reads `count` doubles from the front of `bytes` and drops them. Errors: corruption.
Status decode_floats(std::string_view& bytes, std::size_t count, std::vector<double>& values);

}  // namespace dendro
